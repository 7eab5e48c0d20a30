// What a player plays: from the first packet to the last, over pauses, seeks, volumes and replacements.
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { House, play, range, VOICE } from '../support/shard-house.js';

t.test(
  'a track plays from its first packet to its last, passed through, and ends once',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    house.tracks = { packets: 60 };
    await house.create();
    t.same(await house.update({ voice: VOICE, track: play() }), { connected: true });
    await house.run(80);
    t.same(house.heard, [...range(0, 60), 'finish']);
    t.same(house.types, ['voiceReady', 'trackStart', 'trackLength', 'trackEnd finished']);
    t.equal(house.eventOf('trackEnd').positionMs, 1_200);
    t.equal(house.eventOf('trackLength').lengthMs, 1_200);
    t.same(
      house.events.map(({ seq }) => seq),
      [1, 2, 3, 4],
    );
    t.equal(house.table.get(0, PlayerWord.sent), 60);
    t.ok(house.containers[0]?.closed);
  },
);

t.test('the position is that of the frames sent', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play('track', { startMs: 2_000 }) });
  t.equal(house.position, 2_000, 'before the first frame: the start');
  await house.run(10);
  t.equal(house.position, 2_200);
  t.same(house.heard, range(100, 110));
});

t.test(
  'a seek inside the window, behind it and back lands on the frame asked for',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(10);
    await house.update({ positionMs: 600 });
    t.equal(house.position, 600, 'the answer says where it was asked to go');
    await house.run(5);
    const afterInside = house.heard;
    const landed = afterInside.indexOf(30);
    t.ok(landed >= 10 && landed <= 12, afterInside.join(' '));
    t.same(afterInside.slice(landed), range(30, 30 + afterInside.length - landed));
    await house.update({ positionMs: 8_000 });
    await house.run(6);
    t.same(house.heard.slice(house.heard.indexOf(400)), range(400, 405), house.heard.join(' '));
    await house.update({ positionMs: 0 });
    await house.run(6);
    t.ok(
      house.heard.slice(-4).every((n) => typeof n === 'number' && n < 10),
      house.heard.join(' '),
    );
    t.same(
      house.types.filter((type) => type.startsWith('track')),
      ['trackStart', 'trackLength'],
    );
  },
);

t.test(
  'after a seek old frames go on until the new ones are there, without moving the position',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(5);
    house.containers[0]?.release(300);
    await house.update({ positionMs: 7_000 });
    await house.run(5);
    t.same(house.heard, range(0, 10), 'ghosting');
    t.equal(house.position, 7_000);
    house.containers[0]?.release();
    await house.settle();
    await house.run(6);
    t.ok(house.heard.includes(352), house.heard.join(' '));
  },
);

t.test(
  'a changed volume is heard from the next frame made on, and back again frame by frame',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(30);
    await house.update({ volume: 50 });
    await house.run(20);
    await house.update({ volume: 100 });
    await house.run(20);
    const heard = house.heard;
    const firstEncoded = heard.indexOf(null);
    t.ok(firstEncoded >= 30 && firstEncoded <= 32, `encoded from ${String(firstEncoded)}`);
    const back = heard.findIndex((n, at) => at > firstEncoded && n !== null);
    t.equal(heard[back], back, 'the packet passed through again is the one whose turn it is');
    t.ok(back >= 50 && back <= 52);
    t.equal(house.position, 1_400);
  },
);

t.test(
  'a packet that cannot be passed through is encoded, and the track goes on',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 40, unfitFrom: 30 });
    await house.run(60);
    t.same(house.heard.slice(0, 30), range(0, 30));
    t.ok(house.heard.slice(30, -1).every((n) => n === null));
    t.ok(house.types.includes('trackEnd finished'));
  },
);

t.test(
  'a new track ends the old one first, and old frames sound until it has its own',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(10);
    await house.update({ track: play('held', { instance: 2 }) });
    t.same(house.types, ['voiceReady', 'trackStart', 'trackLength', 'trackEnd replaced', 'trackStart']);
    await house.run(4);
    t.same(house.heard, range(0, 14), 'the shadow of the old track');
    t.equal(house.position, 0);
    house.containers[1]?.release();
    await house.settle();
    await house.run(6);
    t.same(
      house.heard.slice(-4).every((n) => typeof n === 'number' && n < 6),
      true,
      house.heard.join(' '),
    );
    t.ok(house.containers[0]?.closed, 'the old track has been let go of');
  },
);

t.test(
  'an end marker ends the track there as finished; one that is late does nothing',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(10);
    await house.update({ endTimeMs: 100 });
    await house.run(10);
    t.notOk(house.types.includes('trackEnd finished'));
    await house.update({ endTimeMs: 600 });
    await house.run(20);
    t.same(house.heard, [...range(0, 30), 'finish']);
    t.equal(house.eventOf('trackEnd').reason, 'finished');
    t.equal(house.eventOf('trackEnd').positionMs, 600);
  },
);

