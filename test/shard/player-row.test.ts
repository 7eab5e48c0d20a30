// What a player's row says: the position by the frames that left, and for every slot without a frame what it wanted
// for (issue "frame statistics that are true"). The sender's words are written by the driver.
import t from 'tap';
import { PlayerWord, ShardWord } from '../../src/shared/counter-words.js';
import { PlayerTable } from '../../src/shared/player-table.js';
import { PlayerRow } from '../../src/shard/player-row.js';
import { House, play, VOICE } from '../support/shard-house.js';

const LIMIT = { timeout: 10_000 };

interface Causes {
  readonly nulled: number;
  readonly source: number;
  readonly decode: number;
  readonly ring: number;
  readonly socket: number;
}

function causes({ table }: House): Causes {
  const of = (name: keyof typeof PlayerWord): number => table.get(0, PlayerWord[name]);
  return {
    nulled: of('nulled'),
    source: of('nulledSource'),
    decode: of('nulledDecode'),
    ring: of('nulledRing'),
    socket: of('nulledSocket'),
  };
}

/** So many slots after what is queued has left, without a turn of the fill loop. */
function missSlots({ driver }: House, slots: number): void {
  const connection = driver.last;
  while (connection.room() < connection.depth) connection.tick();
  for (let slot = 0; slot < slots; slot++) connection.tick();
}

const NONE: Causes = { nulled: 0, source: 0, decode: 0, ring: 0, socket: 0 };

t.test('slots in which the source brings nothing are the source’s', LIMIT, async (t) => {
  const house = await House.playing({ packets: 500 }, play('held'));
  house.containers[0]?.release(10);
  await house.settle();
  await house.run(15);
  t.same(causes(house), { ...NONE, nulled: 5, source: 5 });
  t.equal(house.counters.get(ShardWord.starved), 5);
  t.equal(house.counters.get(ShardWord.missed), 5);
  house.containers[0]?.release();
  await house.settle();
  await house.run(5);
  t.same(causes(house), { ...NONE, nulled: 5, source: 5 }, 'and no more once it does');
});

t.test('slots for which the shard was too late are the decoder’s', LIMIT, async (t) => {
  const house = await House.playing();
  await house.run(5);
  missSlots(house, 3);
  t.same(causes(house), { ...NONE, nulled: 3, decode: 3 });
  t.equal(house.counters.get(ShardWord.starved), 0);
});

t.test('slots in which a frame was there that the ring did not take are the ring’s', LIMIT, async (t) => {
  const house = await House.playing();
  await house.run(5);
  house.driver.last.blocked = true;
  missSlots(house, 2);
  t.same(causes(house), { ...NONE, nulled: 2, ring: 2 });
});

t.test('frames that are given up are counted by their cause, and the track goes on', LIMIT, async (t) => {
  for (const why of ['ring', 'socket'] as const) {
    const house = await House.playing();
    await house.run(5);
    const sent = house.table.get(0, PlayerWord.sent);
    const counted = house.counters.get(ShardWord.sentPassthrough);
    house.driver.last.givesUp = why;
    await house.run(10);
    t.same(causes(house), { ...NONE, nulled: 10, [why]: 10 });
    t.equal(house.table.get(0, PlayerWord.sent), sent);
    t.equal(house.counters.get(ShardWord.sentPassthrough), counted, 'and not as sent');
    t.equal(house.position, 300, 'the clock of the track runs on');
    house.driver.last.givesUp = null;
    await house.run(5);
    t.equal(house.position, 400);
    t.equal(house.table.get(0, PlayerWord.sent), sent + 5);
  }
});

t.test('a track whose last frames are given up ends as any other', LIMIT, async (t) => {
  const house = await House.playing({ packets: 20 });
  await house.run(10);
  house.driver.last.givesUp = 'ring';
  await house.run(15);
  t.same(house.types.slice(-1), ['trackEnd finished']);
  t.equal(house.eventOf('trackEnd').positionMs, 400);
});

t.test('every change of track or place has a tag of its own', LIMIT, async (t) => {
  const house = await House.playing();
  const tags = new Set<number>();
  const note = (): unknown =>
    tags.add(house.table.get(0, PlayerWord.tag) * 2 ** 32 + house.table.get(0, PlayerWord.otherTag));
  note();
  await house.update({ positionMs: 3_000 });
  note();
  await house.update({ positionMs: 1_000 });
  note();
  await house.update({ track: play('track', { instance: 2 }) });
  note();
  await house.update({ track: null });
  note();
  await house.update({ track: play('track', { instance: 3 }) });
  note();
  t.equal(tags.size, 6);
});

t.test('frames of before a seek leave without moving the position', LIMIT, async (t) => {
  const house = await House.playing({ packets: 500 });
  await house.run(10);
  house.containers[0]?.release(0);
  await house.update({ positionMs: 8_000 });
  // What is queued is heard until the first frame from there is.
  house.driver.last.tick();
  t.equal(house.position, 8_000);
  house.containers[0]?.release();
  await house.settle();
  await house.run(5);
  t.ok(house.position > 8_000 && house.position <= 8_120, String(house.position));
});

t.test('the tags of two placements of one row differ', LIMIT, async (t) => {
  const table = new PlayerTable();
  const tags = [1, 2, 3, 65_535, 65_536, 65_537].map((epoch) => {
    const row = new PlayerRow(table, 0, epoch);
    row.begin(0, 0);
    t.equal(row.tag, row.tag | 0, 'it fits the ring');
    return row.tag;
  });
  t.equal(new Set(tags.slice(0, 4)).size, 4);
  t.notOk(tags.includes(0), '0 is that of frames that move nothing');
});

t.test('a pause does not age the position that it keeps', LIMIT, async (t) => {
  const house = await House.playing();
  await house.run(10);
  await house.update({ paused: true });
  house.clock.advance(60_000);
  await house.update({ paused: false });
  const { positionMs, at } = house.table.readPosition(0);
  t.equal(positionMs, 200);
  t.equal(at, house.clock.now());
});

t.test('voice that comes late is no slot that anybody missed', LIMIT, async (t) => {
  const house = new House({ willing: false });
  await house.create();
  void house.update({ voice: VOICE, track: play() });
  await house.settle();
  await house.run(10);
  t.same(causes(house), NONE);
});
