// A player's voice connection, its placement and its end.
import t from 'tap';
import { PlayerFlag, PlayerWord } from '../../src/shared/counter-words.js';
import { createBody, House, play, range, VOICE } from '../support/shard-house.js';

t.test('a pause keeps the place, and nothing is lost or played twice', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ paused: true });
  await house.run(10);
  t.equal(house.position, 200);
  t.ok(house.table.get(0, PlayerWord.flags) & PlayerFlag.paused);
  await house.update({ paused: false });
  await house.run(10);
  t.same(house.heard, [...range(0, 10), 'finish', ...range(10, 20)]);
  t.equal(house.table.get(0, PlayerWord.nulled), 0, 'a pause is no underrun');
});

t.test('a track without a voice connection is cleaned up after a minute', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ track: play() });
  house.clock.advance(59_000);
  t.notOk(house.types.includes('trackEnd cleanup'));
  house.clock.advance(2_000);
  t.same(house.types.slice(-1), ['trackEnd cleanup']);
});

t.test('a paused track with a voice connection is never cleaned up', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play(), paused: true });
  house.clock.advance(600_000);
  t.same(house.types, ['voiceReady', 'trackStart']);
});

t.test(
  'voice that cannot be had is told to the PATCH alone, and nothing behind it is applied',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const answer = house.command({ op: 'update', body: { voice: VOICE, track: play() } });
    await house.settle();
    house.driver.last.fail();
    await t.rejects(answer, { code: 'PUM_VOICE_FAILED' });
    t.same(house.types, []);
  },
);

t.test(
  'voice that takes its time is answered after five seconds, and its failure is then an event',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const answer = house.command({ op: 'update', body: { voice: VOICE, track: play() } });
    await house.settle();
    house.clock.advance(5_000);
    t.same(await answer, { connected: false });
    t.same(house.types, ['trackStart']);
    house.driver.last.fail({ code: 4_004, reason: 'Authentication failed' });
    t.same(house.types, ['trackStart', 'voiceClosed']);
    t.equal(house.eventOf('voiceClosed').code, 4_004);
  },
);

t.test('changed voice data reconnects while the track keeps its place', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ voice: { ...VOICE, endpoint: 'other:1' } });
  t.equal(house.driver.connections.length, 2);
  t.ok(house.driver.connections[0]?.closed);
  await house.run(10);
  t.same(house.heard, range(10, 20), 'the next frame is the one that had not left');
  t.same(house.types, ['voiceReady', 'trackStart', 'trackLength', 'voiceClosed', 'voiceReady']);
  t.equal(house.eventOf('voiceClosed').code, 1_000);
});

t.test('a lost voice connection leaves the track where it is', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  house.driver.last.fail({ code: 4_014, reason: 'Disconnected' });
  await house.run(10);
  t.equal(house.position, 200);
  t.notOk(house.table.get(0, PlayerWord.flags) & PlayerFlag.connected);
  await house.update({ voice: VOICE });
  await house.run(5);
  t.same(house.heard[0], 10, house.heard.join(' '));
});

t.test(
  'destroy ends track and voice with their events; release does so without',
  { timeout: 10_000 },
  async (t) => {
    for (const op of ['destroy', 'release'] as const) {
      const house = await House.playing();
      await house.run(5);
      const before = house.types.length;
      const answer = house.command({ op, body: {} });
      await house.run(10);
      await answer;
      t.equal(
        house.heard.at(-1),
        op === 'destroy' ? 'finish' : 4,
        'silence has gone out, or the last packet',
      );
      t.same(house.types.slice(before), op === 'destroy' ? ['trackEnd stopped', 'voiceClosed'] : []);
      t.ok(house.driver.last.closed);
      t.ok(house.containers[0]?.closed);
      t.equal(house.shard.players, 0);
      await house.run(5);
      t.equal(house.clock.pending, 1, 'only the watch of the shard is left');
    }
  },
);

t.test(
  'an adopted player connects without an event and keeps counting its events',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.command({ op: 'adopt', body: { ...createBody(), voice: VOICE, seq: 41, playing: null } }, 3);
    await house.settle();
    t.ok(house.driver.last.connected);
    t.same(house.types, []);
    await house.command({ op: 'update', body: { track: play() } }, 3);
    t.equal(house.events[0]?.seq, 42);
    t.equal(house.events[0]?.epoch, 3);
  },
);

t.test(
  'an old placement, a repeated revision and an unknown player are refused',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create(5);
    await t.rejects(house.command({ op: 'update', body: {} }, 4), { code: 'PUM_COMMAND_STALE' });
    await house.command({ op: 'update', body: {} }, 5, 100);
    await t.rejects(house.command({ op: 'update', body: {} }, 5, 100), { code: 'PUM_COMMAND_STALE' });
    await t.rejects(house.command({ op: 'create', body: createBody() }, 5), { code: 'PUM_COMMAND_STALE' });
    await house.command({ op: 'destroy', body: {} }, 5, 101);
    await t.rejects(house.command({ op: 'update', body: {} }, 5, 102), { code: 'PUM_COMMAND_STALE' });
  },
);

t.test(
  'a track whose last frames went down with the connection still ends',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 30 });
    await house.run(28);
    house.driver.last.fail();
    await house.run(5);
    t.notOk(house.types.includes('trackEnd finished'), 'two frames are still owed');
    await house.update({ voice: VOICE });
    await house.run(10);
    t.same(house.heard, [28, 29, 'finish']);
    t.same(house.types.slice(-1), ['trackEnd finished']);
  },
);

t.test(
  'a pause at the very end of a track loses nothing and ends it once',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 30 });
    await house.run(28);
    await house.update({ paused: true });
    await house.run(5);
    await house.update({ paused: false });
    await house.run(10);
    t.same(
      house.heard.filter((n) => n !== 'finish'),
      range(0, 30),
    );
    t.equal(house.types.filter((type) => type === 'trackEnd finished').length, 1);
  },
);

t.test(
  'a failing track tells its exception once, whatever happens to its last frames',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 100, failAt: 25 });
    await house.run(23);
    await house.update({ paused: true });
    await house.update({ paused: false });
    await house.run(10);
    t.equal(house.types.filter((type) => type === 'trackException').length, 1);
    t.same(house.types.slice(-1), ['trackEnd finished']);
  },
);

t.test(
  'a command that waited for voice does nothing to a player that is gone',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const waiting = house.command({ op: 'update', body: { voice: VOICE, track: play() } });
    await house.settle();
    await house.command({ op: 'destroy', body: {} });
    await t.rejects(waiting, { code: 'PUM_COMMAND_STALE' });
    t.same(house.types, []);
    t.equal(house.containers.length, 0, 'nothing was opened');
  },
);

t.test(
  'a volume that no filter chain can be made of ends its own track, not the shard',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(5);
    await house.update({ filters: { volume: 99 } });
    await house.run(10);
    t.same(house.types.slice(-2), ['trackException', 'trackEnd finished']);
    t.equal(house.eventOf('trackException').error.code, 'PUM_DECODE_FAILED');
    await house.update({ filters: {}, track: play('track', { instance: 2 }) });
    await house.run(10);
    t.same(house.types.slice(-2), ['trackStart', 'trackLength']);
  },
);
