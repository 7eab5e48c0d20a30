// Shards that die, in every way, at every moment: what the fleet notices, what becomes of the commands under
// way, how often and how soon it starts a replacement (reliability.md cases 7, 8, 10 and 11).
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { ServerError } from '../../../src/shared/errors.js';
import { DISPATCH } from '../../../src/shared/limits.js';
import { Deed, STILLBORN } from '../../support/echo-shard-entry.js';
import { create, FleetHouse, shardTasks, update } from '../../support/fleet-house.js';
import { seeded } from '../../support/seeded.js';

const LIMIT = { timeout: 40_000 };

const SMALL_HEAP = { 'pumice.shards.heapLimit': 48 * 1_048_576 };

for (const [name, deed] of [
  ['throws', Deed.throw],
  ['exits', Deed.exit],
  ['runs out of heap', Deed.fill],
  ['rejects, with its timers running on', Deed.reject],
  ['ends though nobody asked it to', Deed.end],
] as const) {
  t.test(`a shard that ${name} is replaced, the other one goes on`, LIMIT, async (t) => {
    const house = await FleetHouse.start(t, 2, SMALL_HEAP);
    const { fleet, told } = house;
    const [first, second] = [fleet.place('a'), fleet.place('b')];
    t.not(first.shard, second.shard);
    const itsName = `pumice-s${String(first.shard)}`;
    const [itsTask = ''] = [...(await shardTasks())].find(([, name]) => name === itsName) ?? [];
    if (process.platform === 'linux') t.not(itsTask, '');
    const under = [update(Deed.slow), update(deed)].map((command) =>
      fleet.command('a', first, command, 20_000).then(
        () => 'done',
        (error: unknown) => ServerError.from(error, 'PUM_HTTP_INTERNAL').code,
      ),
    );
    t.same(await Promise.all(under), ['PUM_SHARD_GONE', 'PUM_SHARD_GONE']);
    await house.until(({ died }) => died.length === 1);
    t.same(told.died, [first.shard]);
    // Before its replacement answers: there is a quarter of a second for these three.
    t.throws(() => fleet.replace('a', first), { code: 'PUM_NO_SHARD' });
    await t.rejects(fleet.command('a', first, update(1), 5_000), { code: 'PUM_SHARD_GONE' });
    if (process.platform === 'linux') {
      // The kernel may take a moment to bury it; the test's ceiling bounds the wait.
      while ((await shardTasks()).has(itsTask)) await setTimeout(5);
    }
    await fleet.command('b', second, update(1), 5_000);

    await house.until(({ ready }) => ready.length === 1);
    const moved = fleet.replace('a', first);
    t.equal(moved.shard, first.shard);
    t.ok(moved.epoch > first.epoch);
    await fleet.command('a', moved, create(moved.row), 5_000);
    await fleet.command('b', second, update(1), 5_000);
    t.same([told.died, told.ready], [[first.shard], [first.shard]], 'told once each');
    t.match(fleet.reports()[first.shard], { restarts: 1, up: true, inFlight: 0 });
    t.match(fleet.reports()[second.shard], { restarts: 0, up: true, inFlight: 0 });
  });
}

t.test('a shard that spins is noticed by its pulse, ended and replaced', LIMIT, async (t) => {
  const house = await FleetHouse.start(t, 2);
  const { fleet, told } = house;
  const [first, second] = [fleet.place('a'), fleet.place('b')];
  const began = performance.now();
  const spinning = fleet.command('a', first, update(Deed.spin), 20_000);
  await t.rejects(spinning, { code: 'PUM_SHARD_GONE' });
  const noticed = performance.now() - began;
  // Its last pulse was up to 200 ms old.
  t.ok(noticed > 1_700, `${noticed.toFixed(0)} ms`);
  await house.until(({ ready }) => ready.length === 1);
  t.ok(performance.now() - began < 9_000, 'three times what it may take');
  const moved = fleet.replace('a', first);
  await fleet.command('a', moved, create(moved.row), 5_000);
  await fleet.command('b', second, update(1), 5_000);
  t.same([told.died, told.ready, told.gaveUp], [[first.shard], [first.shard], 0]);
  t.match(fleet.reports()[second.shard], { restarts: 0, up: true });
});

t.test('what a shard said before it died is heard before its death is told', LIMIT, async (t) => {
  const house = await FleetHouse.start(t, 1);
  const { fleet, told } = house;
  for (let round = 1; round <= 2; round++) {
    const player = `p${String(round)}`;
    const placement = fleet.place(player);
    await fleet.command(player, placement, create(placement.row), 5_000);
    let toldAtDeath = -1;
    for (let n = 0; n < 50; n++) fleet.command(player, placement, update(n), 5_000).catch(() => undefined);
    fleet.command(player, placement, update(Deed.exit), 5_000).catch(() => undefined);
    await house.until(({ died }) => {
      if (died.length === round && toldAtDeath < 0) toldAtDeath = told.events.length;
      return toldAtDeath >= 0;
    });
    t.equal(toldAtDeath, round * 50);
    await house.until(({ ready }) => ready.length === round);
    fleet.release(player, placement);
  }
});

