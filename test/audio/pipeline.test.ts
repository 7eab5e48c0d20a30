// The pipeline's promises beyond the formats: frames on the source's grid, seams nobody hears, holes filled,
// bad packets survived, volume as the curve says.
import t from 'tap';
import type { StreamFormat } from '../../src/audio/container.js';
import type { Packet } from '../../src/audio/packet.js';
import { isIdentity, Pipeline, runUpSeconds } from '../../src/audio/pipeline.js';
import { playerGain } from '../../src/audio/filter/volume.js';
import { oggOpus } from '../support/fixtures.js';
import { compare, cut, decodeFrames, faults, referenceSnr } from '../support/measure.js';
import type { Pcm } from '../support/signal.js';
import { multitone, silence } from '../support/signal.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf, play, run, SETTINGS } from './play.js';

const LIMIT = { timeout: 30_000 };

const FORMAT: StreamFormat = { codec: 'pcm-f32', sampleRate: 48_000, channels: 2, description: null };
const INFO = {
  info: { probe: 'wav', format: FORMAT, durationMs: null, title: null, artist: null, isrc: null },
} as const;

/** Float PCM packets of `size` samples, with `move` to shift their times. */
function packets(
  pcm: Pcm,
  size = 1_000,
  move: (time: number, n: number) => number = (time) => time,
): Packet[] {
  const [left, right] = pcm.channels;
  const length = left?.length ?? 0;
  const made: Packet[] = [];
  for (let at = 0; at < length; at += size) {
    const count = Math.min(size, length - at);
    const samples = new Float32Array(count * 2);
    for (let i = 0; i < count; i++) {
      samples[i * 2] = left?.[at + i] ?? 0;
      samples[i * 2 + 1] = right?.[at + i] ?? 0;
    }
    const time = move(at / pcm.rate, made.length);
    made.push({ data: new Uint8Array(samples.buffer), time, duration: count / pcm.rate });
  }
  return made;
}

t.test('the encoder adds nothing in time and no more noise than libopus alone', LIMIT, async (t) => {
  const source = multitone(3);
  for (const bitrate of [96_000, 128_000, 192_000]) {
    const { frames } = run(INFO, packets(source), 0, { bitrate });
    const snrDb = referenceSnr(source, bitrate) - 1;
    t.strictSame(faults(compare(decodeFrames(frames), source), { offset: 0, snrDb }), [], `${bitrate} bit/s`);
  }
});

t.test('after passed-through packets our frames go on without a seam', LIMIT, async (t) => {
  const tones = multitone(4);
  const container = await open(new MemoryBytes(oggOpus(tones, 192_000)));
  const all = await packetsOf(container);
  const direct = decodeFrames(all.map((packet) => packet.data));
  for (const n of [50, 77, 111]) {
    const { frames, times } = await play(container, n * 0.02, { bitrate: 256_000 });
    t.ok(Math.abs((times[0] ?? 0) - n * 0.02) < 1e-9);
    const heard = decodeFrames([...all.slice(0, n).map((packet) => packet.data), ...frames]);
    // Against the same decoder without any switching; 60 ms on both sides of the seam.
    const from = n * 960 - 2_880;
    const seam = compare(cut(heard, from, 5_760), cut(direct, from, 5_760), {
      margin: 0,
      search: 480,
      clicks: [],
    });
    t.ok(Math.abs(seam.offset) <= 1, `offset ${seam.offset}`);
    t.ok(seam.snrDb > 20, `${seam.snrDb} dB around the seam`);
    t.ok(steepest(heard, n * 960) < 1.5 * steepest(direct, n * 960), 'no click');
    const back = decodeFrames([...frames.slice(0, 25), ...all.slice(n + 25).map((packet) => packet.data)]);
    const after = compare(cut(back, 22_000, 5_000), cut(direct, n * 960 + 22_000, 5_000), {
      margin: 0,
      search: 480,
      clicks: [],
    });
    t.ok(Math.abs(after.offset) <= 1 && after.snrDb > 15, `back again: ${after.offset}, ${after.snrDb} dB`);
  }
});

t.test('small gaps and overlaps in the times are counted over, large gaps are silence', LIMIT, async (t) => {
  const source = multitone(3);
  const jitter = run(
    INFO,
    packets(source, 1_000, (time, n) => time + (n % 2 === 0 ? 0.009 : -0.009)),
    0.5,
  );
  const found = compare(decodeFrames(jitter.frames), source, { near: -24_000 });
  t.ok(Math.abs(found.offset + 24_000) <= 500 && found.snrDb > 28, `${found.offset}, ${found.snrDb} dB`);

  const late = run(
    INFO,
    packets(source, 1_000, (time) => (time >= 1 ? time + 0.5 : time)),
    0,
  );
  const heard = decodeFrames(late.frames);
  t.equal(late.frames.length, 175);
  const hole = power(heard, 50_000, 70_000);
  t.ok(hole < 1e-5 * power(heard, 20_000, 40_000), `silent in the hole: ${hole}`);
  const rest = compare(cut(heard, 72_000, 90_000), source, { near: -48_000, clicks: [] });
  t.ok(Math.abs(rest.offset + 48_000) <= 1 && rest.snrDb > 25, `${rest.offset}, ${rest.snrDb} dB behind it`);
});

