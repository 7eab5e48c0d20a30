// Bytes under a cursor: what is looked at is what lies there, also when somebody else reads through the same window.
import * as fc from 'fast-check';
import t from 'tap';
import { ByteWindow } from '../../src/audio/byte-window.js';
import { CursorBytes } from '../../src/audio/cursor-bytes.js';
import { seededBytes } from '../support/seeded.js';
import { MemoryBytes } from './memory-bytes.js';

const BYTES = seededBytes(200_000, 1);
const NEVER = new AbortController().signal;
const LIMIT = { timeout: 30_000 };

t.test('two cursors in one window see their own bytes', LIMIT, async () => {
  const step = fc.record({
    which: fc.nat(1),
    /** Where to jump; mostly it goes on. */
    jump: fc.option(fc.nat(BYTES.length + 100), { freq: 4 }),
    length: fc.oneof(fc.nat(40), fc.nat(20_000)),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 500, max: 9_000 }),
      async (steps, piece) => {
        const window = new ByteWindow(new MemoryBytes(BYTES, { pieces: () => piece }), NEVER);
        window.walk();
        const cursors = [new CursorBytes(window), new CursorBytes(window)];
        const places = [0, 0];
        for (const { which, jump, length } of steps) {
          const cursor = cursors[which]!;
          const at = jump ?? places[which]!;
          places[which] = at + length;
          const there = BYTES.subarray(at, at + length);
          let view = cursor.view(at, length);
          if (view === null && (await cursor.fetch())) view = cursor.view(at, length);
          if (view === null && (there.length === length || cursor.end !== at + there.length))
            throw new Error(`nothing at ${at}, the end at ${cursor.end}`);
          if (view !== null && Buffer.compare(view, there) !== 0) throw new Error(`other bytes at ${at}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});
