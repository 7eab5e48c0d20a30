// The fleet over real threads: placement, order, rows, deaths and replacements, draining.
import { readdir, readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { ShardFleet } from '../../../src/main/dispatch/shard-fleet.js';
import { silentLog, type Log } from '../../../src/main/log.js';
import { systemClock } from '../../../src/shared/clock.js';
import { defaults } from '../../../src/shared/config.js';
import { PlayerWord } from '../../../src/shared/counter-words.js';
import { ServerError } from '../../../src/shared/errors.js';
import type { CreateBody } from '../../../src/shared/shard-commands.js';
import { Deed } from '../../support/echo-shard-entry.js';

const LIMIT = { timeout: 40_000 };

interface Told {
  readonly events: string[];
  readonly died: number[];
  readonly ready: number[];
  gaveUp: number;
  logLines: number;
}

class Watch {
  #wake: () => void = () => undefined;
  readonly told: Told = { events: [], died: [], ready: [], gaveUp: 0, logLines: 0 };
  changed(): void {
    this.#wake();
  }
  async until(holds: (told: Told) => boolean, ms = 15_000): Promise<void> {
    const end = performance.now() + ms;
    while (!holds(this.told)) {
      if (performance.now() > end) throw new Error(`not so: ${JSON.stringify(this.told)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

async function start(
  t: Pick<Test, 'teardown'>,
  shards: number,
): Promise<{ fleet: ShardFleet; watch: Watch }> {
  const watch = new Watch();
  const count = (): void => {
    watch.told.logLines++;
  };
  const log: Log = { ...silentLog, error: count, warn: count, info: count };
  const fleet = new ShardFleet(
    {
      values: defaults(),
      clock: systemClock,
      log,
      node: 'n',
      shards,
      listener: {
        event: ({ player, seq }) => {
          watch.told.events.push(`${player} ${String(seq)}`);
          watch.changed();
        },
        shardDied: (shard) => {
          watch.told.died.push(shard);
          watch.changed();
        },
        shardReady: (shard) => {
          watch.told.ready.push(shard);
          watch.changed();
        },
      },
      giveUp: () => {
        watch.told.gaveUp++;
        watch.changed();
      },
      entry: new URL('../../support/echo-shard-entry.js', import.meta.url),
    },
    null,
  );
  await fleet.start();
  t.teardown(() => fleet.drain(1_000));
  return { fleet, watch };
}

const create = (row: number): { op: 'create'; body: CreateBody } => ({
  op: 'create',
  body: {
    session: 's',
    guild: '1',
    user: '2',
    row,
    volume: 100,
    filters: {},
    paused: false,
    voice: null,
    seq: 0,
  },
});
const update = (volume: number): { op: 'update'; body: { volume: number } } => ({
  op: 'update',
  body: { volume },
});

/** Names of this process's threads. */
async function threadNames(): Promise<string[]> {
  const names: string[] = [];
  for (const tid of await readdir('/proc/self/task')) {
    names.push((await readFile(`/proc/self/task/${tid}/comm`, 'utf8').catch(() => '')).trim());
  }
  return names.filter((name) => name.startsWith('pumice-s')).sort();
}

t.test('the number of shards is the number asked for, and top shows them by name', LIMIT, async (t) => {
  const { fleet } = await start(t, 3);
  t.equal(fleet.reports().length, 3);
  t.ok(fleet.reports().every(({ up }) => up));
  if (process.platform === 'linux') t.same(await threadNames(), ['pumice-s0', 'pumice-s1', 'pumice-s2']);
});

t.test('commands of a player are answered in order, after the events they caused', LIMIT, async (t) => {
  const { fleet, watch } = await start(t, 2);
  const placement = fleet.place('p');
  const revisions: number[] = [];
  const commands = [create(placement.row), ...Array.from({ length: 50 }, (_, n) => update(n))].map(
    async (command) => {
      const { rev } = (await fleet.command('p', placement, command, 5_000)) as { rev: number };
      revisions.push(rev);
      // Every update raises one event before it is answered; the creation raises none.
      t.ok(watch.told.events.length >= rev - 1, `answer ${String(rev)} does not overtake its event`);
    },
  );
  await Promise.all(commands);
  t.same(
    revisions,
    Array.from({ length: 51 }, (_, n) => n + 1),
  );
  t.same(
    watch.told.events,
    Array.from({ length: 50 }, (_, n) => `p ${String(n + 2)}`),
  );
});

t.test('more players than a table holds get a second one, and rows are used again', LIMIT, async (t) => {
  const { fleet } = await start(t, 1);
  const placed = Array.from(
    { length: 600 },
    (_, n) => [`p${String(n)}`, fleet.place(`p${String(n)}`)] as const,
  );
  t.equal(new Set(placed.map(([, { row }]) => row)).size, 600);
  await Promise.all(
    placed.map(([player, placement]) => fleet.command(player, placement, create(placement.row), 5_000)),
  );
  t.ok(
    placed.every(([, placement]) => fleet.word(placement, PlayerWord.sent) === placement.epoch),
    'the shard writes into the row that main reads',
  );
  for (const [player, placement] of placed) fleet.release(player, placement);
  const again = fleet.place('again');
  t.ok(again.row < 1_024);
  t.equal(fleet.word(again, PlayerWord.sent), 0, 'nothing of the player before is left in it');
});

t.test('a placement that is over is refused, and its events are dropped and counted', LIMIT, async (t) => {
  const { fleet, watch } = await start(t, 1);
  const placement = fleet.place('p');
  await fleet.command('p', placement, create(placement.row), 5_000);
  await fleet.command('p', placement, update(Deed.staleEvent), 5_000);
  t.same(watch.told.events, []);
  t.equal(fleet.staleEvents, 1);
  fleet.release('p', placement);
  await t.rejects(fleet.command('p', placement, update(1), 5_000), { code: 'PUM_COMMAND_STALE' });
});

for (const [name, deed] of [
  ['throws', Deed.throw],
  ['exits', Deed.exit],
] as const) {
  t.test(`a shard that ${name} is replaced, the other one goes on`, LIMIT, async (t) => {
    const { fleet, watch } = await start(t, 2);
    const [first, second] = [fleet.place('a'), fleet.place('b')];
    t.not(first.shard, second.shard);
    await t.rejects(fleet.command('a', first, update(deed), 5_000), { code: 'PUM_SHARD_GONE' });
    await watch.until(({ died }) => died.length === 1);
    t.same(watch.told.died, [first.shard]);
    await fleet.command('b', second, update(1), 5_000);
    await t.rejects(fleet.command('a', first, update(1), 5_000), { code: 'PUM_SHARD_GONE' });
    await watch.until(({ ready }) => ready.length === 1);
    t.same(watch.told.ready, [first.shard]);
    const moved = fleet.replace('a', first);
    t.equal(moved.shard, first.shard);
    t.ok(moved.epoch > first.epoch);
    await fleet.command('a', moved, create(moved.row), 5_000);
    t.match(fleet.reports()[first.shard], { restarts: 1, up: true });
    t.match(fleet.reports()[second.shard], { restarts: 0, up: true });
  });
}

t.test('requests that race a dying shard all settle, whatever the moment', LIMIT, async (t) => {
  const { fleet, watch } = await start(t, 1);
  for (let round = 1; round <= 4; round++) {
    const placement = fleet.place(`p${String(round)}`);
    const all = Array.from({ length: 200 }, (_, n) =>
      fleet.command(`p${String(round)}`, placement, update(n === round * 37 ? Deed.exit : n), 5_000).then(
        () => 'done',
        (error: unknown) => (error instanceof ServerError ? error.code : 'unknown'),
      ),
    );
    const outcomes = await Promise.all(all);
    t.same(
      [...new Set(outcomes)].sort(),
      ['PUM_SHARD_GONE', 'done'].filter((kind) => outcomes.includes(kind)),
    );
    t.ok(outcomes.includes('PUM_SHARD_GONE'));
    await watch.until(({ ready }) => ready.length === round);
    t.equal(fleet.reports()[0]?.inFlight, 0);
  }
});

t.test('a shard that keeps dying is given up after five times, once and in few words', LIMIT, async (t) => {
  const { fleet, watch } = await start(t, 1);
  for (let death = 1; death <= 6; death++) {
    const placement = fleet.place('p');
    await fleet.command('p', placement, update(Deed.exit), 5_000).catch(() => undefined);
    await watch.until(({ died }) => died.length === death);
    if (death <= 5) await watch.until(({ ready }) => ready.length === death);
    fleet.release('p', placement);
  }
  t.equal(watch.told.gaveUp, 1);
  t.ok(watch.told.logLines < 100);
  t.notOk(fleet.ready);
});

t.test('more commands than a shard may owe answers for are refused at once', LIMIT, async (t) => {
  const { fleet } = await start(t, 1);
  const placement = fleet.place('p');
  const waiting = Array.from({ length: 1_024 }, () =>
    fleet.command('p', placement, update(Deed.slow), 2_000),
  );
  for (const one of waiting) one.catch(() => undefined);
  await t.rejects(fleet.command('p', placement, update(1), 2_000), { code: 'PUM_SHARD_BUSY' });
  await t.rejects(Promise.any(waiting));
  await fleet.command('p', placement, update(1), 2_000);
});

t.test('a drain ends a willing shard at once and a deaf one at its deadline', LIMIT, async (t) => {
  const { fleet } = await start(t, 2);
  const placement = fleet.place('p');
  await fleet.command('p', placement, update(Deed.hang), 5_000);
  const began = performance.now();
  await fleet.drain(800);
  const took = performance.now() - began;
  t.ok(took >= 700 && took < 10_000, `${took.toFixed(0)} ms`);
  t.throws(() => fleet.place('q'), { code: 'PUM_NO_SHARD' });
  if (process.platform === 'linux') t.same(await threadNames(), []);
});
