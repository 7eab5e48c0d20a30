// One track after the other: which of them sounds, which of them is closed, and where the new one begins.
import t from 'tap';
import { House, play, range, VOICE } from '../support/shard-house.js';

t.test(
  'a pause while the old track still sounds leaves the new one at its start',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(100);
    await house.update({ track: play('held', { instance: 2 }) });
    await house.run(3);
    await house.update({ paused: true });
    house.containers[1]?.release();
    await house.run(5);
    t.equal(house.position, 0);
    await house.update({ paused: false });
    await house.run(5);
    t.same(house.heard.slice(house.heard.indexOf('finish') + 1), range(0, 5));
  },
);

t.test(
  'a pause right behind a replacement leaves the new track at its start',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(100);
    await house.update({ track: play('track', { instance: 2 }) });
    await house.update({ paused: true });
    await house.run(5);
    await house.update({ paused: false });
    await house.run(5);
    t.same(house.heard.slice(house.heard.indexOf('finish') + 1), range(0, 5));
  },
);

t.test(
  'a connection lost while the old track still sounds leaves the new one at its start',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(100);
    await house.update({ track: play('held', { instance: 2 }) });
    await house.run(3);
    house.driver.last.fail();
    house.containers[1]?.release();
    await house.update({ voice: VOICE });
    await house.run(5);
    t.same(house.heard, range(0, 5));
  },
);

t.test(
  'a track replaced while it opens is closed, and the one that sounds goes on',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(10);
    await house.update({ track: play('held', { instance: 2 }) });
    await house.run(3);
    await house.update({ track: play('held', { instance: 3 }) });
    await house.settle();
    t.ok(house.containers[1]?.closed);
    await house.run(3);
    t.same(house.heard, range(0, 16), 'the shadow of the first track');
    house.containers[2]?.release();
    await house.run(5);
    t.ok(house.containers[0]?.closed);
    t.same(
      house.types.filter((type) => type.startsWith('trackEnd')),
      ['trackEnd replaced', 'trackEnd replaced'],
    );
  },
);

t.test('a new track that begins in a pause silences the old one at once', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ track: play('track', { instance: 2 }), paused: true });
  await house.run(5);
  t.same(house.heard, [...range(0, 10), 'finish']);
  t.ok(house.containers[0]?.closed);
  await house.update({ paused: false });
  await house.run(3);
  t.same(house.heard.slice(11), range(0, 3));
});

t.test(
  'a track given without a word on pausing keeps the pause that was asked before it',
  { timeout: 10_000 },
  async (t) => {
    // As main does for an identifier: first the pause, then, loaded, the track.
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, paused: true });
    await house.update({ track: play() });
    await house.run(5);
    t.same(house.heard, ['finish']);
    await house.update({ paused: false });
    await house.run(5);
    t.same(house.heard.slice(1), range(0, 5));
  },
);

t.test('stop and pause while a track opens leave nothing open', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE });
  const playing = house.command({ op: 'update', body: { track: play() } });
  const pausing = house.command({ op: 'update', body: { paused: true } });
  const stopping = house.command({ op: 'update', body: { track: null } });
  await Promise.all([playing, pausing, stopping]);
  await house.run(5);
  t.ok(house.containers[0]?.closed);
  t.same(house.heard, ['finish']);
  t.same(house.types, ['voiceReady', 'trackStart', 'trackEnd stopped']);
  t.equal(house.clock.pending, 1, 'only the watch of the shard is left');
});
