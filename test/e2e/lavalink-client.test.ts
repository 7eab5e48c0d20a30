// The unmodified lavalink-client library connects, loads, joins, plays, pauses, seeks, stops and leaves.
import t from 'tap';
import { fixture, oggOpus } from '../support/fixtures.js';
import { LavalinkClientBot } from '../support/lavalink-client-bot.js';
import { TEST_PASSWORD } from '../support/pumice-process.js';
import { tone } from '../support/signal.js';
import { stage } from '../support/stage.js';

const GUILD = '300000000000000009';
const LIMIT = { timeout: 60_000 };

t.test('lavalink-client loads over HTTP, joins, plays and is heard', LIMIT, async (t) => {
  const house = await stage(t);
  const { bytes, contentType } = fixture('mp3', 3);
  house.origin.file('/song.mp3', { body: bytes, contentType });
  house.voice.addListener(GUILD);
  const bot = await LavalinkClientBot.connect({
    port: house.server.port,
    password: TEST_PASSWORD,
    voiceEndpoint: house.voice.endpoint,
  });
  t.teardown(() => bot.close());
  const player = await bot.join(GUILD);
  await house.voice.waitForDave(GUILD);
  const track = await bot.load(player, house.origin.url('/song.mp3'));
  t.match(track.info, { title: 'Lava Flow', author: 'The Vesicles', sourceName: 'http', isStream: false });
  await player.queue.add(track);
  await player.play();
  await bot.wait(GUILD, 'queueEnd', 20_000);
  t.match(bot.names(GUILD)[0], 'trackStart');
  t.notOk(bot.names(GUILD).includes('trackError'));
  await house.voice.waitForSilence(GUILD);
  const report = house.voice.report(GUILD);
  t.match(report, { missing: 0, violationCount: 0, undecrypted: 0, timestampFaults: 0 });
  const sound = (report?.packets ?? 0) - (report?.silenceFrames ?? 0);
  t.ok(sound >= 150 && sound <= 156, `${String(sound)} frames for three seconds and the encoder's padding`);
});

t.test('lavalink-client pauses, seeks, sets the volume, stops and leaves', LIMIT, async (t) => {
  const house = await stage(t);
  house.origin.file('/long.opus', { body: oggOpus(tone(30)), contentType: 'audio/ogg' });
  const bot = await LavalinkClientBot.connect({
    port: house.server.port,
    password: TEST_PASSWORD,
    voiceEndpoint: house.voice.endpoint,
  });
  t.teardown(() => bot.close());
  const player = await bot.join(GUILD);
  await house.voice.sessionOf(GUILD);
  const track = await bot.load(player, house.origin.url('/long.opus'));
  await player.play({ track });
  await house.voice.waitForFrames(GUILD, 50);
  await player.pause();
  await house.voice.waitForSilence(GUILD);
  const paused = house.voice.count(GUILD);
  await player.resume();
  await house.voice.waitForFrames(GUILD, paused + 25);
  await player.seek(20_000);
  await house.voice.waitForFrames(GUILD, house.voice.count(GUILD) + 25);
  t.ok(player.position >= 20_000, `position ${String(player.position)}`);
  await player.setVolume(40);
  await house.voice.waitForFrames(GUILD, house.voice.count(GUILD) + 25);
  await player.stopPlaying(true, false);
  await house.voice.waitForSpeaking(GUILD, false);
  await player.destroy();
  t.match(await house.voice.waitForClose(GUILD), { code: 1_000, by: 'client' });
  t.match(house.voice.report(GUILD), { missing: 0, violationCount: 0 });
});
