// Opus in Ogg as it should be: whatever the layout of the pages and however the bytes come, every packet comes out
// byte for byte at its raw time, from the beginning and from any other place.
import * as fc from 'fast-check';
import t from 'tap';
import type { PacketCursor } from '../../src/audio/container.js';
import { OggOpusContainer } from '../../src/audio/ogg-opus.js';
import type { Packet } from '../../src/audio/packet.js';
import { oggFile, oggPages, joinPages, opusPacket, randomPackets, samplesOf } from '../support/ogg-pages.js';
import { seeded } from '../support/seeded.js';
import { MemoryBytes, type MemoryOptions } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 30_000 };
const PACKETS = 200;

/** What is written in one of many layouts. */
const files = fc.record({
  seed: fc.nat(100_000),
  most: fc.constantFrom(60, 400, 3_000),
  /** Segments of a page: always one, a few, or as many as there are. */
  largest: fc.constantFrom(1, 3, 20, 255),
  shift: fc.constantFrom(0, 960, 123_456_789),
  trim: fc.nat(2_000),
});
const arrivals = fc.record({
  way: fc.constantFrom('seekable', 'live', 'forwardOnly'),
  piece: fc.constantFrom(3, 50, 700, 5_000, 100_000),
});

interface FileShape {
  readonly seed: number;
  readonly most: number;
  readonly largest: number;
  readonly shift: number;
  readonly trim: number;
}

interface Wanted {
  readonly data: Buffer;
  readonly time: number;
  readonly duration: number;
}

t.test('every packet comes out byte for byte at its raw time, however it was laid out', LIMIT, async (t) => {
  await fc.assert(
    fc.asyncProperty(files, arrivals, async (file, arrival) => {
      const { bytes, wanted } = written(file, 60);
      const container = await open(source(bytes, arrival, file.seed));
      if (!(container instanceof OggOpusContainer)) throw new Error('the library reads it');
      expectSame(await drained(await container.packets(0)), wanted);
    }),
    { numRuns: 150 },
  );
  t.pass();
});

t.test('the beginning of a packet is kept while the rest of it comes', LIMIT, async (t) => {
  const packets = Array.from({ length: 30 }, (_, n) => opusPacket(31, 1, 30_000 + n * 700, n));
  const segments = (page: number): number => [12, 100, 6][page % 3]!;
  for (const live of [false, true]) {
    const memory = new MemoryBytes(oggFile(packets, { segments }), { live, pieces: () => 2_500 });
    const found = await drained(await (await open(memory)).packets(0));
    expectSame(
      found,
      packets.map((data, n) => ({ data, time: n / 50, duration: 0.02 })),
    );
  }
  t.pass();
});

t.test('what is there comes without a promise', LIMIT, async (t) => {
  const bytes = oggFile(randomPackets(PACKETS, 1, 60));
  const container = await open(new MemoryBytes(bytes));
  const cursor = await container.packets(0);
  let waited = 0;
  let packets = 0;
  for (;;) {
    const packet = cursor.ready?.() ?? (waited++, await cursor.next());
    if (packet === null) break;
    packets++;
  }
  t.ok(packets > 150);
  // Once for every 16 KB that are fetched, for what lies over their borders, and for the end.
  t.ok(waited <= 2 + 2 * Math.ceil(bytes.length / 16_384), `${waited} waits`);
});

t.test('from any time on come the packets from the last one that begins before it', LIMIT, async (t) => {
  await fc.assert(
    fc.asyncProperty(
      files,
      fc.array(fc.double({ min: 0, max: 1.1, noNaN: true }), { minLength: 1, maxLength: 4 }),
      async (file, places) => {
        const { bytes, wanted } = written(file, 600);
        const container = await open(new MemoryBytes(bytes));
        const end = wanted.at(-1)!.time + wanted.at(-1)!.duration;
        const edges = wanted.map(({ time }) => time);
        const random = seeded(file.seed);
        const froms = [...places.map((place) => place * end), edges[Math.floor(random() * edges.length)]!];
        for (const from of froms) {
          const found = await drained(await container.packets(from));
          const first = Math.max(
            0,
            wanted.findLastIndex(({ time }) => time <= from + 1e-5),
          );
          expectSame(found, wanted.slice(first));
        }
      },
    ),
    { numRuns: 100 },
  );
  t.pass();
});

t.test('a seek in a file of an hour reads little of it and asks seldom', LIMIT, async (t) => {
  const random = seeded(3);
  const music = Array.from({ length: 180_000 }, (_, n) =>
    opusPacket(31, 1, 60 + Math.floor(random() * 600), n),
  );
  const bytes = oggFile(music, { segments: () => 120 });
  const memory = new MemoryBytes(bytes);
  const container = await open(memory);
  t.equal(container.info.durationMs, 3_600_000 - 6.5 + 0.5);
  for (let n = 0; n < 40; n++) {
    const from = random() * 3_600;
    const [fetched, asked] = [memory.fetched, memory.asked];
    const first = await (await container.packets(from)).next();
    t.ok(first !== null && first.time <= from && from - first.time < 0.02);
    t.strictSame(Buffer.from(first!.data), music[Math.round(first!.time * 50)]);
    t.ok(
      memory.fetched - fetched < 600_000,
      `${memory.fetched - fetched} of ${bytes.length} bytes at ${from}`,
    );
    t.ok(memory.asked - asked <= 30, `${memory.asked - asked} reads at ${from}`);
  }
});

