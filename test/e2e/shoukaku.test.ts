// The unmodified Shoukaku client plays, is heard, pauses, seeks, stops and leaves.
import t from 'tap';
import { fixture, oggOpus } from '../support/fixtures.js';
import { decodeFrames } from '../support/measure.js';
import { PlayerEvents } from '../support/player-events.js';
import { ShoukakuBot } from '../support/shoukaku-bot.js';
import { tone } from '../support/signal.js';
import { bot, stage } from '../support/stage.js';

const GUILD = '300000000000000001';
const LIMIT = { timeout: 60_000 };

t.test(
  'Shoukaku connects, loads over HTTP, joins, plays and is heard, end-to-end encrypted',
  LIMIT,
  async (t) => {
    const house = await stage(t);
    const { bytes, contentType } = fixture('oggOpus', 3);
    house.origin.file('/song.opus', { body: bytes, contentType });
    house.voice.addListener(GUILD);
    const shoukaku = await bot(t, house);
    const encoded = await shoukaku.load(house.origin.url('/song.opus'));
    const player = await shoukaku.join(GUILD);
    await house.voice.waitForDave(GUILD);
    const events = new PlayerEvents(player);
    await player.playTrack({ track: { encoded } });
    await events.wait('end', 1, 20_000);
    t.same(events.names, ['start', 'end']);
    t.match(events.seen.find(({ name }) => name === 'end')?.data, { reason: 'finished', guildId: GUILD });
    await house.voice.waitForSilence(GUILD);
    const report = house.voice.report(GUILD);
    t.same(report?.violations, []);
    t.equal(report?.missing, 0);
    t.equal(report?.undecrypted, 0);
    t.ok((report?.daveFrames ?? 0) >= 145, `${String(report?.daveFrames)} frames end-to-end encrypted`);
    const heard = house.voice.frames(GUILD).filter((frame) => !frame.silence);
    t.equal(heard.length, 151, '3 s and the codec delay');
    await shoukaku.leave(GUILD);
    const close = await house.voice.waitForClose(GUILD);
    t.match(close, { code: 1_000, by: 'client' });
  },
);

t.test('pause keeps the place, seek moves it, volume and stop act at once', LIMIT, async (t) => {
  const house = await stage(t);
  house.origin.file('/long.opus', { body: oggOpus(tone(20)), contentType: 'audio/ogg' });
  const shoukaku = await bot(t, house);
  const encoded = await shoukaku.load(house.origin.url('/long.opus'));
  const player = await shoukaku.join(GUILD);
  const events = new PlayerEvents(player);
  await player.playTrack({ track: { encoded } });
  await house.voice.waitForFrames(GUILD, 50);

  await player.setPaused(true);
  await house.voice.waitForSilence(GUILD);
  await house.voice.waitForSpeaking(GUILD, false);
  const paused = house.voice.count(GUILD);
  await player.setPaused(false);
  await house.voice.waitForFrames(GUILD, paused + 25);
  const report = house.voice.report(GUILD);
  t.same(report?.violations, []);
  t.equal(report?.timestampFaults, 0, 'the pause is a gap in time and in nothing else');

  await player.seekTo(15_000);
  const before = house.voice.count(GUILD);
  await house.voice.waitForFrames(GUILD, before + 25);
  const { state } = (await shoukaku.node.rest.getPlayer(GUILD)) as unknown as { state: { position: number } };
  const { position } = state;
  t.ok(position >= 15_200 && position <= 17_000, `position ${String(position)}`);

  await player.setGlobalVolume(50);
  const louder = house.voice.count(GUILD);
  await house.voice.waitForFrames(GUILD, louder + 60);
  const frames = house.voice.frames(GUILD);
  const levels = [frames.slice(louder - 25, louder), frames.slice(louder + 25, louder + 50)].map((part) =>
    rms(decodeFrames(part.map(({ opus }) => opus ?? Buffer.alloc(0))).channels[0]),
  );
  const change = 20 * Math.log10((levels[1] ?? 0) / (levels[0] ?? 1));
  t.ok(
    change < -5 && change > -10,
    `${change.toFixed(1)} dB; the curve says -7.6, the signal swells a little`,
  );

  await player.stopTrack();
  await events.wait('end');
  t.match(events.seen.find(({ name }) => name === 'end')?.data, { reason: 'stopped' });
  t.same(events.names, ['start', 'end']);
  await house.voice.waitForSpeaking(GUILD, false);
});

t.test('a wrong password is refused, and the client is told', LIMIT, async (t) => {
  const house = await stage(t);
  await t.rejects(
    ShoukakuBot.connect({ port: house.server.port, password: 'wrong', voiceEndpoint: house.voice.endpoint }),
    /401/,
  );
});

function rms(pcm: Float32Array | undefined): number {
  let sum = 0;
  for (const sample of pcm ?? []) sum += sample * sample;
  return Math.sqrt(sum / (pcm?.length ?? 1));
}
