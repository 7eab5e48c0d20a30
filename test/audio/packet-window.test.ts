// The packet window: indices that never change, what is dropped and what is kept, and bytes that stay as they
// are while a view of them is in use.
import fc from 'fast-check';
import t from 'tap';
import type { Packet } from '../../src/audio/packet.js';
import { PacketWindow } from '../../src/audio/packet-window.js';

const packet = (n: number): Packet => ({ data: new Uint8Array(10), time: n * 0.02, duration: 0.02 });

t.test('packets keep their index while older ones are dropped', { timeout: 5_000 }, async (t) => {
  const window = new PacketWindow();
  for (let n = 0; n < 500; n++) window.push(packet(n));
  window.dropBefore(4 + 1e-9);
  t.equal(window.first, 200);
  t.equal(window.next, 500);
  t.equal(window.bytes, 3_000);
  t.equal(window.get(199), undefined);
  t.equal(window.get(200)?.time, 4);
  t.equal(window.get(499)?.time, 499 * 0.02);
  t.equal(window.get(500), undefined);
});

t.test('the newest packet is never dropped', { timeout: 5_000 }, async (t) => {
  const window = new PacketWindow();
  for (let n = 0; n < 5; n++) window.push(packet(n));
  window.dropBefore(1_000);
  t.equal(window.first, 4);
  t.equal(window.end, 0.1);
});

t.test('a time is found at the packet that it lies in', { timeout: 5_000 }, async (t) => {
  const window = new PacketWindow();
  for (let n = 0; n < 100; n++) window.push(packet(n));
  t.equal(window.indexAt(0), 0);
  t.equal(window.indexAt(0.021), 1);
  t.equal(window.indexAt(50), 99);
  window.dropBefore(1.0001);
  t.equal(window.indexAt(0.5), 50, 'a time that was dropped gives the oldest packet kept');
});

t.test(
  'a start is covered only while nothing of its run-up has been dropped',
  { timeout: 5_000 },
  async (t) => {
    const window = new PacketWindow();
    t.notOk(window.covers(0, 0), 'an empty window covers nothing');
    for (let n = 0; n < 100; n++) window.push(packet(n));
    t.ok(window.covers(-1, 0.5), 'before the source begins there is nothing to miss');
    t.notOk(window.covers(0, 2.5));
    window.dropBefore(1.0001);
    t.ok(window.covers(1, 1.5));
    t.notOk(window.covers(0.9, 1.5));
  },
);

t.test('bytes and indices stay consistent whatever is pushed and dropped', { timeout: 10_000 }, async () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant('push' as const), fc.double({ min: 0, max: 20, noNaN: true })), {
        maxLength: 400,
      }),
      (steps) => {
        const window = new PacketWindow();
        let pushed = 0;
        for (const step of steps) {
          if (step === 'push') window.push(packet(pushed++));
          else window.dropBefore(step);
          let bytes = 0;
          for (let at = window.first; at < window.next; at++) bytes += window.get(at)?.data.byteLength ?? NaN;
          if (bytes !== window.bytes || window.next !== pushed) return false;
        }
        return true;
      },
    ),
    { numRuns: 200 },
  );
});

/** Bytes that only packet `n` has. */
const filled = (n: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (n * 31 + at * 7) & 0xff);

t.test('everything a packet says is given back', { timeout: 5_000 }, async (t) => {
  const window = new PacketWindow();
  const said: Packet[] = [
    { data: filled(0, 3), time: -0.0065, duration: 0.02 },
    { data: filled(1, 0), time: 1 / 3, duration: 0 },
    { data: filled(2, 65_536), time: 1e9 + 0.1, duration: 0.06 },
    { data: filled(3, 8_192), time: NaN, duration: 1 / 48_000 },
    { data: filled(4, 8_193), time: 2, duration: 0.5 },
    { data: filled(5, 0), time: 3, duration: 0.5 },
  ];
  for (const packet of said) window.push(packet);
  for (const [index, packet] of said.entries()) t.same(window.get(index), packet);
  t.same(window.get(2), said[2], 'in any order');
});

t.test('a packet is kept whole when what it was read from is used again', { timeout: 5_000 }, async (t) => {
  const window = new PacketWindow();
  const piece = new Uint8Array(64 * 1_024);
  for (const [index, length] of [200, 9_000].entries()) {
    piece.set(filled(index, length), 100);
    window.push({ data: piece.subarray(100, 100 + length), time: index, duration: 1 });
    piece.fill(0);
    t.same(window.get(index)?.data, filled(index, length));
  }
});

t.test('a view shows the same bytes until its packet is dropped', { timeout: 10_000 }, async () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 1_500 }) },
          { weight: 1, arbitrary: fc.integer({ min: 1_500, max: 20_000 }) },
          { weight: 2, arbitrary: fc.integer({ min: -60, max: -1 }) },
        ),
        { maxLength: 200 },
      ),
      (steps) => {
        const window = new PacketWindow();
        const views: Uint8Array[] = [];
        const sizes: number[] = [];
        for (const step of steps) {
          if (step < 0) window.dropBefore((window.first - step) * 0.02);
          else {
            window.push({ ...packet(sizes.length), data: filled(sizes.length, step) });
            views.push(window.get(sizes.length)?.data ?? new Uint8Array());
            sizes.push(step);
          }
          for (let at = window.first; at < window.next; at++) {
            const made = filled(at, sizes[at] ?? NaN);
            const again = window.get(at)?.data;
            if (!again || Buffer.compare(made, again) !== 0) return false;
            if (Buffer.compare(made, views[at] ?? new Uint8Array()) !== 0) return false;
          }
        }
        return true;
      },
    ),
    { numRuns: 100 },
  );
});

t.test('a window that is filled and emptied uses the same memory again', { timeout: 10_000 }, async (t) => {
  const window = new PacketWindow();
  const memories = new Set<ArrayBufferLike>();
  const count = 250 * 40;
  for (let n = 0; n < count; n++) {
    window.push({ data: filled(n, 320), time: n * 0.02, duration: 0.02 });
    window.dropBefore((n - 250) * 0.02);
    const buffer = window.get(n)?.data.buffer;
    if (buffer) memories.add(buffer);
  }
  let held = 0;
  for (const memory of memories) held += memory.byteLength;
  t.ok(held >= 250 * 320, 'five seconds at 128 kbit/s are there');
  t.ok(held <= 1.35 * 250 * 320, `in ${String(held)} bytes, for ${String(count)} packets`);
});