t.test('stop ends the track at once with five silent frames to follow', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ track: null });
  await house.run(3);
  t.same(house.heard, [...range(0, 10), 'finish']);
  t.equal(house.eventOf('trackEnd').reason, 'stopped');
  t.equal(house.table.get(0, PlayerWord.instance), 0);
});

t.test(
  'a track that cannot be opened is an exception, then loadFailed, once each',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play('broken') });
    await house.run(3);
    t.same(house.types, ['voiceReady', 'trackStart', 'trackException', 'trackEnd loadFailed']);
    t.equal(house.eventOf('trackException').error.code, 'PUM_FORMAT_UNKNOWN');
  },
);

t.test(
  'a source that breaks plays what it brought, then exception and finished',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing({ packets: 100, failAt: 25 });
    await house.run(40);
    t.same(house.heard, [...range(0, 25), 'finish']);
    t.same(house.types.slice(-2), ['trackException', 'trackEnd finished']);
  },
);

t.test(
  'a stalled source is stuck once, is counted as nulled, and goes on when it comes back',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ audio: { stuckMs: 1_000 } });
    await house.create();
    await house.update({ voice: VOICE });
    house.tracks = { packets: 500 };
    await house.update({ track: play() });
    const container = house.containers[0];
    await house.run(5);
    container?.release(0);
    await house.run(200);
    const stuck = house.types.filter((type) => type === 'trackStuck');
    t.same(stuck, ['trackStuck']);
    t.ok(house.table.get(0, PlayerWord.nulled) > 50);
    container?.release();
    await house.settle();
    await house.run(20);
    t.same(
      house.types.filter((type) => type === 'trackEnd finished'),
      [],
    );
    const numbers = house.heard.filter((n) => typeof n === 'number');
    t.same(numbers, range(0, numbers.length), 'no packet was lost over it');
  },
);

t.test('a reader stops at the length of its window', { timeout: 10_000 }, async (t) => {
  const house = await House.playing({ packets: 5_000 });
  const taken = house.containers[0]?.taken ?? 0;
  t.ok(taken >= 50 && taken <= 60, `${String(taken)} packets for a window of a second`);
  await house.run(100);
  const later = house.containers[0]?.taken ?? 0;
  t.ok(later >= 140 && later <= 165, `${String(later)} packets after two more seconds`);
});

t.test('a seek to the very end of the window is not forgotten', { timeout: 10_000 }, async (t) => {
  for (const positionMs of [980, 1_000, 1_020]) {
    const house = await House.playing();
    await house.run(5);
    await house.update({ positionMs });
    await house.run(20);
    t.ok(house.heard.includes(positionMs / 20), `${String(positionMs)} ms: ${house.heard.join(' ')}`);
    t.ok(house.position > positionMs);
  }
});

t.test('a seek in a pause plays nothing of the old place afterwards', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ paused: true });
  await house.run(3);
  house.containers[0]?.release(300);
  await house.update({ positionMs: 7_000 });
  await house.update({ paused: false });
  await house.run(5);
  t.same(house.heard, [...range(0, 10), 'finish'], 'nothing while the new place is not there yet');
  house.containers[0]?.release();
  await house.settle();
  await house.run(3);
  t.same(house.heard.slice(11), [350, 351, 352]);
});

t.test(
  'a long pause lets go of the source, and the track goes on where it was',
  { timeout: 10_000 },
  async (t) => {
    const house = await House.playing();
    await house.run(10);
    await house.update({ paused: true });
    await house.run(3);
    house.clock.advance(29_000);
    t.notOk(house.containers[0]?.closed);
    house.clock.advance(3_000);
    await house.settle();
    t.ok(house.containers[0]?.closed);
    t.equal(house.containers.length, 1, 'nothing is opened meanwhile');
    t.equal(house.position, 200);
    await house.update({ paused: false });
    await house.run(10);
    t.equal(house.containers.length, 2);
    const sound = house.heard.filter((n) => n !== 'finish');
    t.same(sound, range(0, sound.length), 'no packet was lost or played twice');
    t.ok(sound.length >= 18);
    t.same(house.types, ['voiceReady', 'trackStart', 'trackLength']);
  },
);

t.test('a seek in a long pause is where the track goes on', { timeout: 10_000 }, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ paused: true });
  await house.run(3);
  house.clock.advance(40_000);
  await house.update({ positionMs: 6_000 });
  await house.update({ paused: false });
  await house.run(6);
  const behind = house.heard.slice(house.heard.indexOf('finish') + 1);
  t.same(behind, range(300, 300 + behind.length));
  t.ok(behind.length >= 4);
});
