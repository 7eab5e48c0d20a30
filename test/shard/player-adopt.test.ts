// A player that a replacement takes over from a dead placement: it goes on with its track where that was, tells
// nobody, and counts what was not heard (decision D13, architecture §8 seam 4).
import t from 'tap';
import { PlayerFlag, PlayerWord, ShardWord } from '../../src/shared/counter-words.js';
import { ServerError } from '../../src/shared/errors.js';
import type { AdoptBody } from '../../src/shared/shard-commands.js';
import { createBody, House, play, range, VOICE } from '../support/shard-house.js';

const LIMIT = { timeout: 10_000 };

interface Options {
  readonly body?: Partial<AdoptBody>;
  readonly startMs?: number;
  readonly silentMs?: number;
  readonly token?: string;
  readonly endTimeMs?: number;
  readonly house?: House;
}

async function adopt(options: Options = {}): Promise<House> {
  const { startMs = 1_000, silentMs = 0, token = 'track', endTimeMs = null, house = new House() } = options;
  const playing = { play: play(token, { startMs, endTimeMs }), silentMs };
  const body = { ...createBody(), voice: VOICE, seq: 41, playing, ...options.body };
  await house.command({ op: 'adopt', body }, 3);
  await house.settle();
  return house;
}

function totals({ table, counters }: House): { nulled: number; missed: number; starved: number } {
  return {
    nulled: table.get(0, PlayerWord.nulled),
    missed: counters.get(ShardWord.missed),
    starved: counters.get(ShardWord.starved),
  };
}

t.test('it goes on with the next frame, and no event but the length is raised', LIMIT, async (t) => {
  const house = await adopt();
  t.equal(house.position, 1_000);
  t.equal(house.table.get(0, PlayerWord.instance), 1);
  t.ok(house.table.get(0, PlayerWord.flags) & PlayerFlag.hasTrack);
  await house.run(10);
  t.same(house.heard, range(50, 60));
  t.equal(house.position, 1_200);
  t.same(house.types, ['trackLength']);
  t.match(house.events, [{ seq: 42, epoch: 3 }]);
});

t.test('its track ends as any other, once', LIMIT, async (t) => {
  const house = new House();
  house.tracks = { packets: 60 };
  await adopt({ house });
  await house.run(15);
  t.same(house.heard, [...range(50, 60), 'finish']);
  t.same(house.types, ['trackLength', 'trackEnd finished']);
});

t.test('a track that was over but for its end ends at once', LIMIT, async (t) => {
  for (const startMs of [1_200, 1_210, 5_000]) {
    const house = new House();
    house.tracks = { packets: 60 };
    await adopt({ house, startMs });
    await house.run(5);
    t.same(house.types.slice(-1), ['trackEnd finished'], String(startMs));
    t.same(
      house.heard.filter((heard) => heard !== 'finish'),
      [],
    );
  }
});

t.test('an end marker holds for it', LIMIT, async (t) => {
  const house = await adopt({ endTimeMs: 1_100 });
  await house.run(10);
  t.same(house.heard, [...range(50, 55), 'finish']);
  t.same(house.types.slice(-1), ['trackEnd finished']);
});

t.test('a track that cannot be opened any more fails with its events', LIMIT, async (t) => {
  const house = await adopt({ token: 'broken' });
  await house.run(3);
  t.same(house.types, ['trackException', 'trackEnd loadFailed']);
  t.equal(house.eventOf('trackEnd').positionMs, 1_000);
});

t.test('what was not heard is counted once, whoever noticed it', LIMIT, async (t) => {
  const house = await adopt({ silentMs: 400 });
  // The first frame leaves 20 ms from now: 20 slots lie between it and the last one before the death.
  await house.run(1);
  t.same(totals(house), { nulled: 20, missed: 20, starved: 0 });
  await house.run(10);
  t.same(totals(house), { nulled: 20, missed: 20, starved: 0 }, 'and no more');
});

t.test('slots that the new connection misses are not counted twice', LIMIT, async (t) => {
  const house = await adopt({ silentMs: 400, token: 'held' });
  // A frame of the connection's own, so that it has something to miss.
  house.driver.last.sent.push(new Uint8Array(1));
  await house.run(10);
  t.equal(house.table.get(0, PlayerWord.nulled), 10);
  house.containers[0]?.release();
  await house.settle();
  await house.run(1);
  t.equal(house.table.get(0, PlayerWord.nulled), 30);
  t.equal(house.counters.get(ShardWord.missed), 30);
});

t.test('a paused player stays paused, and its silence is none that counts', LIMIT, async (t) => {
  const house = await adopt({ body: { paused: true }, silentMs: 60_000 });
  await house.run(5);
  t.same(house.heard, []);
  t.ok(house.table.get(0, PlayerWord.flags) & PlayerFlag.paused);
  await house.command({ op: 'update', body: { paused: false } }, 3);
  await house.run(3);
  t.same(house.heard, range(50, 53));
  t.same(totals(house), { nulled: 0, missed: 0, starved: 0 });
});

