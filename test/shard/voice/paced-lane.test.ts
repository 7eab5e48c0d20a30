// One connection's lane on a clock that is moved by hand: its queue, silence, gaps, misses and holds, and that
// they are right whatever a player does. Runs in the test process.

import fc from 'fast-check';
import t from 'tap';
import { DRIVER } from '../../../src/shared/driver-words.js';
import { SentRow } from '../../../src/shared/sent-row.js';
import { SendResult } from '../../../src/shard/voice/paced-lane.js';
import { pacedSetting } from '../../support/paced-player.js';
import { TestRow } from '../../support/player-row.js';

const spaced = (count: number, from: number): number[] =>
  Array.from({ length: count }, (_, n) => from + n * 20);

t.test('a third frame is not accepted', { timeout: 10_000 }, async (t) => {
  const { add } = pacedSetting();
  const player = add();
  t.equal(player.lane.room(), 2);
  player.push();
  t.equal(player.lane.room(), 1);
  player.push();
  t.equal(player.lane.room(), 0);
  t.throws(() => player.push(), { code: 'PUM_VOICE_FAILED' });
  t.equal(player.lane.flush(), 2);
  t.equal(player.lane.room(), 2);
  t.equal(player.lane.flush(), 0);
});

t.test('a push sends nothing by itself', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.push();
  t.same(player.times, []);
  clock.advance(0);
  t.same(player.times, [1_000]);
});

t.test(
  'an empty queue is missed once per slot, and the next frame carries the gap',
  { timeout: 10_000 },
  async (t) => {
    const { clock, pacer, add } = pacedSetting();
    const player = add();
    player.push();
    clock.advance(70);
    t.same(player.missedAt, [1_020, 1_040, 1_060]);
    player.push();
    player.push();
    clock.advance(40);
    t.same(
      player.left.map(({ at, gap }) => [at, gap]),
      [
        [1_000, 0],
        [1_080, 3],
        [1_100, 0],
      ],
    );
    t.equal(pacer.counters[DRIVER.missed], 3);
  },
);

t.test(
  'finish sends what is queued, then five silence frames, then speaking goes off',
  { timeout: 10_000 },
  async (t) => {
    const { clock, pacer, add } = pacedSetting();
    const player = add();
    player.push();
    player.push();
    player.lane.finish();
    clock.advance(1_000);
    t.same(player.frames, [0, 1, -1, -1, -1, -1, -1]);
    t.same(player.times, spaced(7, 1_000));
    t.same(player.quietAt, [1_120], 'together with the fifth');
    t.equal(player.told.length, 2, 'silence frames are not told');
    t.same(player.missedAt, []);
    t.equal(clock.pending, 0, 'a parked connection sets no timer');
    t.equal(pacer.counters[DRIVER.silence], 5);
  },
);

t.test('a pause of 300 ms advances the timestamp by the gap', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.push();
  player.lane.finish();
  clock.advance(100);
  t.equal(player.left.length, 6);
  clock.advance(305);
  player.push();
  clock.advance(40);
  t.same(player.left.at(-1), { frame: 1, gap: 15, at: 1_420 }, 'slots 1120 to 1400 were empty');
});

t.test('a pause shorter than a slot leaves no gap', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.push();
  player.lane.finish();
  clock.advance(101);
  player.push();
  clock.advance(19);
  t.same(player.left.at(-1), { frame: 1, gap: 0, at: 1_120 });
});

t.test('a frame pushed among the silence frames goes on without a gap', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.push();
  player.lane.finish();
  clock.advance(45);
  player.push();
  clock.advance(20);
  t.same(player.frames, [0, -1, -1, 1]);
  t.same(player.quietAt, []);
});

t.test('finish without a frame sent sends nothing', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.lane.finish();
  player.push();
  t.equal(player.lane.flush(), 1);
  player.lane.finish();
  clock.advance(200);
  t.same(player.left, []);
  t.same(player.quietAt, []);
  t.equal(clock.pending, 0);
});

t.test(
  'flush and finish in a pause leave five silence frames behind what was sent',
  { timeout: 10_000 },
  async (t) => {
    const { clock, add } = pacedSetting();
    const player = add();
    player.push();
    player.push();
    clock.advance(0);
    t.equal(player.lane.flush(), 1);
    player.lane.finish();
    clock.advance(200);
    t.same(player.frames, [0, -1, -1, -1, -1, -1]);
  },
);

t.test('a held connection keeps its frames and the gap', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.verdict = SendResult.held;
  player.fill();
  clock.advance(45);
  t.same([player.left, player.told, player.missedAt], [[], [], []]);
  player.verdict = SendResult.sent;
  clock.advance(20);
  t.same(player.left, [{ frame: 0, gap: 3, at: 1_060 }]);
});

