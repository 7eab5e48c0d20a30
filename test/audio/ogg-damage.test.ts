// Opus in Ogg as it comes from strangers: streams one behind the other, lost pages, times that jump, rubbish, cuts,
// several streams at once, and what is not ours to read. Packets go on, time never goes back, and memory is bounded.
import * as fc from 'fast-check';
import t from 'tap';
import { OggOpusContainer } from '../../src/audio/ogg-opus.js';
import type { Packet } from '../../src/audio/packet.js';
import { ServerError } from '../../src/shared/errors.js';
import { AUDIO } from '../../src/shared/limits.js';
import { fixture } from '../support/fixtures.js';
import { libraryPackets } from '../support/library-packets.js';
import {
  joinPages,
  oggFile,
  oggPages,
  opusPacket,
  randomPackets,
  type OggLayout,
  type WrittenPage,
} from '../support/ogg-pages.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 30_000 };
const PER_PAGE = 10;

t.test('streams one behind the other are one timeline, whatever lies in their tags', LIMIT, async (t) => {
  const all = music(300);
  const cover = `METADATA_BLOCK_PICTURE=${'A'.repeat(3_000_000)}`;
  const parts = [
    file(all.slice(0, 100)),
    file(all.slice(100, 200), { serial: 2, comments: [cover, 'TITLE=Another'], shift: 20 * 48_000 }),
    // A third one that has the number of the first.
    file(all.slice(200), { trim: 5 }),
  ];
  for (const live of [false, true]) {
    const container = await open(new MemoryBytes(Buffer.concat(parts), { live }));
    const found = await packetsOf(container);
    t.strictSame(found.map(bytesOf), all);
    t.strictSame(
      found.map(({ time }) => Math.round(time * 50)),
      all.map((_, n) => n),
    );
  }
});

t.test('of a stream of another kind that follows nothing is taken for sound', LIMIT, async (t) => {
  const all = music(100);
  const surround = file(music(50), { serial: 9, channels: 6 });
  const again = file(all.slice(50), { serial: 3 });
  // The same number as before, and one of its own.
  for (const vorbis of [fixture('oggVorbis', 0.5).bytes, file(music(50), { channels: 6 }), surround]) {
    const bytes = Buffer.concat([file(all.slice(0, 50)), vorbis, again]);
    const found = await packetsOf(await open(new MemoryBytes(bytes, { live: true })));
    t.strictSame(found.map(bytesOf), all);
    t.equal(found.at(-1)!.time, 99 / 50);
  }
});

t.test('where pages are missing, time jumps by what is missing', LIMIT, async (t) => {
  const all = music(1_000);
  const pages = oggPages(all, { segments: () => PER_PAGE });
  const bytes = joinPages([...pages.slice(0, 22), ...pages.slice(37)]);
  const found = await packetsOf(await open(new MemoryBytes(bytes)));
  t.ok(found.length > 800);
  for (const packet of found) {
    const index = all.findIndex((other) => other.equals(packet.data));
    if (Math.round(packet.time * 50) !== index) t.fail(`packet ${index} at ${packet.time}`);
  }
});

t.test('of a packet of which a page is missing nothing comes out', LIMIT, async (t) => {
  const all = Array.from({ length: 60 }, (_, n) => opusPacket(31, 1, 3_000, n));
  const pages = oggPages(all, { segments: () => 5 });
  for (const gone of [10, 11, 40]) {
    const bytes = joinPages(pages.filter((_, n) => n !== gone));
    for (const options of [{}, { live: true }]) {
      const found = await packetsOf(await open(new MemoryBytes(bytes, options)));
      t.ok(found.length >= 57 && found.length < 60, `${found.length} packets`);
      t.ok(
        found.every(({ data }) => all.some((other) => other.equals(data))),
        'none is made of two',
      );
    }
  }
});

t.test('more than a minute is no hole but another count', LIMIT, async (t) => {
  const all = music(4_000);
  const pages = oggPages(all, { segments: () => PER_PAGE });
  const bytes = joinPages([...pages.slice(0, 22), ...pages.slice(pages.length - 20)]);
  const found = await packetsOf(await open(new MemoryBytes(bytes, { live: true })));
  t.ok(found.at(-1)!.time < (found.length + 2) / 50, `${found.at(-1)!.time}`);
});