t.test('a seek in a file whose bit rate changes in the middle reads little as well', LIMIT, async (t) => {
  const music = Array.from({ length: 60_000 }, (_, n) => opusPacket(31, 1, n < 50_000 ? 20 : 1_200, n));
  const memory = new MemoryBytes(oggFile(music, { segments: () => 200 }));
  const container = await open(memory);
  for (const from of [10, 500, 999, 999.99, 1_000.01, 1_001, 1_100, 1_199.99]) {
    const fetched = memory.fetched;
    const first = await (await container.packets(from)).next();
    t.equal(Math.round(first!.time * 50), Math.floor(from * 50 + 1e-9), `${from}`);
    t.ok(memory.fetched - fetched < 600_000, `${memory.fetched - fetched} bytes at ${from}`);
  }
});

t.test('behind the end there is the last packet', LIMIT, async (t) => {
  const packets = randomPackets(100, 5).filter(({ length }) => length > 0);
  const container = await open(new MemoryBytes(oggFile(packets)));
  const found = await packetsOf(container, 1_000);
  t.strictSame(
    found.map(({ data }) => Buffer.from(data)),
    [packets.at(-1)],
  );
});

t.test('a recording that was cut out of a longer one begins at 0', LIMIT, async (t) => {
  const music = Array.from({ length: 500 }, (_, n) => opusPacket(31, 1, 300, n));
  const pages = oggPages(music, { segments: () => 37 });
  // The granule positions of what follows are those of the whole.
  const bytes = Buffer.concat([joinPages(pages.slice(0, 2)), joinPages(pages.slice(10))]);
  const before = pages.slice(2, 10).reduce((sum, { packets }) => sum + packets, 0);
  for (const live of [false, true]) {
    const container = await open(new MemoryBytes(bytes, { live }));
    const found = await packetsOf(container);
    // The beginning of the first packet lies on a page that is gone.
    const first = music.findIndex((packet) => packet.equals(found[0]!.data));
    t.ok(first - before <= 1 && first >= before, `${first} behind ${before}`);
    t.equal(found[0]!.time, 0);
    t.equal(found.length, music.length - first);
    t.equal(found.at(-1)!.time, ((found.length - 1) * 960) / 48_000);
    if (live) continue;
    const [there] = await packetsOf(container, 3);
    t.strictSame(Buffer.from(there!.data), music[first + 150]);
    t.equal(container.info.durationMs, Math.round(((music.length - first) * 960 - 312) / 48));
  }
});

/** The packets of a file, and what has to come out. */
function written(
  { seed, most, largest, shift, trim }: FileShape,
  count: number,
): { bytes: Buffer; wanted: Wanted[] } {
  const packets = randomPackets(count, seed, most);
  packets.push(opusPacket(31, 1, 100, seed));
  const random = seeded(seed);
  const segments = (): number => 1 + Math.floor(random() * largest);
  const wanted: Wanted[] = [];
  let position = 0;
  for (const data of packets) {
    const samples = samplesOf(data);
    if (data.length > 0) wanted.push({ data, time: position / 48_000, duration: samples / 48_000 });
    position += samples;
  }
  return { bytes: oggFile(packets, { segments, shift, trim: Math.min(trim, position) }), wanted };
}

function source(bytes: Buffer, { way, piece }: { way: string; piece: number }, seed: number): MemoryBytes {
  const random = seeded(seed);
  const options: MemoryOptions = { pieces: () => 1 + Math.floor(random() * piece) };
  return new MemoryBytes(bytes, { ...options, live: way === 'live', forwardOnly: way === 'forwardOnly' });
}

/** As a reader does it. */
async function drained(cursor: PacketCursor): Promise<Packet[]> {
  const packets: Packet[] = [];
  for (;;) {
    const packet = cursor.ready?.() ?? (await cursor.next());
    if (packet === null) return packets;
    packets.push({ ...packet, data: packet.data.slice() });
  }
}

function expectSame(found: readonly Packet[], wanted: readonly Wanted[]): void {
  if (found.length !== wanted.length) throw new Error(`${found.length} packets instead of ${wanted.length}`);
  for (const [index, { data, time, duration }] of found.entries()) {
    const due = wanted[index]!;
    if (!due.data.equals(data)) throw new Error(`packet ${index} is another one`);
    if (Math.abs(due.time - time) > 1e-9) throw new Error(`packet ${index} at ${time}, not ${due.time}`);
    if (Math.abs(due.duration - duration) > 1e-9) throw new Error(`packet ${index} lasts ${duration}`);
  }
}
