// What a stall does to a sender (reliability.md case 3, decisions C8 and D9): at most three packets of a ring
// back to back, late and not lost. Runs in the test process, on a clock that is moved by hand.

import fc from 'fast-check';
import t from 'tap';
import { Mark } from '../../../src/shared/send-ring.js';
import { SenderSetting, spaced } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

t.test('a stall of 45 ms is caught up with three packets and keeps the grid', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.playing(0, 20);
  s.advance(10);
  s.clock.stall(55);
  s.advance(30);
  t.same(s.times(0), [1_000, 1_065, 1_065, 1_065, 1_080]);
  t.equal(s.count('bursts'), 1);
  t.equal(s.count('skipped'), 0);
});

for (const stall of [61, 100, 300, 1_000, 1_003, 60_000]) {
  t.test(`after a stall of ${stall} ms three packets leave together and none is lost`, LIMIT, async (t) => {
    const s = new SenderSetting();
    s.playing(0, 20);
    s.advance(5);
    s.clock.stall(stall);
    const woken = s.clock.now();
    s.advance(100);
    const times = s.times(0);
    t.same(times.slice(0, 4), [1_000, woken, woken, woken]);
    t.ok((times[4] ?? NaN) - woken >= 10, 'the next keeps at least half a frame of distance');
    t.equal((times[4] ?? NaN) % 20, 0, 'and the millisecond of its ring');
    t.same(s.numbers(0), [...times.keys()]);
    t.same(times.slice(4), spaced(times.length - 4, times[4] ?? NaN));
    t.equal(s.count('missed'), 0);
    const due = Math.floor((s.clock.now() - 1_000) / 20) + 1;
    t.equal(s.count('skipped') + times.length, due, 'every slot is a packet or given up');
  });
}

t.test('after a stall the rings stay spread', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shards = Array.from({ length: 20 }, (_, n) => s.playing(n, 20));
  s.advance(100);
  s.clock.stall(500);
  const before = shards.map(({ index }) => s.left(index).length);
  s.advance(35);
  const next = shards.map(({ index }, n) => (s.times(index)[(before[n] ?? 0) + 3] ?? NaN) % 20);
  t.equal(new Set(next).size, 20);
});

t.test('an END inside a burst ends it, and the next start does not make it longer', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 3);
  shard.publish(Mark.end);
  s.advance(5);
  s.clock.stall(500);
  s.advance(0);
  t.same(s.times(0), [1_000, 1_505, 1_505, 1_505]);
  t.same(s.heard('quiet'), [0]);
  shard.fill(1);
  s.control.start(0);
  s.advance(40);
  t.same(s.times(0).slice(4), [1_520]);
});

t.test('slots of a stall that found nothing are given up, not missed', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 3);
  s.advance(5);
  s.clock.stall(500);
  s.advance(0);
  t.same(s.times(0), [1_000, 1_505, 1_505]);
  t.equal(shard.writer.underruns, 0);
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), n: fc.integer({ min: 0, max: 90 }) }),
  fc.record({ kind: fc.constant('stall' as const), n: fc.integer({ min: 0, max: 400 }) }),
  fc.record({ kind: fc.constant('publish' as const), n: fc.integer({ min: 1, max: 8 }) }),
  fc.record({
    kind: fc.constantFrom('flush' as const, 'finish' as const, 'full' as const, 'drain' as const),
    n: fc.constant(0),
  }),
);

t.test(
  'whatever shard, socket and machine do, packets keep order and distance and none is lost',
  { timeout: 60_000 },
  async () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, even) => {
        const s = new SenderSetting({ now: even ? 1_000 : 1_000.37, rings: 2 });
        const shard = s.ring(1);
        const expected: number[] = [];
        const publish = (mark: number): void => {
          const idle = shard.writer.queued === 0;
          const number = shard.published & 0xff;
          if (!shard.publish(mark)) return;
          expected.push(number);
          if (idle) s.control.start(1);
        };
        for (const { kind, n } of steps) {
          if (kind === 'wait') s.advance(n);
          else if (kind === 'stall') s.clock.stall(n);
          else if (kind === 'publish') for (let i = 0; i < n; i++) publish(0);
          else if (kind === 'flush') expected.splice(expected.length - shard.writer.flush());
          else if (kind === 'finish') for (let i = 0; i < 5; i++) publish(i === 4 ? 2 | Mark.end : 2);
          else if (kind === 'full') s.udp.full = true;
          else s.udp.drain();
        }
        s.udp.drain();
        s.advance(1_500);
        const left = s.numbers(1);
        const times = s.times(1);
        return (
          left.length === expected.length &&
          left.every((number, n) => number === expected[n]) &&
          // Never more than three within 5 ms.
          times.every((at, n) => n < 3 || at - (times[n - 3] ?? 0) >= 5) &&
          shard.writer.queued === 0
        );
      }),
      { numRuns: 300 },
    );
  },
);
