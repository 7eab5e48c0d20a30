// Opus in Matroska as it should be: whatever the layout of the clusters and however the bytes come, every packet
// comes out byte for byte at its raw time, from the beginning and from any other place.
import * as fc from 'fast-check';
import t from 'tap';
import type { PacketCursor } from '../../src/audio/container.js';
import { MatroskaContainer } from '../../src/audio/matroska-container.js';
import type { Packet } from '../../src/audio/packet.js';
import {
  matroskaFile,
  OPUS_TRACK,
  type Lacing,
  type MatroskaBlock,
  type MatroskaLayout,
} from '../support/matroska-file.js';
import { opusPacket } from '../support/ogg-pages.js';
import { seeded } from '../support/seeded.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 30_000 };
const TRACKS = [
  { number: 7, codec: 'V_VP8', type: 1 },
  { ...OPUS_TRACK, number: 300 },
];

const layouts = fc.record({
  seed: fc.nat(100_000),
  most: fc.constantFrom(60, 400, 3_000),
  lacing: fc.constantFrom<Lacing>('none', 'none', 'xiph', 'fixed', 'ebml'),
  group: fc.boolean(),
  live: fc.boolean(),
  litter: fc.boolean(),
  pictures: fc.boolean(),
  perCluster: fc.constantFrom(1, 5, 50),
  cues: fc.constantFrom<'front' | 'back' | 'none'>('front', 'back', 'none'),
  perCue: fc.constantFrom(1, 4),
  ahead: fc.constantFrom(0, 0, 777),
});
interface Layout extends MatroskaLayout {
  readonly seed: number;
  /** Bytes of the largest packet. */
  readonly most: number;
  readonly lacing: Lacing;
  readonly group: boolean;
  readonly pictures: boolean;
}

