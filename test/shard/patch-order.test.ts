// A PATCH that waits for its voice connection overtakes none that came after it.
import t from 'tap';
import { PatchOrder } from '../../src/shard/patch-order.js';
import { House, play, range, VOICE } from '../support/shard-house.js';

t.test('what later commands have said is left out, part by part', { timeout: 5_000 }, (t) => {
  const order = new PatchOrder();
  const first = { volume: 10, paused: true, positionMs: 5, filters: {} };
  const number = order.enter(first);
  t.same(order.rest(first, number), first);
  order.enter({ volume: 20 });
  t.same(order.rest(first, number), { paused: true, positionMs: 5, filters: {} });
  order.enter({ track: null });
  t.same(order.rest(first, number), { paused: true, filters: {} }, 'a place in a track goes with the track');
  const last = { volume: 30 };
  t.same(order.rest(last, order.enter(last)), last);
  t.end();
});

t.test(
  'volume, pause and track of a later PATCH stay when the earlier one has its voice',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const first = house.command({
      op: 'update',
      body: { voice: VOICE, volume: 50, paused: false, track: play() },
    });
    await house.settle();
    await house.update({ volume: 100, paused: false, track: play('track', { instance: 2 }) });
    house.driver.last.becomeReady();
    t.same(await first, { connected: true });
    await house.run(5);
    t.same(
      house.events.filter(({ body }) => body.type === 'trackStart').map(({ body }) => body),
      [{ type: 'trackStart', instance: 2 }],
      'tracks start in the order in which they were asked for',
    );
    t.same(house.heard, range(0, 5), 'at full volume');
    t.equal(house.containers.length, 1);
  },
);

t.test(
  'a PATCH with other voice data ends the wait of the one before, in order',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const first = house.command({ op: 'update', body: { voice: VOICE, track: play() } });
    await house.settle();
    const second = house.command({ op: 'update', body: { voice: { ...VOICE, endpoint: 'other:1' } } });
    await house.settle();
    t.same(await first, { connected: false });
    t.ok(house.driver.connections[0]?.closed);
    house.driver.last.becomeReady();
    t.same(await second, { connected: true });
    await house.run(3);
    t.same(house.heard, range(0, 3));
    t.same(house.types, ['trackStart', 'voiceReady', 'trackLength']);
  },
);

t.test('nothing is told after a player is gone, whatever was under way', { timeout: 10_000 }, async (t) => {
  for (const op of ['destroy', 'release'] as const) {
    const house = await House.playing();
    await house.run(5);
    const joining = house.command({
      op: 'update',
      body: { voice: { ...VOICE, token: 'u' }, track: play('track', { instance: 2 }) },
    });
    const gone = house.command({ op, body: {} });
    await t.rejects(joining, { code: 'PUM_COMMAND_STALE' });
    await house.run(10);
    await gone;
    const told = house.types.length;
    const [connection] = house.driver.connections.slice(-1);
    connection?.becomeReady();
    house.clock.advance(120_000);
    await house.settle();
    t.equal(house.types.length, told);
    t.equal(house.containers.length, 1);
    t.ok(house.containers[0]?.closed);
    t.equal(house.shard.players, 0);
    t.equal(house.clock.pending, 1, 'only the watch of the shard is left');
  }
});
