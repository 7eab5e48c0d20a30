// The packet window: indices that never change, what is dropped and what is kept.
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