t.test('a pause or a stop ends the silence that counts', LIMIT, async (t) => {
  for (const update of [{ paused: true }, { track: null }]) {
    const house = new House({ willing: false });
    await adopt({ house, silentMs: 100 });
    house.clock.advance(100);
    await house.command({ op: 'update', body: update }, 3);
    t.same(totals(house), { nulled: 9, missed: 9, starved: 0 });
    house.clock.advance(1_000);
    t.same(totals(house), { nulled: 9, missed: 9, starved: 0 });
  }
});

t.test('a slot that is missed moves the time of the position, for whoever takes over', LIMIT, async (t) => {
  const house = await House.playing({ packets: 500 }, play('held'));
  house.containers[0]?.release(10);
  await house.settle();
  await house.run(10);
  t.match(house.table.readPosition(0), { positionMs: 200, at: house.clock.now() });
  await house.run(10);
  t.match(house.table.readPosition(0), { positionMs: 200, at: house.clock.now() });
});

t.test('nobody identifies before what the dead shard had sealed is sent', LIMIT, async (t) => {
  const house = await adopt({ startMs: 1_000, silentMs: -100 });
  t.same(house.table.readPosition(0), { positionMs: 1_000, at: house.clock.now() + 100 });
  await house.run(4);
  t.equal(house.driver.connections.length, 0, 'the old session is still heard');
  await house.run(6);
  t.same(house.heard.slice(0, 3), range(50, 53));
  t.same(totals(house), { nulled: 0, missed: 0, starved: 0 });
  t.same(house.types, ['trackLength']);
});

t.test('slots are missed from the end of what was sealed on', LIMIT, async (t) => {
  const house = new House({ willing: false });
  await adopt({ house, silentMs: -100 });
  await house.run(15);
  house.driver.last.becomeReady();
  await house.settle();
  await house.run(1);
  // 16 slots have passed, five of them the dead shard's, and this one has its frame.
  t.same(totals(house), { nulled: 10, missed: 10, starved: 0 });
  t.same(house.heard, [50]);
});

t.test('voice data that comes meanwhile connects at once, and once', LIMIT, async (t) => {
  const house = await adopt({ silentMs: -400 });
  const answer = house.command({ op: 'update', body: { voice: VOICE } }, 3);
  await house.settle();
  t.same(await answer, { connected: true });
  t.equal(house.driver.connections.length, 1);
  await house.run(30);
  t.equal(house.driver.connections.length, 1);
  t.equal(house.heard[0], 50);
});

t.test('a driver that is full by then is an event, and the track waits', LIMIT, async (t) => {
  const house = await adopt({ silentMs: -100 });
  house.driver.connect = () => {
    throw new ServerError('PUM_VOICE_FULL', { limit: 1 });
  };
  await house.run(10);
  t.match(house.eventOf('voiceClosed'), { code: 1006, byRemote: false });
  t.equal(house.position, 1_000);
  t.ok(house.table.get(0, PlayerWord.flags) & PlayerFlag.hasTrack);
});

t.test('a player that is let go while it waits leaves nothing behind', LIMIT, async (t) => {
  for (const op of ['release', 'destroy'] as const) {
    const house = await adopt({ silentMs: -400 });
    await house.command({ op, body: {} }, 3);
    await house.settle();
    t.equal(house.clock.pending, 1, 'only the watch of the shard is left');
    await house.run(30);
    t.equal(house.driver.connections.length, 0);
  }
});

t.test('a position keeps the age that it had before the death', LIMIT, async (t) => {
  const house = new House({ willing: false });
  house.clock.advance(1_000);
  await adopt({ house, silentMs: 300 });
  t.same(house.table.readPosition(0), { positionMs: 1_000, at: 700 });
});

t.test('a voice server that refuses the replacement is told, and the track waits', LIMIT, async (t) => {
  const house = new House({ willing: false });
  await adopt({ house });
  house.driver.last.fail({ code: 4_006 });
  await house.settle();
  t.match(
    house.types.filter((type) => type !== 'trackLength'),
    ['voiceClosed'],
  );
  await house.command({ op: 'update', body: { paused: false } }, 3);
  t.equal(house.position, 1_000);
});

t.test('a driver that is full leaves nothing of the player', LIMIT, async (t) => {
  const house = new House();
  house.driver.connect = () => {
    throw new Error('full');
  };
  await t.rejects(adopt({ house }), { message: 'full' });
  t.equal(house.shard.players, 0);
  await house.settle();
  t.ok(house.containers[0]?.closed);
  t.same(house.types, []);
  t.equal(house.clock.pending, 1, 'only the watch of the shard is left');
});
