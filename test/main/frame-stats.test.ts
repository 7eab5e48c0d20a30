// Claims about the arithmetic of frame statistics (lavalink-v4.md §2.4).
import t from 'tap';
import { averageFrames, FrameHistory, untilNextMinute } from '../../src/main/frame-stats.js';

const MINUTE = 60_000;
const NONE = { sent: 0, nulled: 0 };

t.test('averages are per player, 3,000 expected, a surplus is negative', { timeout: 10_000 }, (t) => {
  t.equal(averageFrames([]), null);
  t.strictSame(averageFrames([{ sent: 6_000, nulled: 10 }]), { sent: 6_000, nulled: 10, deficit: -3_010 });
  const two = [
    { sent: 2_999, nulled: 1 },
    { sent: 2_900, nulled: 50 },
  ];
  t.strictSame(averageFrames(two), { sent: 2_949, nulled: 25, deficit: 25 });
  t.strictSame(
    averageFrames([
      { sent: 3_001, nulled: 0 },
      { sent: 3_000, nulled: 0 },
    ])?.deficit,
    0,
  );
  t.end();
});

t.test('a player counts once it played through the whole minute before', { timeout: 10_000 }, (t) => {
  const history = new FrameHistory();
  for (const minute of [9, 10]) history.roll(NONE, MINUTE * minute);
  t.equal(history.isUsable, false);
  history.started(MINUTE * 10 + 5);
  t.equal(history.isUsable, false);
  history.roll(NONE, MINUTE * 11);
  t.equal(history.isUsable, false, 'it did not play from the beginning');
  history.roll(NONE, MINUTE * 12);
  t.equal(history.isUsable, true);
  t.end();
});

t.test(
  'a gap of up to 100 ms between two tracks does not matter, a longer one does',
  { timeout: 10_000 },
  (t) => {
    const history = new FrameHistory();
    history.started(MINUTE);
    for (const minute of [2, 3, 4]) history.roll(NONE, MINUTE * minute);
    history.stopped(MINUTE * 4);
    t.equal(history.isUsable, false);
    history.started(MINUTE * 4 + 100);
    t.equal(history.isUsable, true);
    history.stopped(MINUTE * 4 + 200);
    history.started(MINUTE * 4 + 301);
    t.equal(history.isUsable, false);
    t.end();
  },
);

t.test('a minute is the difference of two readings, also over a new row', { timeout: 10_000 }, (t) => {
  const history = new FrameHistory();
  history.roll({ sent: 100, nulled: 1 }, MINUTE);
  history.roll({ sent: 3_100, nulled: 3 }, 2 * MINUTE);
  t.strictSame(history.lastMinute, { sent: 3_000, nulled: 2 });
  history.roll({ sent: 40, nulled: 0 }, 3 * MINUTE);
  t.strictSame(history.lastMinute, { sent: 40, nulled: 0 });
  t.equal(untilNextMinute(MINUTE * 3 + 1), 59_999);
  t.equal(untilNextMinute(MINUTE * 3), MINUTE);
  t.end();
});