t.test('every packet comes out byte for byte at its raw time, however it was laid out', LIMIT, async (t) => {
  await fc.assert(
    fc.asyncProperty(
      layouts,
      fc.constantFrom('seekable', 'live', 'forwardOnly'),
      fc.constantFrom(3, 50, 700, 5_000, 100_000),
      async (layout, way, piece) => {
        const { bytes, packets } = written(layout, 60);
        const random = seeded(layout.seed);
        const container = await open(
          new MemoryBytes(bytes, {
            pieces: () => 1 + Math.floor(random() * piece),
            live: way === 'live',
            forwardOnly: way === 'forwardOnly',
          }),
        );
        if (!(container instanceof MatroskaContainer)) throw new Error('the library reads it');
        expectSame(await drained(await container.packets(0)), packets, 0);
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

t.test('from any time on come the packets from the last one that begins before it', LIMIT, async (t) => {
  await fc.assert(
    fc.asyncProperty(
      layouts,
      fc.array(fc.double({ min: 0, max: 1.1, noNaN: true }), { minLength: 1, maxLength: 5 }),
      async (layout, places) => {
        const { bytes, packets } = written(layout, 600);
        const container = await open(new MemoryBytes(bytes));
        for (const place of [...places, 0.5]) {
          const from = place * packets.length * 0.02;
          const found = await drained(await container.packets(from));
          const first = Math.floor((from + 1e-5) / 0.02 + 1e-9);
          expectSame(found, packets, Math.min(packets.length - 1, first));
        }
      },
    ),
    { numRuns: 100 },
  );
  t.pass();
});

t.test('what is there comes without a promise', LIMIT, async (t) => {
  const { bytes, packets } = written({ ...PLAIN, most: 300 }, 500);
  const container = await open(new MemoryBytes(bytes));
  const cursor = await container.packets(0);
  let waited = 0;
  let given = 0;
  for (;;) {
    const packet = cursor.ready?.() ?? (waited++, await cursor.next());
    if (packet === null) break;
    given++;
  }
  t.equal(given, packets.length);
  // Once for every 8 KB that are fetched, for what lies over their borders, and for the end.
  t.ok(waited <= 4 + 2 * Math.ceil(bytes.length / 8_192), `${waited} waits`);
});

for (const [name, layout, most] of [
  ['with cues behind it', { cues: 'back' }, 300_000],
  ['with cues in front of it', { cues: 'front', perCue: 3 }, 500_000],
  ['without cues', { cues: 'none' }, 600_000],
  ['as it was sent live', { cues: 'none', live: true }, 600_000],
] as const satisfies readonly (readonly [string, MatroskaLayout, number])[]) {
  t.test(`a seek in a file of an hour ${name} reads little of it`, LIMIT, async (t) => {
    const random = seeded(3);
    const music = Array.from({ length: 180_000 }, (_, n) =>
      opusPacket(31, 1, 60 + Math.floor(random() * 300), n),
    );
    const { bytes } = matroskaFile(
      music.map((packet, n) => ({ time: n * 20, frames: [packet] })),
      { perCluster: 250, ...layout },
    );
    const memory = new MemoryBytes(bytes);
    const container = await open(memory);
    t.ok(container instanceof MatroskaContainer);
    await (await container.packets(1_800)).next();
    for (let n = 0; n < 30; n++) {
      const from = 1 + random() * 3_590;
      const fetched = memory.fetched;
      const first = await (await container.packets(from)).next();
      t.equal(Math.round(first!.time * 50), Math.floor(from * 50), `${from}`);
      t.ok(music[Math.floor(from * 50)]!.equals(first!.data));
      t.ok(
        memory.fetched - fetched < most,
        `${memory.fetched - fetched} of ${bytes.length} bytes at ${from}`,
      );
    }
  });
}

t.test('cues that lie cost time and no packet', LIMIT, async (t) => {
  const { packets, blocks } = written({ ...PLAIN, most: 600 }, 3_000);
  const honest = matroskaFile(blocks, { perCluster: 50, cues: 'back' });
  for (const lie of [5_000, -5_000, 10 ** 12]) {
    const bytes = Buffer.from(honest.bytes);
    const cues = bytes.lastIndexOf(Buffer.from('1c53bb6b', 'hex'));
    for (let at = bytes.indexOf('f188', cues, 'hex'); at >= 0; at = bytes.indexOf('f188', at + 10, 'hex'))
      bytes.writeBigUInt64BE(BigInt(Math.max(0, Number(bytes.readBigUInt64BE(at + 2)) + lie)), at + 2);
    const memory = new MemoryBytes(bytes);
    const container = await open(memory);
    await (await container.packets(30)).next();
    const before = memory.fetched;
    const first = await (await container.packets(55)).next();
    t.equal(first!.time, 55);
    // Places off by a little are looked for around where they should be.
    if (lie === 5_000) t.ok(memory.fetched - before < 200_000, `${memory.fetched - before} bytes`);
    for (const from of [1, 7.3, 19, 3.33]) {
      const found = await packetsOf(container, from);
      expectSame(found, packets, Math.floor(from * 50 + 1e-6));
    }
  }
});

t.test(
  'where a hole lies at the time, the packet before it comes first, whatever follows',
  LIMIT,
  async (t) => {
    const [small, large] = [opusPacket(31, 1, 100, 1), opusPacket(31, 1, 60_000, 2)];
    const blocks = [small, large].map((packet, n) => ({ time: n * 10_000, frames: [packet] }));
    const container = await open(new MemoryBytes(matroskaFile(blocks).bytes, { pieces: () => 3_000 }));
    for (const from of [3, 9.9]) {
      const found = await packetsOf(container, from);
      t.strictSame(
        found.map(({ data }) => Buffer.from(data)),
        [small, large],
      );
      t.strictSame(
        found.map(({ time }) => time),
        [0, 10],
      );
    }
  },
);

t.test('a packet that is held until the next one has come stays what it was', LIMIT, async (t) => {
  const packets = Array.from({ length: 40 }, (_, n) => opusPacket(31, 1, n % 2 === 0 ? 500 : 40_000, n));
  const { bytes } = matroskaFile(
    packets.map((packet, n) => ({ time: n * 20, frames: [packet] })),
    { tracks: [{ number: 1, codec: 'A_PCM/INT/LIT' }] },
  );
  const container = await open(new MemoryBytes(bytes, { pieces: () => 3_000 }));
  t.ok(container instanceof MatroskaContainer);
  expectSame((await packetsOf(container)).slice(0, -1), packets.slice(0, -1), 0);
});

t.test('the title in the segment is found, also where it cannot be gone back to', LIMIT, async (t) => {
  const { bytes } = matroskaFile(written(PLAIN, 20).blocks, { title: 'Lava' });
  for (const live of [false, true])
    t.equal((await open(new MemoryBytes(bytes, { live }))).info.title, 'Lava');
});

t.test('behind the end there is the last packet', LIMIT, async (t) => {
  for (const cues of ['back', 'none'] as const) {
    const { bytes, packets } = written({ ...PLAIN, cues }, 400);
    expectSame(await packetsOf(await open(new MemoryBytes(bytes)), 1_000), packets, 399);
  }
  t.pass();
});

const PLAIN: Layout = {
  seed: 1,
  most: 200,
  lacing: 'none',
  group: false,
  live: false,
  litter: false,
  pictures: false,
  perCluster: 50,
  cues: 'back',
  perCue: 1,
};

/** Packets of 20 ms, laced by threes where they are. */
function written(
  layout: Layout,
  count: number,
): { bytes: Buffer; packets: Buffer[]; blocks: MatroskaBlock[] } {
  const random = seeded(layout.seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const fixed = 2 + below(layout.most);
  const packets = Array.from({ length: count }, (_, n) =>
    opusPacket(31, 1, layout.lacing === 'fixed' ? fixed : 2 + below(layout.most), layout.seed * 65_537 + n),
  );
  const each = layout.lacing === 'none' ? 1 : 3;
  const track = layout.pictures ? 300 : 1;
  const blocks: MatroskaBlock[] = [];
  for (let at = 0; at < count; at += each) {
    const frames = packets.slice(at, at + each);
    if (layout.pictures && at % 9 === 0)
      blocks.push({ track: 7, time: at * 20, frames: [Buffer.alloc(below(9_000), 0xa3)] });
    const group = layout.group ? { group: frames.length * 20 } : {};
    blocks.push({ track, time: at * 20, frames, lacing: layout.lacing, ...group });
  }
  const { bytes } = matroskaFile(blocks, {
    ...layout,
    ...(layout.pictures ? { tracks: TRACKS, cueTrack: 7 } : {}),
  });
  return { bytes, packets, blocks };
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

function expectSame(found: readonly Packet[], all: readonly Buffer[], first: number): void {
  if (found.length !== all.length - first)
    throw new Error(`${found.length} packets instead of ${all.length - first}`);
  for (const [index, { data, time, duration }] of found.entries()) {
    const n = first + index;
    if (!all[n]!.equals(data)) throw new Error(`packet ${n} is another one`);
    if (Math.abs(n * 0.02 - time) > 1e-9) throw new Error(`packet ${n} at ${time}`);
    if (Math.abs(duration - 0.02) > 1e-9) throw new Error(`packet ${n} lasts ${duration}`);
  }
}
