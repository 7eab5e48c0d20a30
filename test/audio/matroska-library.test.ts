// Our own reading of Matroska and WebM beside mediabunny's, on files that FFmpeg has made: the same packets at the
// same times, those of Opus on the timeline that the library's times give.
import t, { type Test } from 'tap';
import type { ReadyCursor } from '../../src/audio/walk-to.js';
import { MatroskaContainer } from '../../src/audio/matroska-container.js';
import { leadOf, opusCursor } from '../../src/audio/opus-timeline.js';
import type { Packet } from '../../src/audio/packet.js';
import { ffmpegMake } from '../support/ffmpeg-make.js';
import { withoutFfmpeg } from '../support/ffmpeg.js';
import { fixture } from '../support/fixtures.js';
import { libraryPackets } from '../support/library-packets.js';
import { multitone } from '../support/signal.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 60_000 };

for (const name of ['webmOpus', 'webmVorbis'] as const)
  t.test(`${name}: the library's packets at the library's times`, LIMIT, (t) =>
    same(t, fixture(name, 12).bytes),
  );

const LAYOUTS: Record<string, readonly string[]> = {
  'as a live stream': ['-live', '1'],
  'with small clusters': ['-cluster_time_limit', '300'],
  'with large clusters': ['-cluster_time_limit', '30000'],
  'with cues in front': ['-cues_to_front', '1'],
  'with room for cues': ['-reserve_index_space', '4096'],
  'as DASH': ['-dash', '1', '-dash_track_number', '3'],
};
const OPUS = ['-c:a', 'libopus', '-b:a', '96k'];

for (const [name, options] of Object.entries(LAYOUTS)) {
  t.test(`WebM ${name}`, { ...LIMIT, skip: withoutFfmpeg() }, async (t) => {
    await same(t, await ffmpegMake(multitone(12), [...OPUS, ...options], 'webm'));
    await same(t, await ffmpegMake(multitone(5), ['-c:a', 'libvorbis', ...options], 'webm'));
  });
}

for (const duration of ['2.5', '5', '10', '20', '40', '60']) {
  t.test(`Opus of ${duration} ms a frame`, { ...LIMIT, skip: withoutFfmpeg() }, async (t) => {
    await same(t, await ffmpegMake(multitone(3), [...OPUS, '-frame_duration', duration], 'mka'));
  });
}

for (const codec of ['aac', 'flac', 'libmp3lame', 'pcm_s16le', 'pcm_f32le', 'libvorbis']) {
  t.test(`Matroska with ${codec}`, { ...LIMIT, skip: withoutFfmpeg() }, async (t) => {
    await same(t, await ffmpegMake(multitone(6, 44_100), ['-c:a', codec], 'mka'));
  });
}

t.test('sound beside pictures', { ...LIMIT, skip: withoutFfmpeg() }, async (t) => {
  const pictures = ['-f', 'lavfi', '-i', 'testsrc=d=6:s=160x120:r=25', '-map', '1:v', '-map', '0:a'];
  const video = ['-c:v', 'libvpx', '-b:v', '600k', '-deadline', 'realtime'];
  await same(t, await ffmpegMake(multitone(6), [...pictures, ...video, ...OPUS], 'webm'));
  await same(t, await ffmpegMake(multitone(6), [...pictures, ...video, '-c:a', 'aac'], 'mkv'));
});

async function same(t: Test, bytes: Buffer): Promise<void> {
  const theirs = await libraryPackets(bytes);
  for (const options of [{}, { live: true }, { pieces: (n: number) => 1 + ((n * 997) % 3_000) }]) {
    const container = await open(new MemoryBytes(bytes, options));
    t.ok(container instanceof MatroskaContainer);
    const opus = container.info.format.codec === 'opus';
    const wanted = opus ? await onRawTimeline(theirs) : theirs;
    const found = await packetsOf(container);
    t.equal(found.length, wanted.length, 'as many');
    t.ok(
      found.every(({ data }, n) => Buffer.compare(data, wanted[n]!.data) === 0),
      'byte for byte',
    );
    const late = found.filter(({ time }, n) => Math.abs(time - wanted[n]!.time) > 1e-9);
    t.equal(late.length, 0, 'at the same times');
    // The library does not know how long the last packet of a cluster is.
    const other = found.filter(
      ({ duration }, n) => wanted[n]!.duration > 0 && Math.abs(duration - wanted[n]!.duration) > 1.001e-3,
    );
    t.equal(other.length, 0, 'as long');
  }
  const container = await open(new MemoryBytes(bytes));
  const all = await packetsOf(container);
  for (const share of [0.1, 0.31, 0.5, 0.77, 0.99]) {
    const from = share * all.at(-1)!.time;
    const found = await packetsOf(container, from);
    const first = all.findLastIndex(({ time }) => time <= from + 1e-5);
    t.equal(found[0]!.time, all[first]!.time, `from ${from}`);
    t.equal(found.length, all.length - first);
  }
}

/** As the library's packets come out of the cursor that puts them on the raw timeline. */
async function onRawTimeline(packets: readonly Packet[]): Promise<Packet[]> {
  const queue = [...packets];
  const inner: ReadyCursor = {
    ready: () => queue.shift() ?? null,
    next: () => Promise.resolve(queue.shift() ?? null),
  };
  const cursor = await opusCursor(() => Promise.resolve(inner), 0, leadOf(packets[0] ?? null), false);
  const placed: Packet[] = [];
  for (let packet = cursor.ready(); packet !== null; packet = cursor.ready()) placed.push(packet);
  return placed;
}