t.test(
  'a frame that is given up is told with its reason, and is a gap for the next',
  { timeout: 10_000 },
  async (t) => {
    for (const [verdict, why] of [
      [SendResult.withheld, 'ring'],
      [SendResult.failed, 'socket'],
    ] as const) {
      const { clock, add } = pacedSetting();
      const player = add();
      player.verdict = verdict;
      player.fill();
      clock.advance(5);
      t.same(player.givenUp, [why]);
      player.verdict = SendResult.sent;
      clock.advance(20);
      t.same(player.left, [{ frame: 1, gap: 1, at: 1_020 }]);
    }
  },
);

t.test("what leaves is in the player's row, and nothing else is", { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const row = new TestRow();
  const player = add(new SentRow(row.place));
  player.fill();
  clock.advance(25);
  t.same([row.positionMs, row.at], [40, 1_020]);
  player.fill();
  player.verdict = SendResult.failed;
  clock.advance(20);
  player.verdict = SendResult.sent;
  t.same([row.positionMs, row.at], [40, 1_020], 'a frame that did not leave moves nothing');
  clock.stall(35);
  clock.advance(60);
  player.lane.finish();
  clock.advance(200);
  t.equal(row.word('sent'), 3);
  t.equal(row.bucketed, 3, 'silence is not among them');
  t.ok(row.word('maxLate') >= 10);
  t.ok(row.word('emptied') > 0);
});

t.test('runsOutAt is when the last queued frame leaves', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  add();
  const player = add();
  t.equal(player.lane.runsOutAt(), 1_000);
  player.push();
  t.equal(player.lane.runsOutAt(), 1_001, 'the second lane has the second slot');
  player.push();
  t.equal(player.lane.runsOutAt(), 1_021);
  clock.advance(10);
  t.equal(player.lane.runsOutAt(), 1_021);
});

t.test(
  'a disabled connection accepts nothing and sends its queue when it is enabled again',
  { timeout: 10_000 },
  async (t) => {
    const { clock, add } = pacedSetting();
    const player = add();
    player.fill();
    player.lane.disable();
    t.equal(player.lane.room(), 0);
    clock.advance(500);
    t.same(player.left, []);
    player.lane.enable();
    clock.advance(20);
    t.same(player.left, [
      { frame: 0, gap: 0, at: 1_500 },
      { frame: 1, gap: 0, at: 1_520 },
    ]);
  },
);

const step = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 90 }) }),
  fc.record({ kind: fc.constant('stall' as const), ms: fc.integer({ min: 0, max: 400 }) }),
  fc.record({
    kind: fc.constantFrom('push' as const, 'flush' as const, 'finish' as const, 'feed' as const),
    ms: fc.constant(0),
  }),
);

t.test(
  'whatever a player does, frames keep order, distance and honest gaps',
  { timeout: 60_000 },
  async () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, even) => {
        const { clock, add } = pacedSetting(even ? 1_000 : 1_000.37);
        const player = add();
        const expected: number[] = [];
        const outstanding: number[] = [];
        player.push = () => {
          const frame = player.pushed++ % 256;
          outstanding.push(frame);
          player.lane.push(Uint8Array.of(frame), 0, 0);
        };
        const onSent = player.onSent.bind(player);
        player.onSent = (at) => {
          expected.push(outstanding.shift() ?? NaN);
          onSent(at);
        };
        let stalled = false;
        for (const { kind, ms } of steps) {
          if (kind === 'wait') clock.advance(ms);
          else if (kind === 'stall') {
            clock.stall(ms);
            stalled ||= ms > 0;
          } else if (kind === 'push') {
            if (player.lane.room() > 0) player.push();
          } else if (kind === 'flush') outstanding.splice(outstanding.length - player.lane.flush());
          else if (kind === 'finish') {
            player.feeding = false;
            player.lane.finish();
          } else {
            player.feeding = true;
            player.fill();
          }
        }
        clock.advance(400);
        const { left } = player;
        // Frames leave in the order pushed, and each is told once.
        if (left.filter(({ frame }) => frame >= 0).some(({ frame }, n) => frame !== expected[n]))
          return false;
        // Never more than three within 5 ms.
        for (let n = 3; n < left.length; n++)
          if ((left[n]?.at ?? 0) - (left[n - 3]?.at ?? 0) < 5) return false;
        // Without a stall time and timestamp go together: gaps account for every slot.
        if (stalled) return true;
        return left.every((frame, n) => {
          const before = left[n - 1];
          if (before === undefined) return true;
          return Math.abs(frame.at - before.at - (frame.gap + 1) * 20) < 1.5;
        });
      }),
      { numRuns: 300 },
    );
  },
);
