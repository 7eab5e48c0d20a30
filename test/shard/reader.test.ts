// The reader: how far ahead it reads, what it keeps behind, and what it makes of a source that ends or breaks.
import t from 'tap';
import { runUpSeconds } from '../../src/audio/pipeline.js';
import { systemClock, type Clock } from '../../src/shared/clock.js';
import { ServerError } from '../../src/shared/errors.js';
import { AUDIO } from '../../src/shared/limits.js';
import { Media } from '../../src/shard/media.js';
import { Reader, type ReaderOptions } from '../../src/shard/reader.js';
import { ReaderTurns } from '../../src/shard/reader-turns.js';
import { FakeContainer, type FakeContainerOptions } from '../support/fake-container.js';

const LIMIT = { timeout: 5_000 };
/** Packets of 20 ms in a second. */
const RATE = 50;
/** Turns come as they do, and no slice is ever used up. */
const clock: Clock = { ...systemClock, now: () => 0 };
/** Of a reader that is alone. */
const alone = (): ReaderTurns => new ReaderTurns(clock);

class Scene {
  readonly container: FakeContainer;
  readonly reader: Reader;
  changes = 0;

  constructor(options: FakeContainerOptions, more: Partial<ReaderOptions> & { heldFrom?: number } = {}) {
    const { heldFrom, ...reader } = more;
    this.container = new FakeContainer(options);
    if (heldFrom !== undefined) this.container.heldFrom = heldFrom;
    this.reader = new Reader(new Media(() => Promise.resolve(this.container)), {
      from: 0,
      ahead: 1,
      turns: alone(),
      changed: () => this.changes++,
      ...reader,
    });
  }

  /** Lets the reader read until it rests; returns how many packets it has taken. */
  async rest(): Promise<number> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.container.taken;
  }
}

t.test('a reader reads as far ahead as it is told and no further', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500 });
  t.same(scene.reader.state, { kind: 'opening' });
  t.equal(scene.reader.info, null);
  t.equal(await scene.rest(), RATE);
  t.same(scene.reader.state, { kind: 'reading' });
  t.equal(scene.reader.info, scene.container.info);
  t.equal(scene.changes, 1 + 1 + 2, 'told of the opening, of the first packet and of two batches');
});

t.test('it sleeps until a fifth of that is used up, and then fills it again', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500 });
  await scene.rest();
  scene.reader.keep(0.18);
  t.equal(await scene.rest(), RATE);
  scene.reader.keep(0.22);
  t.equal(await scene.rest(), RATE + 11);
});

t.test('a start in the middle reads the run-up too, and a cursor keeps one behind it', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500 }, { from: 4 });
  await scene.rest();
  const { window, info } = scene.reader;
  const runUp = info ? runUpSeconds(info.format) : NaN;
  t.ok(runUp > 0.1 && runUp < 1);
  const [opened = NaN] = scene.container.opened;
  t.ok(opened * 0.02 <= 4 - runUp, 'all of the run-up');
  t.ok(opened * 0.02 > 4 - runUp - 0.2, 'and not much more');
  t.ok(scene.reader.covers(4));
  t.notOk(scene.reader.covers(3.5), 'its run-up is not here');
  t.notOk(scene.reader.covers(5.1), 'not read yet');

  scene.reader.keep(4.8);
  await scene.rest();
  const oldest = window.get(window.first)?.time ?? NaN;
  t.ok(oldest <= 4.8 - runUp && oldest > 4.8 - runUp - 0.2);
  t.ok(scene.reader.covers(4.8));
  scene.reader.keep(4.2);
  t.equal(window.get(window.first)?.time, oldest, 'a cursor that goes back brings nothing back');
});

t.test('an aim moves what lies ahead and drops nothing', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500 });
  await scene.rest();
  scene.reader.aim(0.5);
  t.equal(await scene.rest(), RATE * 1.5);
  t.equal(scene.reader.window.first, 0);
  t.ok(scene.reader.covers(0));
});

t.test('a window that is used up is read on whatever it holds, one packet at a time', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500 });
  await scene.rest();
  scene.reader.want();
  t.equal(await scene.rest(), RATE + 1);
  scene.reader.want();
  scene.reader.want();
  t.equal(await scene.rest(), RATE + 2);
});

t.test('the end of the source is told once, and the window stays', LIMIT, async (t) => {
  const scene = new Scene({ packets: 10 });
  await scene.rest();
  t.same(scene.reader.state, { kind: 'ended' });
  t.equal(scene.changes, 1 + 1 + 1);
  t.equal(scene.reader.window.next, 10);
  t.ok(scene.reader.covers(0.1));
  t.notOk(scene.reader.covers(0.2), 'nothing is there');
});

t.test('a source that breaks leaves what it brought, and says why in our words', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500, failAt: 10 });
  await scene.rest();
  const { state } = scene.reader;
  t.match(state, { kind: 'failed', error: { code: 'PUM_SOURCE_BROKEN' } });
  t.match(state.kind === 'failed' && state.error.chain()[1], /the far end is gone/);
  t.equal(scene.reader.window.next, 10);
  t.equal(scene.reader.info, scene.container.info, 'what it said stays known');
});

