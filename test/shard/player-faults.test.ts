// What is thrown in the middle of playing costs one player its track, never the shard its life; and what a
// shard counts of its players is so.
import t from 'tap';
import { ShardWord } from '../../src/shared/counter-words.js';
import { createBody, House, play, range } from '../support/shard-house.js';

t.test('a connection that throws at a frame ends the track of its player', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(5);
  house.driver.last.push = () => {
    throw new Error('a socket is gone');
  };
  await house.run(5);
  t.same(house.types.slice(-2), ['trackException', 'trackEnd finished']);
  t.equal(house.eventOf('trackException').error.code, 'PUM_TRACK_TERMINATED');
  t.ok(house.containers[0]?.closed);
});

t.test('a source that does not close well takes nobody with it', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  const [container] = house.containers;
  if (container) {
    container.close = () => {
      throw new Error('a descriptor is gone');
    };
  }
  await house.run(5);
  await house.update({ track: null });
  await house.settle();
  await house.update({ track: play('track', { instance: 2 }) });
  await house.run(5);
  t.same(house.heard.filter((n) => n !== 'finish').slice(-3).length, 3);
  t.same(house.types.slice(-3), ['trackEnd stopped', 'trackStart', 'trackLength']);
});

t.test('players, connections and playing players are counted', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  const count = (): number[] =>
    [ShardWord.players, ShardWord.voiceConnections, ShardWord.playing].map((word) =>
      house.counters.get(word),
    );
  house.clock.advance(500);
  t.same(count(), [1, 1, 1]);
  await house.update({ paused: true });
  house.clock.advance(500);
  t.same(count(), [1, 1, 0]);
  house.driver.last.fail();
  house.clock.advance(500);
  t.same(count(), [1, 0, 0]);
  await house.command({ op: 'release', body: {} });
  house.clock.advance(500);
  t.same(count(), [0, 0, 0]);
});

t.test(
  'a missed slot is starved only where the source had brought nothing',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(5);
    t.equal(house.counters.get(ShardWord.starved), 0, 'opening is not starving');
    house.containers[0]?.release(0);
    await house.run(100);
    const missed = house.counters.get(ShardWord.missed);
    t.ok(missed > 30);
    t.equal(house.counters.get(ShardWord.starved), missed);
  },
);

t.test('a placement that takes over releases the one before', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(3);
  await house.command({ op: 'create', body: createBody() }, 2);
  t.equal(house.shard.players, 1);
  t.ok(house.driver.last.closed);
  t.ok(house.containers[0]?.closed);
  t.same(house.heard, range(0, 3));
});
