// The collector of request bodies.
import fc from 'fast-check';
import t from 'tap';

import { BodyBuffer } from '../../../src/main/http/body-buffer.js';

const timeout = 10_000;

void t.test('chunks are joined in order, up to the ceiling and not beyond', { timeout }, async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(chunks, fc.nat(20_000), (chunks, ceiling) => {
      const buffer = new BodyBuffer(ceiling);
      let length = 0;
      for (const chunk of chunks) {
        length += chunk.length;
        if (buffer.append(chunk) !== length <= ceiling) return false;
        if (length > ceiling) return buffer.bytes().length === 0;
      }
      return Buffer.concat(chunks).equals(buffer.bytes());
    }),
    { numRuns: 200 },
  );
});

void t.test('a chunk is copied', { timeout }, async (t) => {
  const buffer = new BodyBuffer(10);
  const chunk = Uint8Array.of(1, 2);
  buffer.append(chunk);
  chunk.fill(9);
  t.same([...buffer.bytes()], [1, 2]);
});