t.test(
  'where a hole lies at the time, the packet before it comes first, whatever follows',
  LIMIT,
  async (t) => {
    const all = music(1_000);
    // Behind the hole there is a page that is larger than what is kept of the bytes before.
    const pages = oggPages(all, { segments: (page) => (page < 40 ? 20 : 255) });
    const bytes = joinPages([...pages.slice(0, 12), ...pages.slice(42)]);
    const container = await open(new MemoryBytes(bytes, { pieces: () => 3_000 }));
    const found = await packetsOf(container);
    const hole = found.findIndex(({ time }, n) => time - (found[n - 1]?.time ?? 0) > 1);
    t.ok(hole > 0);
    const sought = await packetsOf(container, found[hole]!.time - 0.5);
    t.strictSame(sought.map(bytesOf), found.slice(hole - 1).map(bytesOf));
  },
);

t.test('granule positions that jump about never turn time back', LIMIT, async (t) => {
  const all = music(400);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ page: fc.nat(39), by: fc.integer({ min: -(10 ** 7), max: 10 ** 7 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.boolean(),
      async (jumps, live) => {
        const pages = oggPages(all, { segments: () => 20 });
        for (const { page, by } of jumps) {
          const { bytes, granule } = pages[2 + (page % (pages.length - 2))]!;
          bytes.writeBigInt64LE(BigInt(granule + by), 6);
        }
        const container = await open(new MemoryBytes(joinPages(pages), { live }));
        const found = await packetsOf(container);
        if (found.length !== all.length) throw new Error(`${found.length} packets`);
        for (const [n, { time }] of found.entries())
          if (n > 0 && time < found[n - 1]!.time + 0.02 - 1e-9) throw new Error(`back to ${time}`);
        // A minute a jump, and the way back is none.
        if (found.at(-1)!.time > 8 + 60 * jumps.length) throw new Error('time ran away');
        if (!live) for (const from of [1, 4, 7.9, 100]) await packetsOf(container, from);
      },
    ),
    { numRuns: 150 },
  );
  t.pass();
});

t.test('rubbish between pages is stepped over', LIMIT, async (t) => {
  const all = music(500);
  const pages = oggPages(all, { segments: () => PER_PAGE });
  const capture = Buffer.from('OggS\0\0 this is no page of that stream, but begins like one');
  const rubbish = Buffer.concat([Buffer.alloc(20_000, 0x4f), capture, Buffer.alloc(70_000, 0x67)]);
  const bytes = Buffer.concat([joinPages(pages.slice(0, 20)), rubbish, joinPages(pages.slice(20))]);
  for (const options of [{}, { live: true }, { pieces: (n: number) => 1 + ((n * 97) % 1_500) }]) {
    const found = await packetsOf(await open(new MemoryBytes(bytes, options)));
    t.ok(found.length >= all.length - 1, `${found.length} packets`);
    for (const packet of found) {
      const index = all.findIndex((other) => other.equals(packet.data));
      if (Math.round(packet.time * 50) !== index) t.fail(`packet ${index} at ${packet.time}`);
    }
  }
});

t.test('what is rubbish to the end is not searched for ever', LIMIT, async (t) => {
  const memory = new MemoryBytes(Buffer.concat([file(music(50)), Buffer.alloc(5_000_000, 0x55)]), {
    live: true,
  });
  t.equal((await packetsOf(await open(memory))).length, 50);
  t.ok(memory.fetched < 700_000, `${memory.fetched} bytes`);
});

t.test('a file that is cut anywhere plays to the cut', { timeout: 60_000 }, async (t) => {
  const all = randomPackets(60, 7, 90).filter(({ length }) => length > 0);
  const pages = oggPages(all, { segments: (page) => 1 + ((page * 5) % 9) });
  const bytes = joinPages(pages);
  const start = pages[0]!.bytes.length + pages[1]!.bytes.length;
  for (let cut = start; cut < bytes.length; cut++) {
    const found = await packetsOf(await open(new MemoryBytes(bytes.subarray(0, cut))));
    const whole = packetsBefore(pages, cut);
    if (found.length < whole || found.length > whole + 10) t.fail(`${found.length} of ${whole} at ${cut}`);
    if (!found.every(({ data }, n) => all[n]!.equals(data))) t.fail(`other packets at ${cut}`);
  }
  for (let cut = 0; cut < start; cut++)
    await t.rejects(open(new MemoryBytes(bytes.subarray(0, cut))), ServerError, `${cut}`);
});

