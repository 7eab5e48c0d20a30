// Shared counters: two views of one memory, a position read as one, and what a dead writer leaves behind.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { PlayerWord, ShardWord } from '../../src/shared/counter-words.js';
import { ShardCounters } from '../../src/shared/counters.js';
import { PlayerTable, ROWS_PER_TABLE } from '../../src/shared/player-table.js';
import { DRIVER } from '../../src/shared/driver-words.js';
import { NO_TAG, SentRow } from '../../src/shared/sent-row.js';
import type { PositionWriting } from '../support/position-writer.js';

t.test('what one view writes the other reads', { timeout: 5_000 }, async (t) => {
  const writer = new ShardCounters();
  const reader = new ShardCounters(writer.buffer);
  writer.add(ShardWord.sentEncoded, 2 ** 33);
  writer.add(ShardWord.sentEncoded, 1);
  t.equal(reader.get(ShardWord.sentEncoded), 2 ** 33 + 1, 'totals go beyond 32 bits');
  writer.addFrame(0);
  t.equal(reader.get(ShardWord.sentPassthrough), 1);
  writer.driver[DRIVER.late + 2] = 7;
  t.equal(reader.lateness()[2], 7);
  t.equal(reader.lateness().length, 9);
});

t.test('rows do not touch one another', { timeout: 5_000 }, async (t) => {
  const table = new PlayerTable();
  for (let row = 0; row < ROWS_PER_TABLE; row++) table.set(row, PlayerWord.nulled, row + 1);
  table.reset(7);
  t.equal(table.get(6, PlayerWord.nulled), 7);
  t.equal(table.get(7, PlayerWord.nulled), 0);
  t.equal(table.get(8, PlayerWord.nulled), 9);
  t.equal(table.get(ROWS_PER_TABLE - 1, PlayerWord.nulled), ROWS_PER_TABLE);
});

t.test('a reader never sees a position with the time of another', { timeout: 20_000 }, async (t) => {
  const table = new PlayerTable();
  const sides = (['base', 'sent'] as const).map((side) => {
    const workerData: PositionWriting = { buffer: table.buffer, row: 3, writes: 300_000, side };
    return once(
      new Worker(new URL('../support/position-writer.js', import.meta.url), { workerData }),
      'exit',
    );
  });
  let readings = 0;
  let torn = 0;
  let done = false;
  void Promise.all(sides).then(() => (done = true));
  while (!done) {
    for (let i = 0; i < 2_000; i++) {
      const { positionMs, at } = table.readPosition(3);
      readings++;
      if (at !== positionMs * 2) torn++;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(torn, 0, `${String(readings)} readings`);
  t.ok(readings > 1_000);
});

t.test('a writer that died half-way hides nothing from its readers', { timeout: 5_000 }, async (t) => {
  const table = new PlayerTable();
  table.setBase(0, 7, 20, 40);
  table.setSent(0, 7, 40, 80);
  // The next write, as far as its first words: the sequence does not point to that group yet.
  table.set(0, PlayerWord.positionMs, 60);
  table.set(0, PlayerWord.tag, 8);
  t.same(table.readPosition(0), { positionMs: 40, at: 80 });
  table.setSent(0, 7, 60, 120);
  t.same(table.readPosition(0), { positionMs: 60, at: 120 }, 'and whoever comes after it goes on');
});

t.test('only what is sent with the present tag moves the position', { timeout: 5_000 }, async (t) => {
  const table = new PlayerTable();
  t.same(table.readPosition(0), { positionMs: 0, at: 0 });
  table.setBase(0, 1, 0, 100);
  table.setSent(0, 1, 20, 120);
  table.setBase(0, 2, 60_000, 130);
  t.same(table.readPosition(0), { positionMs: 60_000, at: 130 });
  table.setSent(0, 1, 40, 140);
  t.same(table.readPosition(0), { positionMs: 60_000, at: 130 }, 'a frame of before the seek');
  table.setSent(0, 2, 60_020, 160);
  t.same(table.readPosition(0), { positionMs: 60_020, at: 160 });
  table.setBase(0, 2, 60_020, 500);
  t.same(table.readPosition(0), { positionMs: 60_020, at: 500 }, 'it stands where it stood, and still does');
  table.setSent(0, 2, 60_040, 510);
  t.same(table.readPosition(0), { positionMs: 60_040, at: 510 });
});

t.test('what lies sealed counts for its own tag, until it is taken back', { timeout: 5_000 }, async (t) => {
  const table = new PlayerTable();
  t.equal(table.readSealed(0), 0);
  table.setBase(0, 1, 0, 0);
  table.setSealed(0, 1, 400);
  t.equal(table.readSealed(0), 400);
  table.setBase(0, 2, 9_000, 0);
  t.equal(table.readSealed(0), 0);
  table.setSealed(0, 2, 9_020);
  t.equal(table.readSealed(0), 9_020);
  table.clearSealed(0);
  t.equal(table.readSealed(0), 0);
});

t.test(
  'who sends for a placement that is over writes nothing into its row',
  { timeout: 5_000 },
  async (t) => {
    const table = new PlayerTable();
    table.set(5, PlayerWord.epoch, 1);
    table.setBase(5, 1, 0, 0);
    const row = new SentRow({ table: table.buffer, row: 5, epoch: 1 });
    row.sent(20, 1, 30, 3);
    row.sent(40, NO_TAG, 50, 500);
    row.emptied();
    t.same(table.readPosition(5), { positionMs: 20, at: 30 });
    const words = (...names: number[]): number[] => names.map((name) => table.get(5, name));
    t.same(words(PlayerWord.sent, PlayerWord.emptied, PlayerWord.maxLate), [2, 1, 500]);
    t.same(words(PlayerWord.late + 2, PlayerWord.late + 8), [1, 1]);
    table.reset(5);
    table.set(5, PlayerWord.epoch, 2);
    row.sent(60, 1, 70, 3);
    row.emptied();
    t.same(table.readPosition(5), { positionMs: 0, at: 0 });
    t.same(words(PlayerWord.sent, PlayerWord.emptied, PlayerWord.maxLate), [0, 0, 0]);
  },
);
