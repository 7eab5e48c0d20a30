// What the fake voice server writes is an Ogg file that others read: packet for packet, and of the right length.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import t from 'tap';
import { withoutFfmpeg } from './ffmpeg.js';
import { encodeDirectly } from './measure.js';
import { oggOpus, type OggFrame } from './ogg-opus-writer.js';
import { tone } from './signal.js';

const packets = encodeDirectly(tone(3), 96_000).map((packet) => Buffer.from(packet));

/** Frames on the grid; `gapAt` puts a second of nothing in front of that one. */
function frames(gapAt = Infinity): OggFrame[] {
  return packets.map((opus, n) => {
    const step = n + (n >= gapAt ? 50 : 0);
    return { opus, timestamp: (4_294_967_000 + step * 960) >>> 0, at: step * 20, session: 's' };
  });
}

async function read(bytes: Buffer): Promise<Buffer[]> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio');
  const found: Buffer[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) found.push(Buffer.from(packet.data));
  return found;
}

t.test('packets come back as they were, over a wrap of the timestamp', { timeout: 10_000 }, async (t) => {
  const { bytes, summary } = oggOpus(frames());
  const found = await read(bytes);
  t.equal(found.length, packets.length);
  t.ok(found.every((packet, n) => packet.equals(packets[n] ?? Buffer.alloc(0))));
  t.match(summary, { packets: 150, inserted: 0, dropped: 0 });
});

t.test('a gap in the timestamps becomes silence of its length', { timeout: 10_000 }, async (t) => {
  const { summary } = oggOpus(frames(75));
  t.match(summary, { packets: 200, inserted: 50 });
  t.ok(Math.abs(summary.durationMs - 4_000) <= 20, `${String(summary.durationMs)} ms`);
});

t.test(
  'ffmpeg decodes the file without a complaint',
  { timeout: 20_000, skip: withoutFfmpeg() },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'pumice-ogg-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'a.ogg');
    await writeFile(path, oggOpus(frames(75)).bytes);
    const run = spawnSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 's16le', '-'], { maxBuffer: 1 << 24 });
    t.equal(run.stderr.toString(), '');
    t.ok(Math.abs(run.stdout.length / 4 / 48_000 - 4) < 0.03, `${String(run.stdout.length / 4 / 48_000)} s`);
  },
);

t.test(
  'what could not be decrypted becomes silence, what came twice is left out',
  { timeout: 10_000 },
  async (t) => {
    const all = frames();
    const doctored = [...all.slice(0, 10), { ...all[10]!, opus: null }, all[9]!, ...all.slice(11)];
    const { bytes, summary } = oggOpus(doctored);
    t.match(summary, { packets: 150, inserted: 1, dropped: 1 });
    const found = await read(bytes);
    t.same(found[10], Buffer.from([0xf8, 0xff, 0xfe]));
    t.same(found[11], packets[11]);
  },
);

t.test('from one session to the next the wall clock counts', { timeout: 10_000 }, async (t) => {
  const first = frames().slice(0, 50);
  const second = first.map((frame, n) => {
    return { ...frame, session: 's2', timestamp: 17 + n * 960, at: frame.at + 2_000 };
  });
  const { summary } = oggOpus([...first, ...second]);
  t.match(summary, { packets: 150, inserted: 50, dropped: 0 });
});

t.test('a broken timestamp does not become hours of silence', { timeout: 10_000 }, async (t) => {
  const [first, second] = frames();
  t.throws(
    () => oggOpus([first!, { ...second!, timestamp: (first!.timestamp + 2 ** 30) >>> 0 }]),
    RangeError,
  );
});

t.test('no frames at all are a file with nothing in it', { timeout: 10_000 }, async (t) => {
  const { bytes, summary } = oggOpus([]);
  t.match(summary, { packets: 0, durationMs: 0 });
  t.equal(bytes.toString('latin1', 0, 4), 'OggS');
});
