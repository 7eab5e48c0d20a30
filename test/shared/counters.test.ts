// Shared counters: two views of one memory, a position read as one, and what a dead writer leaves behind.
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { PlayerWord, ShardWord } from '../../src/shared/counter-words.js';
import { ShardCounters } from '../../src/shared/counters.js';
import { PlayerTable, ROWS_PER_TABLE } from '../../src/shared/player-table.js';
import { DRIVER } from '../../src/shared/driver-words.js';

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
  table.setPosition(3, 0, 0);
  const worker = new Worker(new URL('../support/position-writer.js', import.meta.url), {
    workerData: { buffer: table.buffer, row: 3, writes: 300_000 },
  });
  let readings = 0;
  let torn = 0;
  let done = false;
  worker.once('exit', () => (done = true));
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
  table.setPosition(0, 40, 80);
  // The next write, as far as its first word: the sequence does not point to that pair yet.
  table.set(0, PlayerWord.positionMs, 60);
  t.same(table.readPosition(0), { positionMs: 40, at: 80 });
});
