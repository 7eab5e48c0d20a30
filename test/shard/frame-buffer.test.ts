// The frame buffer keeps the newest frames, whole, in slots that are used again.
import t from 'tap';
import { FrameBuffer } from '../../src/shard/frame-buffer.js';

t.test(
  'frames come back whole until as many have followed as the buffer holds',
  { timeout: 5_000 },
  async (t) => {
    const buffer = new FrameBuffer(4);
    const scratch = new Uint8Array(1_275);
    for (let n = 0; n < 10; n++) {
      scratch.fill(n + 1, 0, 100 + n * 50);
      buffer.put(scratch, 100 + n * 50, n * 0.02);
    }
    t.equal(buffer.made, 10);
    t.equal(buffer.oldest, 6);
    t.equal(buffer.get(5), null);
    t.equal(buffer.get(10), null);
    for (let n = 6; n < 10; n++) {
      const frame = buffer.get(n);
      t.equal(frame?.byteLength, 100 + n * 50);
      t.ok(frame?.every((byte) => byte === n + 1));
      t.equal(buffer.startOf(n), n * 0.02);
    }
  },
);

t.test('a slot that is large enough is used again', { timeout: 5_000 }, async (t) => {
  const buffer = new FrameBuffer(2);
  const scratch = new Uint8Array(1_275);
  buffer.put(scratch, 300, 0);
  const before = buffer.get(0)?.buffer;
  buffer.put(scratch, 300, 0);
  buffer.put(scratch, 260, 0);
  t.equal(buffer.get(2)?.buffer, before);
});
