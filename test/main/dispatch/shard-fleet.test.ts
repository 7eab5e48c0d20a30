// The fleet over real threads: placement, order, rows, ceilings, draining. What it does about shards that die is
// in shard-deaths.test.ts.
import t from 'tap';
import { PlayerWord } from '../../../src/shared/counter-words.js';
import { Deed } from '../../support/echo-shard-entry.js';
import { DISPATCH } from '../../../src/shared/limits.js';
import { create, FleetHouse, shardThreads, update } from '../../support/fleet-house.js';

const LIMIT = { timeout: 40_000 };

t.test('the number of shards is the number asked for, and top shows them by name', LIMIT, async (t) => {
  const { fleet } = await FleetHouse.start(t, 3);
  t.equal(fleet.reports().length, 3);
  t.ok(fleet.reports().every(({ up }) => up));
  if (process.platform === 'linux') t.same(await shardThreads(), ['pumice-s0', 'pumice-s1', 'pumice-s2']);
});

t.test('commands of a player are answered in order, after the events they caused', LIMIT, async (t) => {
  const { fleet, told } = await FleetHouse.start(t, 2);
  const placement = fleet.place('p');
  const revisions: number[] = [];
  const commands = [create(placement.row), ...Array.from({ length: 50 }, (_, n) => update(n))].map(
    async (command) => {
      const { rev } = (await fleet.command('p', placement, command, 5_000)) as { rev: number };
      revisions.push(rev);
      // Every update raises one event before it is answered; the creation raises none.
      t.ok(told.events.length >= rev - 1, `answer ${String(rev)} does not overtake its event`);
    },
  );
  await Promise.all(commands);
  t.same(
    revisions,
    Array.from({ length: 51 }, (_, n) => n + 1),
  );
  t.same(
    told.events,
    Array.from({ length: 50 }, (_, n) => `p ${String(n + 2)}`),
  );
});

t.test('more players than a table holds get a second one, and rows are used again', LIMIT, async (t) => {
  const { fleet } = await FleetHouse.start(t, 1);
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
  const { fleet, told } = await FleetHouse.start(t, 1);
  const placement = fleet.place('p');
  await fleet.command('p', placement, create(placement.row), 5_000);
  await fleet.command('p', placement, update(Deed.staleEvent), 5_000);
  t.same(told.events, []);
  t.equal(fleet.staleEvents, 1);
  fleet.release('p', placement);
  await t.rejects(fleet.command('p', placement, update(1), 5_000), { code: 'PUM_COMMAND_STALE' });
});

t.test('more commands than a shard may owe answers for are refused at once', LIMIT, async (t) => {
  const { fleet } = await FleetHouse.start(t, 1);
  const placement = fleet.place('p');
  const waiting = Array.from({ length: 1_024 }, () =>
    fleet.command('p', placement, update(Deed.slow), 2_000),
  );
  for (const one of waiting) one.catch(() => undefined);
  await t.rejects(fleet.command('p', placement, update(1), 2_000), { code: 'PUM_SHARD_BUSY' });
  await t.rejects(Promise.any(waiting));
  await fleet.command('p', placement, update(1), 2_000);
});

t.test('a placement names its sender, and a shard knows it before the player', LIMIT, async (t) => {
  const house = await FleetHouse.start(t, 2);
  const { fleet, told } = house;
  const players = Array.from({ length: DISPATCH.playersPerSender }, (_, n) => fleet.place(`p${String(n)}`));
  t.ok(players.every(({ sender }) => sender === 0));
  const placement = fleet.place('late');
  t.equal(placement.sender, 1, 'a second one has been started for it');
  t.match(fleet.senders(), [{ players: players.length }, { players: 1 }]);
  const answer = await fleet.command('late', placement, create(placement.row), 5_000);
  t.match(answer, { senders: ['new 0', 'new 1'] });
  fleet.command('late', placement, update(Deed.throw), 5_000).catch(() => undefined);
  await house.until(() => told.ready.length === 1);
  const again = fleet.replace('late', placement);
  t.equal(again.sender, 1, 'it stays with a replacement of the shard');
  t.match(await fleet.command('late', again, create(again.row), 5_000), { senders: ['new 0', 'new 1'] });
  fleet.release('late', again);
  t.match(fleet.senders(), [{ players: players.length }, { players: 0 }]);
});

t.test('a drain ends a willing shard at once', LIMIT, async (t) => {
  const { fleet, told } = await FleetHouse.start(t, 2);
  const began = performance.now();
  await fleet.drain(10_000);
  t.ok(performance.now() - began < 5_000, `${(performance.now() - began).toFixed(0)} ms`);
  t.throws(() => fleet.place('p'), { code: 'PUM_NO_SHARD' });
  t.notOk(fleet.ready);
  t.same(told.died, [], 'a shard that was asked to end has not died');
  if (process.platform === 'linux') t.same(await shardThreads(), []);
});

for (const [name, deed] of [
  ['does not hear of it', Deed.hang],
  ['is caught in a loop', Deed.spin],
] as const) {
  t.test(`a drain ends a shard that ${name} at its deadline`, LIMIT, async (t) => {
    const { fleet, told } = await FleetHouse.start(t, 2);
    const placement = fleet.place('p');
    const command = fleet.command('p', placement, update(deed), 5_000).catch(() => undefined);
    // The loop begins when the shard takes the command: the one before it has been answered by then.
    if (deed === Deed.hang) await command;
    const began = performance.now();
    await fleet.drain(800);
    const took = performance.now() - began;
    t.ok(took >= 790 && took < 5_000, `${took.toFixed(0)} ms`);
    t.same(told.died, []);
    if (process.platform === 'linux') t.same(await shardThreads(), []);
    await command;
  });
}
