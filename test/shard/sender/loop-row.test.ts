// What a sender's loop writes into the rows of the players whose rings it empties, on a clock moved by hand.
import t from 'tap';
import { PlayerTable } from '../../../src/shared/player-table.js';
import { Mark } from '../../../src/shared/send-ring.js';
import { TestRow } from '../../support/player-row.js';
import { SenderSetting, Shard } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

function setting(): { s: SenderSetting; shard: Shard; row: TestRow } {
  const s = new SenderSetting();
  const row = new TestRow();
  const shard = new Shard(s.slab, 0);
  s.control.open(0, '127.0.0.1', 5_000, row.place);
  return { s, shard, row };
}

t.test('a frame moves the position when it leaves, and not before', LIMIT, async (t) => {
  const { s, shard, row } = setting();
  for (let n = 1; n <= 3; n++) shard.publish(1, n * 20, 1);
  s.control.start(0);
  t.equal(row.positionMs, 0);
  s.advance(0);
  t.same([row.positionMs, row.at], [20, s.times(0)[0]]);
  s.advance(20);
  t.same([row.positionMs, row.at], [40, s.times(0)[1]]);
});

t.test('frames of an old tag, or of none, are counted but move nothing', LIMIT, async (t) => {
  const { s, shard, row } = setting();
  shard.publish(0, 20, 1);
  shard.publish(0, 40, 1);
  shard.publish(0, 90_000, 0);
  shard.publish(0, 60_020, 2);
  s.control.start(0);
  s.advance(0);
  row.begin(2, 60_000);
  s.advance(20);
  t.equal(row.positionMs, 60_000);
  s.advance(20);
  t.equal(row.positionMs, 60_000);
  s.advance(20);
  t.equal(row.positionMs, 60_020);
  t.equal(row.word('sent'), 4);
});

t.test('silence is neither sent nor late, and an empty ring behind END is not emptied', LIMIT, async (t) => {
  const { s, shard, row } = setting();
  shard.publish(0, 20, 1);
  shard.finish();
  s.control.start(0);
  s.advance(300);
  t.same([row.word('sent'), row.bucketed, row.word('emptied')], [1, 1, 0]);
  t.equal(row.positionMs, 20);
  t.equal(s.count('silence'), 5);
});

t.test('each empty slot is emptied, and a stall is late', LIMIT, async (t) => {
  const { s, shard, row } = setting();
  shard.publish(0, 20, 1);
  s.control.start(0);
  s.advance(60);
  t.equal(row.word('emptied'), 3);
  t.equal(row.word('emptied'), s.count('missed'));
  shard.publish(0, 40, 1);
  s.clock.stall(33);
  s.advance(20);
  t.equal(row.word('sent'), 2);
  t.equal(row.bucketed, 2);
  t.ok(row.word('maxLate') >= 10, `${String(row.word('maxLate'))} ms`);
});

t.test(
  'the ring of a dead shard goes on moving the position until the row is given away',
  LIMIT,
  async (t) => {
    const { s, shard, row } = setting();
    for (let n = 1; n <= 6; n++) shard.publish(0, n * 20, 1);
    s.control.start(0);
    s.advance(20);
    s.control.detach();
    s.advance(40);
    t.equal(row.positionMs, 80);
    new PlayerTable(row.place.table).reset(row.place.row);
    s.advance(200);
    t.equal(s.left(0).length, 6, 'what was sealed is sent');
    t.same([row.word('sent'), row.word('emptied'), row.positionMs], [0, 0, 0]);
  },
);

t.test('a place that is told again, with another row, is written there', LIMIT, async (t) => {
  const { s, shard, row } = setting();
  const other = new TestRow(4, 10);
  shard.publish(0, 20, 1);
  shard.publish(0, 40, 1 | Mark.end);
  s.control.start(0);
  s.advance(0);
  s.control.open(0, '127.0.0.2', 6_000, other.place);
  s.advance(20);
  t.same([row.word('sent'), other.word('sent')], [1, 1]);
});