t.test('two streams at once, and more than two channels, are left to the library', LIMIT, async (t) => {
  const [ours, other] = [music(200), music(200, 77)];
  const a = oggPages(ours, { serial: 1, segments: () => PER_PAGE });
  const b = oggPages(other, { serial: 2, segments: () => PER_PAGE });
  const mixed = joinPages(a.flatMap((page, n) => [page, b[n]!]));
  const container = await open(new MemoryBytes(mixed));
  t.notOk(container instanceof OggOpusContainer);
  t.strictSame((await packetsOf(container)).map(bytesOf), ours);

  const surround = await open(new MemoryBytes(file(music(200), { channels: 6 })));
  t.notOk(surround instanceof OggOpusContainer);
  t.equal(surround.info.format.channels, 6);
  t.equal(
    (await packetsOf(surround)).length,
    (await libraryPackets(file(music(200), { channels: 6 }))).length,
  );
});

t.test('a packet that goes on over many pages is refused before it fills memory', LIMIT, async (t) => {
  const endless = opusPacket(31, 1, 3_000_000, 1);
  const memory = new MemoryBytes(file([...music(20), endless], { segments: () => 255 }), { live: true });
  const cursor = await (await open(memory)).packets(0);
  const drain = async (): Promise<void> => {
    while ((await cursor.next()) !== null);
  };
  await t.rejects(drain(), { code: 'PUM_FORMAT_BROKEN' });
  t.ok(memory.fetched <= 4 * AUDIO.maxPacket, `${memory.fetched} bytes`);
  // The largest that is allowed comes out.
  const large = opusPacket(31, 1, AUDIO.maxPacket, 2);
  const found = await packetsOf(await open(new MemoryBytes(file([...music(3), large, ...music(3)]))));
  t.ok(large.equals(found[3]!.data));
});

t.test(
  'a real file with bytes changed gives packets in order or a code of ours',
  { timeout: 60_000 },
  async (t) => {
    const real = fixture('oggOpus', 3).bytes;
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      /** Near the beginning of a page, where its head lies. */
      head: fc.boolean(),
      byte: fc.nat(255),
    });
    const heads = positionsOf(real, 'OggS');
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 15 }),
        fc.constantFrom({}, { live: true }, { forwardOnly: true }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        async (mutations, options, from) => {
          const damaged = Buffer.from(real);
          for (const { at, head, byte } of mutations) {
            const page = heads[Math.floor(at * (heads.length - 1))]!;
            damaged[head ? page + ((byte * 7) % 60) : Math.floor(at * (real.length - 1))] = byte;
          }
          try {
            const memory = new MemoryBytes(damaged, options);
            const container = await open(memory);
            inOrder(await packetsOf(container));
            if (memory.seekable) inOrder(await packetsOf(container, from));
          } catch (error) {
            if (!(error instanceof ServerError)) throw error;
          }
        },
      ),
      { numRuns: 300 },
    );
    t.pass();
  },
);

/** Packets of 20 ms. */
function music(count: number, seed = 1): Buffer[] {
  return Array.from({ length: count }, (_, n) => opusPacket(31, 1, 40 + ((n * 53) % 500), seed * 10_007 + n));
}

function file(packets: readonly Uint8Array[], layout: OggLayout = {}): Buffer {
  return oggFile(packets, layout);
}

function bytesOf({ data }: Packet): Buffer {
  return Buffer.from(data);
}

/** Packets on whole pages in front of a place. */
function packetsBefore(pages: readonly WrittenPage[], cut: number): number {
  let end = 0;
  let packets = -2;
  for (const page of pages) {
    end += page.bytes.length;
    if (end > cut) break;
    packets += page.packets;
  }
  return packets;
}

function positionsOf(bytes: Buffer, text: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push(at);
  return found;
}

function inOrder(packets: readonly Packet[]): void {
  if (packets.length > 5_000) throw new Error('there is no end to it');
  for (const [n, { time }] of packets.entries()) {
    if (!Number.isFinite(time)) throw new Error(`packet ${n} at ${time}`);
    if (n > 0 && time < packets[n - 1]!.time) throw new Error(`packet ${n} goes back`);
  }
}
