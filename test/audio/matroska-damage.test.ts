// Matroska as it comes from strangers: cut, damaged, with sizes that mean nothing, with what is not ours to read.
// Packets go on where they can, every walk ends, and memory is bounded.
import * as fc from 'fast-check';
import t from 'tap';
import { MatroskaContainer } from '../../src/audio/matroska-container.js';
import type { Packet } from '../../src/audio/packet.js';
import { ServerError } from '../../src/shared/errors.js';
import { fixture } from '../support/fixtures.js';
import { element, matroskaFile, OPUS_TRACK, type MatroskaBlock } from '../support/matroska-file.js';
import { opusPacket } from '../support/ogg-pages.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 30_000 };

t.test('a file that is cut anywhere plays to the cut', { timeout: 60_000 }, async (t) => {
  // The last one is shorter than the longest heads.
  const all = [...music(60, 60), opusPacket(31, 1, 5, 1)];
  for (const layout of [{ perCluster: 8 }, { perCluster: 8, live: true, cues: 'none' }] as const) {
    const { bytes, clusters } = matroskaFile(blocksOf(all), layout);
    const ends = all.map((packet) => bytes.indexOf(packet) + packet.length);
    for (let cut = clusters[0]! + 40; cut < bytes.length; cut++) {
      const container = await open(new MemoryBytes(bytes.subarray(0, cut)));
      if (!(container instanceof MatroskaContainer)) t.fail('the library reads it');
      const found = await packetsOf(container);
      const whole = ends.filter((end) => end <= cut).length;
      if (found.length !== whole) t.fail(`${found.length} of ${whole} at ${cut}`);
      if (!found.every(({ data }, n) => all[n]!.equals(data))) t.fail(`other packets at ${cut}`);
    }
  }
  t.pass();
});

t.test('rubbish between clusters is stepped over', LIMIT, async (t) => {
  const all = music(400);
  for (const live of [false, true]) {
    const { bytes, clusters } = matroskaFile(blocksOf(all), { perCluster: 20, live, cues: 'none' });
    const at = clusters[7]!;
    const rubbish = Buffer.concat([Buffer.alloc(50_000, 0x1f), Buffer.alloc(50_000)]);
    const damaged = Buffer.concat([bytes.subarray(0, at), rubbish, bytes.subarray(at)]);
    for (const options of [{}, { live: true }]) {
      const found = await packetsOf(await open(new MemoryBytes(damaged, options)));
      t.strictSame(found.map(bytesOf), all);
      t.equal(found.at(-1)!.time, 399 / 50);
    }
  }
});

t.test('what makes no sense in a cluster costs the rest of that cluster', LIMIT, async (t) => {
  const all = music(400);
  for (const live of [false, true]) {
    const { bytes, clusters } = matroskaFile(blocksOf(all), { perCluster: 20, live, cues: 'none' });
    const place = bytes.indexOf(all[105]!);
    // Where the next block's head was there is nothing.
    bytes.fill(0, place + all[105]!.length, place + all[105]!.length + 8);
    const found = await packetsOf(await open(new MemoryBytes(bytes)));
    t.strictSame(found.map(bytesOf), [...all.slice(0, 106), ...all.slice(120)]);
    t.ok(clusters.length === 20 && found[106]!.time === 120 / 50);
  }
});

t.test('a block that is longer than its cluster costs that cluster only', LIMIT, async (t) => {
  const all = music(400);
  const { bytes } = matroskaFile(blocksOf(all), { perCluster: 20, cues: 'none' });
  const place = bytes.indexOf(all[108]!) - 4;
  t.equal(bytes[place - 3], 0xa3);
  bytes.writeUInt16BE(0x7ff0, place - 2);
  const found = await packetsOf(await open(new MemoryBytes(bytes)));
  t.strictSame(found.map(bytesOf), [...all.slice(0, 108), ...all.slice(120)]);
});

t.test('of a large cluster that makes no sense the next one is found without a search', LIMIT, async (t) => {
  const all = music(9_000);
  // A tick is 20 ms, or the times would not fit into one cluster.
  const blocks = all.map((packet, n) => ({ time: n, frames: [packet] }));
  const { bytes, clusters } = matroskaFile(blocks, { perCluster: 6_000, cues: 'none', scale: 20_000_000 });
  t.ok(clusters[1]! - clusters[0]! > 1_500_000);
  const place = bytes.indexOf(all[10]!);
  bytes.fill(0, place + all[10]!.length, place + all[10]!.length + 8);
  const memory = new MemoryBytes(bytes);
  const found = await packetsOf(await open(memory));
  t.equal(found.length, 11 + 3_000);
  t.ok(all[6_000]!.equals(found[11]!.data));
  t.ok(memory.fetched < bytes.length - 1_200_000, `${memory.fetched} bytes`);
});

