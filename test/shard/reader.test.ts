// The reader: how far ahead it reads, what it keeps behind, and what it makes of a source that ends or breaks.
import t from 'tap';
import { runUpSeconds } from '../../src/audio/pipeline.js';
import { ServerError } from '../../src/shared/errors.js';
import { AUDIO } from '../../src/shared/limits.js';
import { Media } from '../../src/shard/media.js';
import { Reader, type ReaderOptions } from '../../src/shard/reader.js';
import { FakeContainer, type FakeContainerOptions } from '../support/fake-container.js';

const LIMIT = { timeout: 5_000 };
/** Packets of 20 ms in a second. */
const RATE = 50;

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
  t.equal(scene.changes, 1 + RATE, 'told of the opening and of every packet');
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
  t.equal(scene.changes, 1 + 10 + 1);
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
  const reader = new Reader(media, { from: 0, ahead: 1, changed: () => changes++ });
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
    const reader = new Reader(media, { from: 0, ahead: 1, changed: () => undefined });
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
