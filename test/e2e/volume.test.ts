// The player volume as it is heard: how soon, how much, and what it does to the place in the source. The levels are
// measured on decoded frames; "how soon" is counted in frames after the request.
import t from 'tap';
import { oggOpus, wavFile } from '../support/fixtures.js';
import { decodeFrames } from '../support/measure.js';
import { NodeClient } from '../support/node-client.js';
import { opusOf, PacketPlaces, packetsOf, soundOf } from '../support/opus-packets.js';
import { sweep, tone } from '../support/signal.js';
import { stage } from '../support/stage.js';

/** Copied for each test: tap keeps the state of a test in the object it is given. */
const LIMIT = { timeout: 40_000, buffered: true };
/** A command is heard within 150 ms, seven frames; threefold, for a machine that is busy with other tests. */
const AT_ONCE = 3 * 7;
/** Frames left out behind a change, in which the encoder settles. */
const SETTLING = 12;
const FRAME_SAMPLES = 960;

const house = await stage(t);
const steady = oggOpus(tone(20));
house.origin.file('/steady.opus', { body: steady, contentType: 'audio/ogg' });
house.origin.file('/steady.wav', { body: wavFile(tone(20)), contentType: 'audio/wav' });
const song = oggOpus(sweep(20));
house.origin.file('/song.opus', { body: song, contentType: 'audio/ogg' });
const node = await NodeClient.connect(house.server.port);
t.teardown(() => {
  node.close();
});

t.jobs = 3;

for (const [at, file] of ['steady.opus', 'steady.wav'].entries()) {
  t.test(
    `${file}: each volume is heard at once, at the level of Lavalink's curve`,
    { ...LIMIT },
    async (t) => {
      const guild = `32000000000000000${String(at)}`;
      await node.join(guild, house.voice.endpoint);
      await node.play(guild, await node.load(house.origin.url(`/${file}`)));
      await house.voice.waitForFrames(guild, 50);
      const asked: { readonly volume: number; readonly from: number }[] = [{ volume: 100, from: 0 }];
      for (const volume of [50, 100, 20, 150]) {
        asked.push({ volume, from: house.voice.count(guild) });
        await node.patch(guild, { volume });
        await house.voice.waitForFrames(guild, house.voice.count(guild) + 50);
      }
      const levels = frameLevels(house.voice.frames(guild).map(opusOf));
      const full = mean(levels.slice(SETTLING, asked[1]?.from));
      for (const [n, { volume, from }] of asked.entries()) {
        if (n === 0) continue;
        const to = asked[n + 1]?.from ?? levels.length;
        const gain = 20 * Math.log10(curve(volume));
        const before = mean(levels.slice(from - 10, from));
        const after = full + gain;
        const halfWay = (before + after) / 2;
        const heard = levels.slice(from).findIndex((level) => level > halfWay === after > before);
        t.ok(heard >= 0 && heard <= AT_ONCE, `${String(volume)}: heard ${String(heard)} frames later`);
        const found = mean(levels.slice(from + SETTLING, to)) - full;
        t.ok(
          Math.abs(found - gain) <= 0.3,
          `${String(volume)}: ${found.toFixed(2)} dB, not ${gain.toFixed(2)}`,
        );
      }
      t.match(await node.must('GET', node.player(guild)), { volume: 150 });
      t.match(house.voice.report(guild), { missing: 0, timestampFaults: 0, violations: [] });
    },
  );
}

t.test('volume 0 is silence that plays on', { ...LIMIT }, async (t) => {
  const guild = '320000000000000005';
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, await node.load(house.origin.url('/steady.opus')), { volume: 0 });
  const frames = await house.voice.waitForFrames(guild, 60);
  const levels = frameLevels(frames.map(opusOf));
  t.ok(
    levels.slice(SETTLING).every((level) => level < -80),
    'nothing is heard',
  );
  const { state } = (await node.must('GET', node.player(guild))) as { state: { position: number } };
  t.ok(state.position >= 1_000, `position ${String(state.position)}`);
});

t.test('back at 100 the packets of the source go on where they must', { ...LIMIT }, async (t) => {
  const guild = '320000000000000006';
  const places = new PacketPlaces(await packetsOf(song));
  await node.join(guild, house.voice.endpoint);
  await node.play(guild, await node.load(house.origin.url('/song.opus')));
  for (const volume of [80, 100, 120, 100]) {
    await house.voice.waitForFrames(guild, house.voice.count(guild) + 25);
    await node.patch(guild, { volume });
  }
  await house.voice.waitForFrames(guild, house.voice.count(guild) + 25);
  const heard = soundOf(house.voice.frames(guild)).map((frame) => places.of(frame));
  const passed = heard.filter((place) => place !== null).length;
  t.ok(
    passed >= 60 && passed <= heard.length - 40,
    `${String(passed)} of ${String(heard.length)} as they are`,
  );
  // A frame of the source is as old as the number of frames before it, or something was lost or doubled.
  const wrong = heard.flatMap((place, at) =>
    place === null || place === at ? [] : [`${String(place)} at ${String(at)}`],
  );
  t.same(wrong, []);
  t.match(house.voice.report(guild), { missing: 0, timestampFaults: 0, violations: [] });
});

/** Multiplier of the player volume as lavalink-v4.md §4.3 has it. */
function curve(volume: number): number {
  if (volume === 100) return 1;
  return volume <= 150 ? Math.tan(volume * 0.0079) : (24_621 * volume) / 150 / 10_000;
}

/** dB of full scale of each frame, all of them decoded in order by one decoder. */
function frameLevels(frames: readonly Buffer[]): number[] {
  const left = decodeFrames(frames).channels[0] ?? new Float32Array(0);
  return frames.map((_, n) => {
    let power = 1e-12;
    for (const sample of left.subarray(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES)) power += sample * sample;
    return 10 * Math.log10(power / FRAME_SAMPLES);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