t.test('a source that cannot be opened keeps its own code', LIMIT, async (t) => {
  let changes = 0;
  const media = new Media(() => Promise.reject(new ServerError('PUM_FORMAT_UNKNOWN')));
  const reader = new Reader(media, { from: 0, ahead: 1, turns: alone(), changed: () => changes++ });
  await new Promise((resolve) => setImmediate(resolve));
  t.match(reader.state, { kind: 'failed', error: { code: 'PUM_FORMAT_UNKNOWN' } });
  t.equal(reader.info, null);
  t.equal(changes, 1);
});

t.test('a packet too large to be one breaks the track', LIMIT, async (t) => {
  for (const [size, kind] of [
    [AUDIO.maxPacket, 'ended'],
    [AUDIO.maxPacket + 1, 'failed'],
  ] as const) {
    const container = new FakeContainer({ packets: 1 });
    let left = 1;
    container.packets = () =>
      Promise.resolve({
        next: () =>
          Promise.resolve(left-- > 0 ? { data: new Uint8Array(size), time: 0, duration: 0.02 } : null),
      });
    const media = new Media(() => Promise.resolve(container));
    const reader = new Reader(media, { from: 0, ahead: 1, turns: alone(), changed: () => undefined });
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
    t.equal(reader.state.kind, kind, `${String(size)} bytes`);
    if (reader.state.kind === 'failed') t.equal(reader.state.error.code, 'PUM_FORMAT_BROKEN');
  }
});

t.test('a closed reader takes nothing more and tells nobody', LIMIT, async (t) => {
  const opening = new Scene({ packets: 500 });
  opening.reader.close();
  t.equal(await opening.rest(), 0);
  t.equal(opening.changes, 0);

  const held = new Scene({ packets: 500 }, { heldFrom: 10 });
  await held.rest();
  const { changes } = held;
  held.reader.close();
  held.container.release();
  await held.rest();
  t.equal(held.reader.window.next, 10, 'the packet that was under way is not wanted');
  t.equal(held.changes, changes);

  const resting = new Scene({ packets: 500 });
  await resting.rest();
  resting.reader.close();
  resting.reader.want();
  t.equal(await resting.rest(), RATE);
  t.same(resting.reader.state, { kind: 'closed' });

  const broken = new Scene({ packets: 500, failAt: 10 }, { heldFrom: 10 });
  await broken.rest();
  broken.reader.close();
  broken.container.release();
  await broken.rest();
  t.same(broken.reader.state, { kind: 'closed' }, 'what breaks afterwards is nobody’s failure');
});

t.test('whoever waits is told of the next packet at once', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500 }, { heldFrom: 0 });
  await scene.rest();
  for (const number of [1, 3, 4]) {
    const { changes } = scene;
    scene.reader.want();
    scene.container.release(number);
    await scene.rest();
    t.equal(scene.reader.window.next, number);
    t.equal(scene.changes, changes + 1, 'and not of each one behind it');
  }
});

t.test('readers of one shard fill their windows in turns', LIMIT, async (t) => {
  const turns = alone();
  const order: number[] = [];
  const containers = [0, 1, 2].map((reader) => {
    const container = new FakeContainer({ packets: 500 });
    const { packets } = container;
    container.packets = async (from) => {
      const cursor = await packets.call(container, from);
      return { next: () => (order.push(reader), cursor.next()) };
    };
    return container;
  });
  const readers = containers.map(
    (container) =>
      new Reader(new Media(() => Promise.resolve(container)), {
        from: 0,
        ahead: 2,
        turns,
        changed: () => undefined,
      }),
  );
  for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.same(
    readers.map(({ window }) => window.next),
    [2 * RATE, 2 * RATE, 2 * RATE],
  );
  const runs = order.filter((reader, at) => reader !== order[at - 1]);
  t.same(runs.slice(0, 6), [0, 1, 2, 0, 1, 2]);
  for (const reader of readers) reader.close();
});

t.test('readers that began together fill up again one after the other', LIMIT, async (t) => {
  const turns = alone();
  const containers = Array.from({ length: 20 }, () => new FakeContainer({ packets: 500 }));
  const readers = containers.map(
    (container) =>
      new Reader(new Media(() => Promise.resolve(container)), {
        from: 0,
        ahead: 5,
        turns,
        changed: () => undefined,
      }),
  );
  const rest = async (): Promise<void> => {
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await rest();
  const woken: number[] = [];
  for (let at = 0.02; at < 1.6; at += 0.02) {
    const before = containers.map(({ taken }) => taken);
    for (const reader of readers) reader.keep(at);
    await new Promise((resolve) => setImmediate(resolve));
    woken.push(containers.filter(({ taken }, n) => taken > (before[n] ?? 0)).length);
    await rest();
  }
  t.ok(Math.max(...woken) <= 4, `at most ${String(Math.max(...woken))} at once`);
  t.ok(woken.reduce((sum, count) => sum + count) >= readers.length, 'and every one of them');
  for (const reader of readers) reader.close();
});

t.test('a closed reader waits for no turn and leaves its own to others', LIMIT, async (t) => {
  const turns = alone();
  const held = new Scene({ packets: 500 }, { turns, heldFrom: 3 });
  await held.rest();
  const waiting = new Scene({ packets: 500 }, { turns });
  const other = new Scene({ packets: 500 }, { turns });
  held.reader.close();
  waiting.reader.close();
  t.equal(await other.rest(), RATE);
  t.equal(await waiting.rest(), 0);
});
