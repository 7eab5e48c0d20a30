// What a stream keeps of what it has read: every byte where it was, and no memory that is not used again.
import * as fc from 'fast-check';
import t from 'tap';
import { KeptBytes } from '../../../src/shard/source/kept-bytes.js';

const LIMIT = { timeout: 20_000 };
const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 37 + (i >> 9)) & 255);

t.test('every byte that is kept is what it was, whatever was added and forgotten', LIMIT, async () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(20_000) }),
    fc.record({ forget: fc.nat(60_000), keep: fc.nat(40_000) }),
    fc.record({ peek: fc.nat(60_000), length: fc.integer({ min: 1, max: 20_000 }) }),
  );
  fc.assert(
    fc.property(fc.nat(5_000), fc.array(step, { maxLength: 60 }), (start, steps) => {
      const kept = new KeptBytes(start);
      for (const one of steps) {
        if ('add' in one) {
          kept.add(BYTES.subarray(kept.end, kept.end + one.add));
        } else if ('forget' in one) {
          const offset = kept.end - one.forget;
          const before = kept.from;
          kept.forget(offset, one.keep);
          // Only whole pieces go, and none that is wanted.
          if (kept.from > before && (kept.from > offset || kept.end - kept.from < one.keep)) return false;
        } else {
          const offset = kept.end - one.peek;
          const found = kept.peek(offset, one.length);
          if ((found !== null) !== (offset >= kept.from && offset < kept.end)) return false;
          if (found === null) continue;
          const meant = BYTES.subarray(offset, offset + found.length);
          if (found.length === 0 || found.length > one.length || Buffer.compare(found, meant) !== 0)
            return false;
        }
      }
      return true;
    }),
    { numRuns: 300 },
  );
});

t.test('a stream of any length lives in the same few pieces', LIMIT, (t) => {
  const kept = new KeptBytes(0);
  const memory = new Set<ArrayBufferLike>();
  for (let round = 0; round < 200; round++) {
    kept.add(BYTES.subarray(0, 10_000));
    const bytes = kept.peek(kept.end - 1, 1);
    if (bytes !== null) memory.add(bytes.buffer);
    kept.forget(kept.end, 16_384);
  }
  t.ok(kept.end - kept.from < 16_384 + 2 * 8_192);
  t.ok(memory.size <= 6, `${memory.size} pieces`);
  t.end();
});

t.test('what was cleared is not filled with other bytes', LIMIT, (t) => {
  const one = new KeptBytes(0);
  one.add(BYTES.subarray(0, 100));
  const view = one.peek(0, 100);
  one.clear();
  new KeptBytes(0).add(BYTES.subarray(1_000, 9_000));
  t.strictSame(view, BYTES.subarray(0, 100));
  t.equal(one.peek(0, 1), null);
  t.end();
});