t.test('sizes that mean nothing are neither waited for nor kept', LIMIT, async (t) => {
  const all = music(40);
  const { bytes } = matroskaFile(blocksOf(all), { perCluster: 10, cues: 'none', live: true });
  const bombs = {
    'an index': Buffer.from('1c53bb6b01fffffffffffffe', 'hex'),
    'a block': Buffer.from('a301fffffffffffffe81000080', 'hex'),
    'a block of somebody else': Buffer.from('a301fffffffffffffe82000080', 'hex'),
    'a block of two megabytes': Buffer.from('a31020000081000080', 'hex'),
    'a time': Buffer.from('e701fffffffffffffe', 'hex'),
    'an empty one': Buffer.from('ec01fffffffffffffe', 'hex'),
  };
  for (const [name, bomb] of Object.entries(bombs)) {
    for (const live of [false, true]) {
      const rest = Buffer.alloc(6_000_000);
      const memory = new MemoryBytes(Buffer.concat([bytes, bomb, rest]), { live });
      try {
        const found = await packetsOf(await open(memory));
        t.strictSame(found.map(bytesOf), all, name);
      } catch (error) {
        t.match(error, { code: 'PUM_FORMAT_BROKEN' }, name);
      }
      t.ok(memory.fetched < 1_500_000, `${name}: ${memory.fetched} bytes`);
    }
  }
});

t.test('cues larger than any are not read', LIMIT, async (t) => {
  const all = music(2_000);
  const { bytes } = matroskaFile(blocksOf(all), { perCluster: 50, cues: 'back' });
  const cues = bytes.lastIndexOf('1c53bb6b', undefined, 'hex');
  const huge = element('1c53bb6b', Buffer.alloc(6_000_000));
  const memory = new MemoryBytes(Buffer.concat([bytes.subarray(0, cues), huge]));
  const container = await open(memory);
  const before = memory.fetched;
  const [first] = await packetsOf(container, 30);
  t.equal(first!.time, 30);
  t.ok(memory.fetched - before < 1_500_000, `${memory.fetched - before} bytes`);
});

t.test('what is shortened or packed is left to the library', LIMIT, async (t) => {
  const all = music(100);
  const stripped = Buffer.of(all[0]![0]!);
  const blocks = all.map((packet, n) => ({ time: n * 20, frames: [packet.subarray(1)] }));
  const { bytes } = matroskaFile(blocks, { tracks: [{ ...OPUS_TRACK, stripped }] });
  const container = await open(new MemoryBytes(bytes));
  t.notOk(container instanceof MatroskaContainer);
  t.strictSame((await packetsOf(container)).map(bytesOf), all);
});

t.test('a file that follows in the same bytes is not taken for more of the first', LIMIT, async (t) => {
  const all = music(100);
  const { bytes } = matroskaFile(blocksOf(all), { live: true, cues: 'none' });
  const found = await packetsOf(await open(new MemoryBytes(Buffer.concat([bytes, bytes]), { live: true })));
  t.strictSame(found.map(bytesOf), all);
});

t.test('tracks of the same number are left to the library', LIMIT, async (t) => {
  const { bytes } = matroskaFile(blocksOf(music(100)), { tracks: [OPUS_TRACK, OPUS_TRACK] });
  t.notOk((await open(new MemoryBytes(bytes))) instanceof MatroskaContainer);
});

t.test('a large head in front of a stream that cannot go back is no obstacle', LIMIT, async (t) => {
  const all = music(100);
  const { bytes, clusters } = matroskaFile(blocksOf(all), { live: true, cues: 'none' });
  const cover = element('ec', Buffer.alloc(400_000));
  const at = clusters[0]!;
  const large = Buffer.concat([bytes.subarray(0, at), cover, bytes.subarray(at)]);
  const found = await packetsOf(await open(new MemoryBytes(large, { live: true })));
  t.strictSame(found.map(bytesOf), all);
});

for (const name of ['webmOpus', 'webmVorbis'] as const) {
  t.test(`${name} with bytes changed gives packets or a code of ours`, { timeout: 60_000 }, async (t) => {
    const real = fixture(name, 3).bytes;
    const mutation = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 15 }),
        fc.constantFrom({}, { live: true }, { forwardOnly: true }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        async (mutations, options, from) => {
          const damaged = Buffer.from(real);
          for (const { at, byte } of mutations) damaged[Math.floor(at * (real.length - 1))] = byte;
          try {
            const memory = new MemoryBytes(damaged, options);
            const container = await open(memory);
            bounded(await packetsOf(container));
            if (memory.seekable) bounded(await packetsOf(container, from));
          } catch (error) {
            if (!(error instanceof ServerError)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
    t.pass();
  });
}

function music(count: number, most = 500): Buffer[] {
  return Array.from({ length: count }, (_, n) => opusPacket(31, 1, 20 + ((n * 53) % most), 900_001 + n));
}

function blocksOf(packets: readonly Buffer[]): MatroskaBlock[] {
  return packets.map((packet, n) => ({ time: n * 20, frames: [packet] }));
}

function bytesOf({ data }: Packet): Buffer {
  return Buffer.from(data);
}

function bounded(packets: readonly Packet[]): void {
  if (packets.length > 5_000) throw new Error('there is no end to it');
  for (const [n, { time, duration }] of packets.entries())
    if (!Number.isFinite(time) || !(duration >= 0)) throw new Error(`packet ${n} at ${time} for ${duration}`);
}