t.test('a hole of hours is jumped over and the time tells', LIMIT, async (t) => {
  const { frames, times } = run(
    INFO,
    packets(multitone(2), 1_000, (time) => (time >= 1 ? time + 7_200 : time)),
    0,
  );
  t.equal(frames.length, 100);
  t.ok((times[20] ?? 9) < 1 && (times[80] ?? 0) > 7_200);
  t.ok(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0)));
});

t.test('times that make no sense stop nothing', LIMIT, async (t) => {
  for (const move of [
    () => Number.NaN,
    () => Number.POSITIVE_INFINITY,
    () => 0,
    (time: number) => -time,
    () => 1e300,
  ]) {
    const { frames } = run(INFO, packets(multitone(1), 1_000, move), 0);
    t.ok(frames.length <= 300 && frames.every((frame) => frame.length > 0), `${frames.length} frames`);
  }
});

t.test(
  'packets that cannot be decoded are silence of their length, counted and survived',
  LIMIT,
  async (t) => {
    const container = await open(new MemoryBytes(oggOpus(multitone(2))));
    const all = await packetsOf(container);
    const broken = all.map((packet, n) =>
      n >= 40 && n < 44 ? { ...packet, data: new Uint8Array(0) } : packet,
    );
    const { frames, bad } = run(container, broken);
    t.equal(bad, 4);
    t.equal(frames.length, run(container, all).frames.length);
    const pipeline = new Pipeline(container.info.format, SETTINGS, 0);
    for (const packet of broken.slice(38, 43)) pipeline.push(packet);
    t.equal(pipeline.badPackets, 3);
    pipeline.push(all[44] ?? { data: new Uint8Array(0), time: 0, duration: 0 });
    t.equal(pipeline.badPackets, 0, 'in a row');
    pipeline.close();
    pipeline.close();
  },
);

t.test('the last partial frame is padded, and nothing comes after it', LIMIT, async (t) => {
  const { frames } = run(INFO, packets(multitone(0.5), 1_000).slice(0, 10));
  t.equal(frames.length, Math.ceil(10_000 / 960));
  t.equal(run(INFO, []).frames.length, 0);
  const pipeline = new Pipeline(FORMAT, SETTINGS, 0);
  pipeline.finish();
  pipeline.finish();
  t.equal(pipeline.frame(new Uint8Array(1_275)), 0);
  pipeline.close();
});

t.test('packets from before the wanted time are used for run-up alone', LIMIT, async (t) => {
  const source = multitone(3);
  const early = run(INFO, packets(source), 2);
  const near = run(
    INFO,
    packets(source).filter((packet) => packet.time > 1.85),
    2,
  );
  t.equal(early.frames.length, 50);
  t.strictSame(early.frames, near.frames, 'no matter how far before');
});

t.test('the player volume is heard as the curve says', LIMIT, async (t) => {
  const source = multitone(1);
  for (const volume of [25, 50, 75, 125]) {
    const found = compare(decodeFrames(run(INFO, packets(source), 0, { volume }).frames), source);
    const expected = 20 * Math.log10(playerGain(volume));
    for (const side of found.loudnessDb)
      t.ok(Math.abs(side - expected) < 0.3, `${volume}: ${side} for ${expected} dB`);
  }
  const half = compare(
    decodeFrames(run(INFO, packets(source), 0, { filters: { volume: 0.5 } }).frames),
    source,
  );
  t.ok(Math.abs(half.loudnessDb[0] - 20 * Math.log10(0.41691)) < 0.3);
  const off = decodeFrames(run(INFO, packets(source), 0, { volume: 0 }).frames);
  t.ok(power(off, 0, 48_000) < 1e-9, 'volume 0 is silence');
});

t.test('settings that leave the sound alone are told from those that do not', LIMIT, async (t) => {
  t.ok(isIdentity({ volume: 100, filters: {} }));
  t.ok(isIdentity({ volume: 100, filters: { volume: 1, karaoke: {} } }));
  t.notOk(isIdentity({ volume: 99, filters: {} }));
  t.notOk(isIdentity({ volume: 100, filters: { volume: 0.5 } }));
  t.equal(runUpSeconds(FORMAT), 0.08);
  t.ok(runUpSeconds({ ...FORMAT, codec: 'opus' }) >= 0.16);
});

t.test('no frame is larger than a datagram may carry, at any bit rate', LIMIT, async (t) => {
  let seed = 1;
  const noise = silence(1);
  for (const channel of noise.channels) {
    for (let i = 0; i < channel.length; i++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      channel[i] = seed / 1_073_741_824 - 1;
    }
  }
  for (const bitrate of [0, 1, 320_000, 510_000, 9e9]) {
    const { frames } = run(INFO, packets(noise), 0, { bitrate });
    const largest = Math.max(...frames.map((frame) => frame.length));
    t.ok(largest <= 1_275, `${largest} bytes at ${bitrate}`);
    if (bitrate >= 320_000)
      t.ok(
        frames.every((frame) => frame.length > 400),
        'and none was replaced by silence',
      );
  }
});

function power(pcm: Pcm, from: number, to: number): number {
  let sum = 0;
  for (const channel of pcm.channels) for (let i = from; i < to; i++) sum += (channel[i] ?? 0) ** 2;
  return sum / (to - from);
}

/** The largest step from sample to sample within 2 ms of a position. */
function steepest(pcm: Pcm, at: number): number {
  let most = 0;
  for (const channel of pcm.channels) {
    for (let i = at - 96; i < at + 96; i++)
      most = Math.max(most, Math.abs((channel[i + 1] ?? 0) - (channel[i] ?? 0)));
  }
  return most;
}
