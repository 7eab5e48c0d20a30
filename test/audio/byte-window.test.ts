// The window between a demuxer and a far end: every byte asked for once, exact reads, bounds, ends.
import * as fc from 'fast-check';
import t from 'tap';
import { ByteWindow } from '../../src/audio/byte-window.js';
import { AUDIO } from '../../src/shared/limits.js';
import { MemoryBytes } from './memory-bytes.js';

const LIMIT = { timeout: 10_000 };
const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const NEVER = new AbortController().signal;

t.test('any reads give exactly the bytes there are, in any pieces', LIMIT, async () => {
  const read = fc.tuple(fc.nat(210_000), fc.nat(40_000));
  await fc.assert(
    fc.asyncProperty(
      fc.array(read, { maxLength: 12 }),
      fc.integer({ min: 1, max: 30_000 }),
      fc.boolean(),
      async (reads, piece, walked) => {
        const window = new ByteWindow(new MemoryBytes(BYTES, { pieces: () => piece }), NEVER);
        if (walked) {
          await window.read(0, 12);
          window.walk();
        }
        for (const [offset, length] of reads) {
          const expected = BYTES.subarray(offset, offset + length);
          if (Buffer.compare(await window.read(offset, length), expected) !== 0)
            throw new Error(`${offset}+${length}`);
        }
      },
    ),
    { numRuns: 100 },
  );
});

t.test('walking forwards asks a far end without a way back for every byte once', LIMIT, async (t) => {
  for (const piece of [100, 5_000, 16_384, 100_000]) {
    const source = new MemoryBytes(BYTES, { live: true, pieces: () => piece });
    const window = new ByteWindow(source, NEVER);
    for (let at = 0; at < BYTES.length; at += 700) {
      await window.read(at, 7);
      await window.read(Math.max(0, at - 4_000), 4_700);
      await window.read(at, 700);
    }
    t.equal(source.fetched, BYTES.length, `in pieces of ${piece}`);
  }
});

t.test('a window that is walked through uses the same memory again', LIMIT, async (t) => {
  const window = new ByteWindow(new MemoryBytes(BYTES), NEVER);
  await window.read(0, 12);
  window.walk();
  const memory = new Set<ArrayBufferLike>();
  for (let at = 0; at + 10 < BYTES.length; at += 100) {
    const bytes = await window.read(at, 10);
    t.strictSame(bytes, BYTES.subarray(at, at + 10));
    if (bytes.buffer.byteLength > 10) memory.add(bytes.buffer);
  }
  t.ok(memory.size <= 3, `${memory.size} blocks`);
});

t.test('a jump on a far end without a way back loses nothing in between', LIMIT, async (t) => {
  const window = new ByteWindow(new MemoryBytes(BYTES, { live: true }), NEVER);
  t.strictSame(await window.read(60_000, 10), BYTES.subarray(60_000, 60_010));
  t.strictSame(await window.read(50_000, 10), BYTES.subarray(50_000, 50_010));
  t.equal((await window.read(300_000, 10)).length, 0);
});

t.test('reads at once are served in order', LIMIT, async (t) => {
  const window = new ByteWindow(new MemoryBytes(BYTES, { live: true, pieces: () => 999 }), NEVER);
  const parts = await Promise.all([0, 1, 2, 3, 4].map((n) => window.read(n * 5_000, 5_000)));
  t.strictSame(Buffer.concat(parts), Buffer.from(BYTES.subarray(0, 25_000)));
});

t.test('the budget, the largest element and closing are kept to', LIMIT, async (t) => {
  const source = new MemoryBytes(BYTES);
  const window = new ByteWindow(source, NEVER);
  window.limit(20_000);
  await t.rejects(window.read(0, 100_000), { code: 'PUM_FORMAT_UNKNOWN' });
  t.equal(source.fetched, 20_000);
  window.limit(Number.POSITIVE_INFINITY);
  await t.rejects(window.read(0, AUDIO.maxContainerRead + 1), { code: 'PUM_FORMAT_BROKEN' });
  window.close();
  t.ok(source.closed);
  await t.rejects(window.read(0, 10), { code: 'PUM_SOURCE_BROKEN' });
});