t.test('new players go to the shards that live', LIMIT, async (t) => {
  const house = await FleetHouse.start(t, 2);
  const { fleet } = house;
  const first = fleet.place('a');
  await fleet.command('a', first, update(Deed.exit), 5_000).catch(() => undefined);
  await house.until(({ died }) => died.length === 1);
  t.ok(fleet.ready, 'one shard is enough to be ready');
  const shards = Array.from({ length: 10 }, (_, n) => fleet.place(`p${String(n)}`).shard);
  t.same([...new Set(shards)], [1 - first.shard]);
});

t.test('a replacement that cannot be loaded counts as dead, and the next one is tried', LIMIT, async (t) => {
  // The wait for a first answer is 15 s; no thread that can be loaded needs two.
  const clock = {
    ...systemClock,
    after: (ms: number, action: () => void) => systemClock.after(Math.min(ms, 2_000), action),
  };
  const house = await FleetHouse.start(t, 1, {}, clock);
  const { fleet, told } = house;
  t.teardown(() => {
    process.env[STILLBORN] = '';
  });
  process.env[STILLBORN] = '1';
  const placement = fleet.place('a');
  await fleet.command('a', placement, update(Deed.exit), 5_000).catch(() => undefined);
  await house.until(({ died }) => died.length === 2);
  t.same(told.ready, []);
  process.env[STILLBORN] = '';
  await house.until(({ ready }) => ready.length === 1);
  const moved = fleet.replace('a', placement);
  await fleet.command('a', moved, create(moved.row), 5_000);
});

t.test('both shards may die at once', LIMIT, async (t) => {
  const house = await FleetHouse.start(t, 2);
  const { fleet, told } = house;
  for (const player of ['a', 'b']) {
    fleet.command(player, fleet.place(player), update(Deed.throw), 5_000).catch(() => undefined);
  }
  await house.until(({ died }) => died.length === 2);
  t.notOk(fleet.ready);
  t.throws(() => fleet.place('c'), { code: 'PUM_NO_SHARD' });
  await house.until(({ ready }) => ready.length === 2);
  t.same(
    [[...told.died].sort(), [...told.ready].sort()],
    [
      [0, 1],
      [0, 1],
    ],
  );
  const placement = fleet.place('c');
  await fleet.command('c', placement, create(placement.row), 5_000);
});

/** How many commands race in one round. */
const RACERS = 200;

t.test('requests that race a dying shard all settle, none twice, whatever the moment', LIMIT, async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seeded(seed);
    const house = await FleetHouse.start(t, 1);
    const { fleet } = house;
    const placement = fleet.place('p');
    const deed = random() < 0.5 ? Deed.exit : Deed.throw;
    const last = Math.floor(random() * RACERS);
    const outcomes: string[] = [];
    const executed: number[] = [];
    const began = performance.now();
    const racing: Promise<void>[] = [];
    for (let n = 0; n < RACERS; n++) {
      const command = fleet.command('p', placement, update(n === last ? deed : 1), 5_000);
      racing.push(
        command.then(
          (reply) => {
            outcomes.push('done');
            executed.push((reply as { rev: number }).rev);
          },
          (error: unknown) => {
            outcomes.push(error instanceof ServerError ? error.code : String(error));
          },
        ),
      );
      // Some go out while others are answered, others while the death is noticed.
      if (random() < 0.1) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(racing);
    const took = performance.now() - began;
    t.ok(took < 5_000, `seed ${String(seed)}: ${took.toFixed(0)} ms`);
    t.equal(outcomes.length, RACERS);
    t.ok(outcomes.every((outcome) => outcome === 'done' || outcome === 'PUM_SHARD_GONE'));
    t.ok(outcomes.includes('PUM_SHARD_GONE'));
    t.equal(new Set(executed).size, executed.length, 'none was executed twice');
    await house.until(({ died }) => died.length === 1);
    t.equal(fleet.reports()[0]?.inFlight, 0, 'nothing is owed an answer');
    await fleet.drain(1_000);
  }
});

t.test('a shard that keeps dying is given up after five times, once and in few words', LIMIT, async (t) => {
  const house = await FleetHouse.start(t, 1);
  const { fleet, told } = house;
  for (let death = 1; death <= DISPATCH.maxRestarts + 1; death++) {
    const placement = fleet.place('p');
    await fleet.command('p', placement, update(Deed.exit), 5_000).catch(() => undefined);
    await house.until(({ died }) => died.length === death);
    if (death <= DISPATCH.maxRestarts) await house.until(({ ready }) => ready.length === death);
    fleet.release('p', placement);
  }
  t.equal(told.gaveUp, 1);
  t.ok(told.logLines < 100);
  t.notOk(fleet.ready);
  for (const [n, least] of DISPATCH.restartDelays.entries()) {
    const waited = (told.readyAt[n] ?? NaN) - (told.diedAt[n] ?? NaN);
    t.ok(waited >= least - 1 && waited < least + 2_000, `${String(n)}: ${waited.toFixed(0)} ms`);
  }
});
