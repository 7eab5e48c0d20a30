// Claims about what a shard says of a player when it is asked: the truth of every part, and nothing changed by asking.
import t from 'tap';
import type { Inspection } from '../../src/shared/inspection.js';
import { createBody, House, play, VOICE } from '../support/shard-house.js';

const CEILING = { timeout: 20_000 };

function inspect(house: House, epoch = 1): Promise<Inspection> {
  return house.command({ op: 'inspect', body: {} }, epoch) as Promise<Inspection>;
}

t.test('a player without anything has nothing to tell', CEILING, async (t) => {
  const house = new House();
  await house.create();
  t.strictSame(await inspect(house), {
    paused: false,
    track: null,
    queue: { frames: 0, ending: false, starving: false },
    voice: null,
    lastClose: null,
  });
  await t.rejects(inspect(house, 2), { code: 'PUM_COMMAND_STALE' }, 'another placement');
});

t.test('a player that plays tells of packets, frames and connection', CEILING, async (t) => {
  const house = await House.playing();
  await house.run(25);
  const { track, queue, voice, paused } = await inspect(house);
  t.equal(paused, false);
  t.match(track, {
    source: { state: 'reading', error: null, seeking: false },
    decode: { mode: 'passthrough', error: null, anyFrame: true },
  });
  const { packets, bytes, aheadMs } = track?.window ?? { packets: NaN, bytes: NaN, aheadMs: NaN };
  t.ok((aheadMs ?? NaN) >= 500 && (aheadMs ?? NaN) <= 1_100, `${String(aheadMs)} ms ahead`);
  t.ok(packets >= 25 && bytes > packets, `${String(packets)} packets, ${String(bytes)} bytes`);
  t.ok((track?.source.packetsRead ?? NaN) >= packets);
  const { frames } = queue;
  t.ok(frames === 1 || frames === 2, `${String(frames)} frames`);
  t.same(queue, { frames, ending: false, starving: false });
  t.match(voice, {
    step: 'ready',
    connected: true,
    ring: { open: true, queued: frames, room: 2 - frames },
  });
});

t.test('a source that stands is told with the time since its last packet', CEILING, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play('held') });
  t.match((await inspect(house)).track, {
    source: { state: 'reading', packetsRead: 0, packetAgeMs: null },
    window: { packets: 0, aheadMs: null },
    decode: { mode: null, anyFrame: false },
  });
  t.match((await inspect(house)).queue, { frames: 0, starving: true });

  const other = await House.playing({ packets: 500 });
  const container = other.containers[0];
  if (container === undefined) throw new Error('nothing was opened');
  container.heldFrom = 100;
  await other.run(140);
  const { track, queue } = await inspect(other);
  t.match(queue, { frames: 0, starving: true });
  t.match(track, { source: { state: 'reading', packetsRead: 100 } });
  t.ok((track?.window.aheadMs ?? 0) <= 0);
  const age = track?.source.packetAgeMs ?? NaN;
  await other.run(50);
  t.equal((await inspect(other)).track?.source.packetAgeMs, age + 1_000);
});

t.test('a source that cannot be opened is told with its code while its track is on', CEILING, async (t) => {
  const house = new House({ willing: false });
  await house.create();
  await house.update({ track: play('broken') });
  t.match((await inspect(house)).track?.source, { state: 'failed', error: 'PUM_FORMAT_UNKNOWN' });
});

t.test('how a connection has ended is told when it is gone', CEILING, async (t) => {
  const house = await House.playing();
  await house.run(5);
  house.driver.last.fail({ code: 4_014 });
  t.match(await inspect(house), { voice: null, lastClose: 4_014 });
  await house.update({ voice: { ...VOICE, token: 'another' } });
  t.match(await inspect(house), { voice: { step: 'ready' }, lastClose: 4_014 });
});

t.test('asking disturbs nothing: neither what is heard nor the order of commands', CEILING, async (t) => {
  const asked = await House.playing({ packets: 200 });
  const left = await House.playing({ packets: 200 });
  for (const house of [asked, left]) {
    await house.update({ paused: true });
    await house.update({ paused: false });
  }
  for (let round = 0; round < 20; round++) {
    const first = asked.command({ op: 'update', body: { volume: 100 } });
    const inspection = await inspect(asked);
    t.equal(inspection.paused, false);
    t.same(await first, { connected: true });
    await left.update({ volume: 100 });
    await asked.settle();
    await asked.run(3);
    await left.run(3);
  }
  t.same(asked.heard, left.heard);
  t.same(asked.types, left.types);
});

t.test('a parked track and a pause are told', CEILING, async (t) => {
  const house = await House.playing({ packets: 5_000 });
  await house.run(10);
  await house.update({ paused: true });
  t.match(await inspect(house), { paused: true, track: { source: { state: 'reading' } } });
  await house.run(2_000);
  t.match(await inspect(house), { paused: true, track: { source: { state: 'parked' } } });
  await house.update({ paused: false });
  await house.run(5);
  t.match(await inspect(house), {
    paused: false,
    track: { source: { state: 'reading' } },
  });
});

t.test('a player that was released is not known any more', CEILING, async (t) => {
  const house = new House();
  await house.command({ op: 'create', body: createBody() });
  await house.command({ op: 'release', body: {} });
  await t.rejects(inspect(house), { code: 'PUM_COMMAND_STALE' });
});
