// The pacer on a clock that is moved by hand: which slot a frame leaves in, what a stall does, what is
// counted. Runs in the test process.

import t from 'tap';
import { DRIVER, DRIVER_WORDS, LATE_BUCKETS } from '../../../src/shared/driver-words.js';
import { PacedPlayer, pacedSetting } from '../../support/paced-player.js';

const spaced = (count: number, from: number): number[] =>
  Array.from({ length: count }, (_, n) => from + n * 20);

t.test('frames leave every 20 ms from the first slot on', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.feeding = true;
  player.fill();
  clock.advance(1_990);
  t.same(player.times, spaced(100, 1_000));
  t.same(
    player.frames,
    Array.from({ length: 100 }, (_, n) => n),
  );
  t.same(player.told, player.times, 'each is told at the time it left');
});

t.test('connections are spread over the 20 slots of a frame', { timeout: 10_000 }, async (t) => {
  const { clock, pacer, add } = pacedSetting();
  const players = Array.from({ length: 40 }, () => add());
  for (const player of players) player.fill();
  clock.advance(20);
  const first = players.map(({ times }) => times[0]);
  t.same(
    first,
    Array.from({ length: 40 }, (_, n) => 1_000 + (n % 20)),
  );
  const leaver = players[7];
  if (leaver) pacer.remove(leaver.lane);
  t.equal(add().lane.slot, 7, 'the next one takes the emptiest slot');
});

t.test(
  'a stall of 45 ms is caught up with three frames and keeps the grid',
  { timeout: 10_000 },
  async (t) => {
    const { clock, pacer, add } = pacedSetting();
    const player = add();
    player.feeding = true;
    player.fill();
    clock.advance(10);
    clock.stall(55);
    t.same(player.times, [1_000, 1_065, 1_065, 1_065]);
    clock.advance(30);
    t.same(player.times.slice(4), [1_080]);
    t.equal(pacer.counters[DRIVER.bursts], 1);
    t.equal(pacer.counters[DRIVER.skipped], 0);
  },
);

t.test(
  'after a stall of a second at most three frames leave together and none is lost',
  { timeout: 10_000 },
  async (t) => {
    const { clock, pacer, add } = pacedSetting();
    const player = add();
    player.feeding = true;
    player.fill();
    clock.advance(5);
    clock.stall(1_003);
    t.same(player.times, [1_000, 2_008, 2_008, 2_008]);
    clock.advance(40);
    t.same(
      player.times.slice(4),
      [2_020, 2_040],
      'the new grid has the same slot, and half a frame of distance',
    );
    t.same(player.frames, [0, 1, 2, 3, 4, 5], 'late, not lost');
    t.ok(
      player.left.every(({ gap }) => gap === 0),
      'the timestamps stay contiguous',
    );
    t.equal(pacer.counters[DRIVER.skipped], 47);
    t.same(player.missedAt, []);
  },
);

t.test('the slot after a burst is never nearer than half a frame', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const player = add();
  player.feeding = true;
  player.fill();
  clock.advance(5);
  // Three are due at 1020, 1040 and 1060; the fourth slot would be 1 ms away.
  clock.stall(74);
  t.same(player.times.slice(1), [1_079, 1_079, 1_079]);
  clock.advance(15);
  t.equal(player.times.length, 4);
  clock.advance(6);
  t.same(player.times.slice(4), [1_100]);
});

t.test('after a stall the connections stay spread', { timeout: 10_000 }, async (t) => {
  const { clock, add } = pacedSetting();
  const players = Array.from({ length: 20 }, () => add());
  for (const player of players) {
    player.feeding = true;
    player.fill();
  }
  clock.advance(100);
  clock.stall(500);
  const before = players.map(({ times }) => times.length);
  clock.advance(30);
  const next = players.map(({ times }, n) => (times[before[n] ?? 0] ?? 0) % 20);
  t.equal(new Set(next).size, 20);
});

t.test('a connection may be removed from inside a callback of its slot', { timeout: 10_000 }, async (t) => {
  const { clock, pacer } = pacedSetting();
  const clockOf = (): PacedPlayer => new PacedPlayer(clock);
  const leaver = clockOf();
  const others = [clockOf(), clockOf()];
  // 60 lanes, so that three share each slot.
  const lanes = Array.from({ length: 60 }, (_, n) => {
    const output = n === 0 ? leaver : n === 20 ? others[0] : n === 40 ? others[1] : undefined;
    const recorder = output ?? clockOf();
    const lane = pacer.add(recorder, null);
    recorder.lane = lane;
    lane.enable();
    return lane;
  });
  leaver.onSent = () => {
    for (const lane of lanes) if (lane === leaver.lane) pacer.remove(lane);
  };
  for (const recorder of [leaver, ...others]) recorder.fill();
  clock.advance(40);
  t.same(leaver.times, [1_000]);
  for (const other of others) t.same(other.times, [1_000, 1_020]);
  t.equal(leaver.lane?.room(), 0);
});

t.test('lateness is counted in its bucket and the greatest is kept', { timeout: 10_000 }, async (t) => {
  const { clock, pacer, add } = pacedSetting();
  const player = add();
  player.push();
  clock.advance(0);
  player.push();
  clock.stall(32);
  const buckets = LATE_BUCKETS.map((_, n) => pacer.counters[DRIVER.late + n]);
  t.same(buckets, [1, 0, 0, 0, 1, 0, 0, 0, 0]);
  t.equal(pacer.counters[DRIVER.maxLate], 12);
  t.equal(pacer.counters[DRIVER.sent], 2);
  t.equal(DRIVER.late + LATE_BUCKETS.length, DRIVER.held, 'the buckets have as many words as they need');
  t.equal(Math.max(...Object.values(DRIVER)), DRIVER_WORDS - 1);
});
