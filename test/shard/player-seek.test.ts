// Seeks at awkward moments: while opening, in a pause, past the end, over an end marker, twice in a row.
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { House, play, range, VOICE } from '../support/shard-house.js';

t.test('a seek of a track that is not open yet opens no second source', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE });
  const playing = house.command({ op: 'update', body: { track: play() } });
  const seeking = house.command({ op: 'update', body: { positionMs: 4_000 } });
  await Promise.all([playing, seeking]);
  await house.settle();
  await house.run(5);
  t.same(house.heard, range(200, 205));
  t.equal(house.containers.length, 1);
  t.same(house.types, ['voiceReady', 'trackStart', 'trackLength']);
});

t.test(
  'a seek back before the start of the track is no seek forward to it',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 500 }, play('track', { startMs: 6_000 }));
    await house.update({ positionMs: 2_000 });
    await house.run(8);
    const landed = house.heard.findIndex((n) => typeof n === 'number' && n < 300);
    t.equal(house.heard[landed], 100, house.heard.join(' '));
    t.equal(house.position, 2_000 + (house.heard.length - landed) * 20);
  },
);

t.test('a seek past the end finishes the track without another packet', { timeout: 10_000 }, async (t) => {
  for (const volume of [100, 50]) {
    const house = await House.playing({ packets: 100 });
    await house.update({ volume });
    await house.run(5);
    const before = house.driver.last.sent.length;
    await house.update({ positionMs: 60_000 });
    await house.run(8);
    t.same(house.types.slice(-1), ['trackEnd finished'], `volume ${String(volume)}`);
    t.ok(house.driver.last.sent.length <= before + 3, 'what was queued, and the silence');
    t.equal(house.eventOf('trackEnd').positionMs, 60_000);
    t.ok(house.containers[0]?.closed);
  }
});

t.test('a seek to the end exactly finishes the track', { timeout: 10_000 }, async (t) => {
  const house = await House.playing({ packets: 100 });
  await house.run(5);
  await house.update({ positionMs: 2_000 });
  await house.run(8);
  t.same(house.types.slice(-1), ['trackEnd finished']);
  t.notOk(house.heard.includes(99), house.heard.join(' '));
});

t.test('a seek over the end marker finishes the track at once', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(5);
  await house.update({ endTimeMs: 3_000 });
  house.containers[0]?.release(100); // The far end brings nothing of the new place.
  await house.update({ positionMs: 8_000 });
  await house.run(5);
  t.same(house.types.slice(-1), ['trackEnd finished']);
});

t.test(
  'old frames that reach the end marker do not end a track that is sought back',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 500 }, play('track', { startMs: 5_000, endTimeMs: 5_200 }));
    await house.run(5);
    house.containers[0]?.release(100);
    await house.update({ positionMs: 2_000 });
    await house.run(20);
    t.notOk(house.types.includes('trackEnd finished'));
    house.containers[0]?.release();
    await house.settle();
    await house.run(5);
    t.ok(house.heard.includes(100), house.heard.join(' '));
  },
);

t.test('an end marker at or before the start is late and does nothing', { timeout: 10_000 }, async (t) => {
  const house = await House.playing({ packets: 120 }, play('track', { startMs: 2_000, endTimeMs: 1_000 }));
  await house.run(30);
  t.same(house.heard, [...range(100, 120), 'finish']);
});

t.test('a pause right behind a seek does not undo the seek', { timeout: 10_000 }, async (t) => {
  for (const positionMs of [600, 8_000]) {
    const house = await House.playing();
    await house.run(10);
    const seeking = house.command({ op: 'update', body: { positionMs } });
    const pausing = house.command({ op: 'update', body: { paused: true } });
    await Promise.all([seeking, pausing]);
    await house.run(8);
    t.equal(house.position, positionMs);
    await house.update({ paused: false });
    await house.run(5);
    const behind = house.heard.slice(house.heard.indexOf('finish') + 1);
    t.same(behind, range(positionMs / 20, positionMs / 20 + 5), `to ${String(positionMs)} ms`);
  }
});

t.test('a pause right behind a seek keeps the new place', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ positionMs: 600 });
  await house.update({ paused: true });
  await house.run(5);
  t.equal(house.position, 600);
  await house.update({ paused: false });
  await house.run(5);
  t.same(house.heard.slice(house.heard.indexOf('finish') + 1), range(30, 35));
});

t.test('a reconnection right behind a seek does not undo it either', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  const seeking = house.command({ op: 'update', body: { positionMs: 600 } });
  const joining = house.command({ op: 'update', body: { voice: { ...VOICE, endpoint: 'other:1' } } });
  await house.settle();
  await Promise.all([seeking, joining]);
  await house.run(5);
  t.same(house.heard, range(30, 35));
});

t.test('of two seeks in a row the second one counts', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(5);
  const first = house.command({ op: 'update', body: { positionMs: 8_000 } });
  const second = house.command({ op: 'update', body: { positionMs: 400 } });
  await Promise.all([first, second]);
  await house.run(8);
  t.notOk(
    house.heard.some((n) => typeof n === 'number' && n >= 100),
    house.heard.join(' '),
  );
  t.ok(house.heard.includes(20));
});

t.test(
  'without seek ghosting nothing but the queued frames follows a seek',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ audio: { ghosting: false } });
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(5);
    house.containers[0]?.release(300);
    await house.update({ positionMs: 7_000 });
    await house.run(8);
    const old = house.heard;
    t.same(old, range(0, old.length));
    t.ok(old.length <= 7, old.join(' '));
    house.containers[0]?.release();
    await house.settle();
    await house.run(3);
    t.same(house.heard.slice(old.length), range(350, 353));
  },
);

t.test(
  'a source that failed can be sought in, and fails once more at most',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 500, failAt: 100 });
    await house.run(95);
    await house.update({ positionMs: 6_000 });
    await house.run(10);
    t.notOk(house.types.includes('trackException'), house.types.join(' '));
    t.ok(house.heard.includes(300), house.heard.join(' '));
  },
);

t.test('a seek out of a pause of a source that failed meanwhile plays', { timeout: 10_000 }, async (t) => {
  const house = await House.playing({ packets: 500, failAt: 40 });
  await house.run(5);
  await house.update({ paused: true });
  house.containers[0]?.release(300);
  await house.update({ positionMs: 8_000 });
  await house.update({ paused: false });
  await house.run(3);
  house.containers[0]?.release();
  await house.run(8);
  t.notOk(house.types.includes('trackException'), house.types.join(' '));
  t.ok(house.heard.includes(400));
});

t.test('every frame that left is counted, over seeks, pauses and volumes', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  for (const body of [
    { positionMs: 600 },
    { volume: 50 },
    { paused: true },
    { paused: false },
    { volume: 100 },
    { positionMs: 5_000 },
  ]) {
    await house.run(7);
    await house.update(body);
  }
  await house.run(7);
  const left = house.heard.filter((n) => n !== 'finish');
  t.equal(house.table.get(0, PlayerWord.sent), left.length);
  t.equal(house.counters.get(10), left.filter((n) => n !== null).length);
  t.equal(house.counters.get(11), left.filter((n) => n === null).length);
});
