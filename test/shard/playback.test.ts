// One playing of a track, driven by hand as a player drives it: its frames in order, what is put back, seeks,
// markers, and failures that are its own.
import t from 'tap';
import { systemClock } from '../../src/shared/clock.js';
import { ServerError } from '../../src/shared/errors.js';
import { Media } from '../../src/shard/media.js';
import { Playback, type PlaybackOptions } from '../../src/shard/playback.js';
import { Made } from '../../src/shard/producer.js';
import { ReaderTurns } from '../../src/shard/reader-turns.js';
import { FrameMode } from '../../src/shard/voice/driver.js';
import { FakeContainer, numberOf, type FakeContainerOptions } from '../support/fake-container.js';
import { range } from '../support/shard-house.js';

const LIMIT = { timeout: 5_000 };
const SETTINGS = { volume: 100, filters: {}, complexity: 0, bitrate: 96_000, resampling: 'LOW' as const };

class Scene {
  readonly container: FakeContainer;
  readonly playback: Playback;
  openings = 0;
  changes = 0;

  constructor(options: FakeContainerOptions = { packets: 500 }, more: Partial<PlaybackOptions> = {}) {
    this.container = new FakeContainer(options);
    this.playback = new Playback({
      instance: 1,
      media: new Media(() => {
        this.openings++;
        return Promise.resolve(this.container);
      }),
      from: 0,
      end: null,
      settings: SETTINGS,
      ahead: 1,
      framesKept: 10,
      turns: new ReaderTurns(systemClock),
      ghosting: true,
      changed: () => this.changes++,
      ...more,
    });
  }

  /** Lets the readers read until they rest. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Up to `count` frames that can be had now, by the number of their packet; null for one encoded here. */
  take(count: number): (number | null)[] {
    const numbers: (number | null)[] = [];
    while (numbers.length < count && this.playback.prepare() === Made.frame) {
      const frame = this.playback.take();
      if (frame) numbers.push(numberOf(frame));
    }
    return numbers;
  }

  /** The same, with time for the readers in between. */
  async play(count: number): Promise<(number | null)[]> {
    const numbers: (number | null)[] = [];
    for (let patience = 0; numbers.length < count && patience < 50; patience++) {
      await this.settle();
      const some = this.take(Math.min(10, count - numbers.length));
      if (some.length > 0) patience = 0;
      else if (this.playback.prepare() !== Made.starved) break;
      numbers.push(...some);
      this.playback.sentUpTo(this.playback.nextStart);
    }
    return numbers;
  }
}

t.test('frames come in order, each with the time at which it begins', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  const { playback } = scene;
  t.ok(playback.opened);
  t.equal(playback.lengthMs, 10_000);
  for (let n = 0; n < 20; n++) {
    t.equal(playback.prepare(), Made.frame);
    t.equal(playback.prepare(), Made.frame, 'asking twice takes nothing');
    t.equal(Math.round(playback.nextStart * 1_000), n * 20);
    t.equal(numberOf(playback.take() ?? new Uint8Array()), n);
  }
  t.equal(playback.mode, FrameMode.passthrough);
  t.ok(scene.changes > 0);
});

t.test('before anything has come there is nothing, and nothing is known', LIMIT, async (t) => {
  const scene = new Scene();
  t.equal(scene.playback.prepare(), Made.starved);
  t.notOk(scene.playback.opened);
  t.equal(scene.playback.lengthMs, null);
  t.equal(scene.playback.take(), null);
  t.notOk(scene.playback.anyFrame);
});

t.test('a whole track is played to its end, and says so for as long as it is asked', LIMIT, async (t) => {
  const scene = new Scene({ packets: 120 });
  t.same(await scene.play(1_000), range(0, 120));
  t.equal(scene.playback.prepare(), Made.ended);
  t.equal(scene.playback.prepare(), Made.ended);
  t.ok(scene.playback.anyFrame);
  t.equal(scene.playback.failure, null);
});

t.test('frames that did not leave come again, from the buffer or from the window', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  t.same(scene.take(10), range(0, 10));
  scene.playback.putBack(3, 0.14);
  t.same(scene.take(4), range(7, 11));
  // More than there have been: their place in the source is what counts.
  scene.playback.putBack(99, 0.04);
  t.same(scene.take(3), range(2, 5));

  const encoded = await ready(new Scene({ packets: 500 }, { settings: { ...SETTINGS, volume: 50 } }));
  const first: Uint8Array[] = [];
  for (let n = 0; n < 8; n++) {
    encoded.playback.prepare();
    first.push(Uint8Array.from(encoded.playback.take() ?? []));
  }
  encoded.playback.putBack(5, 0.06);
  for (let n = 3; n < 8; n++) {
    encoded.playback.prepare();
    t.same(Uint8Array.from(encoded.playback.take() ?? []), first[n], 'the same bytes, not encoded twice');
  }
});

t.test('an end marker ends the track there, and may be moved or taken away', LIMIT, async (t) => {
  const scene = await ready(new Scene({ packets: 500 }, { end: 0.1 }));
  t.same(scene.take(99), range(0, 5));
  t.equal(scene.playback.prepare(), Made.ended);
  scene.playback.setEnd(0.2);
  t.same(scene.take(99), range(5, 10));
  scene.playback.setEnd(null);
  t.same(scene.take(5), range(10, 15));
});

t.test('a seek inside the window opens nothing and is there at once', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  scene.take(5);
  const { generation } = scene.playback;
  scene.playback.seek(0.6, true);
  t.ok(scene.playback.generation > generation);
  t.same(scene.take(3), range(30, 33));
  t.equal(scene.playback.frameGeneration, scene.playback.generation);
  t.equal(scene.container.opened.length, 1);
});

t.test('behind a seek out of the window old frames go on until the new ones are there', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  scene.take(5);
  scene.container.heldFrom = 200;
  scene.playback.seek(6, true);
  t.same(scene.take(3), range(5, 8));
  t.not(scene.playback.frameGeneration, scene.playback.generation, 'they move no position');
  await scene.settle();
  t.same(scene.take(2), range(8, 10), 'the new place has not come yet');
  scene.container.release();
  await scene.settle();
  t.same(scene.take(3), range(300, 303));
  t.equal(scene.playback.frameGeneration, scene.playback.generation);
});

t.test('a seek that nobody hears, or without ghosting, is followed by silence', LIMIT, async (t) => {
  for (const [ghosting, sounding] of [
    [true, false],
    [false, true],
  ] as const) {
    const scene = await ready(new Scene({ packets: 500 }, { ghosting }));
    scene.take(5);
    scene.playback.seek(6, sounding);
    t.equal(scene.playback.prepare(), Made.starved);
    await scene.settle();
    t.same(scene.take(2), range(300, 302));
  }
});

t.test('old frames that nobody hears any more are dropped', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  scene.take(5);
  scene.playback.hush();
  t.same(scene.take(1), [5], 'but only behind a seek');
  scene.container.heldFrom = 200;
  scene.playback.seek(6, true);
  scene.playback.hush();
  t.equal(scene.playback.prepare(), Made.starved);
});

t.test('a seek that fails fails as a seek, after the old frames', LIMIT, async (t) => {
  const scene = await ready(new Scene({ packets: 500, failAt: 290 }));
  scene.take(5);
  scene.playback.seek(6, true);
  await scene.settle();
  scene.take(999);
  t.equal(scene.playback.prepare(), Made.failed);
  const { failure } = scene.playback;
  t.equal(failure?.code, 'PUM_SEEK_FAILED');
  t.match(failure?.chain().join(), /PUM_SOURCE_BROKEN.*the far end is gone/);
  scene.playback.seek(0, true);
  t.equal(scene.playback.failure, null, 'another seek has another chance');
  await scene.settle();
  t.same(scene.take(2), [0, 1]);
});

t.test('other settings are heard from the place where they were asked for', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  scene.take(10);
  scene.playback.reconfigure({ ...SETTINGS, volume: 50 });
  t.same(scene.take(5), [null, null, null, null, null]);
  t.equal(scene.playback.mode, FrameMode.encoded);
  t.equal(Math.round(scene.playback.nextStart * 1_000), 300);
  scene.playback.reconfigure(SETTINGS);
  t.same(scene.take(3), range(15, 18), 'and back again');
  t.equal(scene.openings, 1);
});

t.test('a parked track lets go of everything and goes on where it was', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  scene.take(10);
  scene.playback.park();
  scene.playback.park();
  await scene.settle();
  t.ok(scene.container.closed);
  t.equal(scene.openings, 1);
  t.equal(Math.round(scene.playback.nextStart * 1_000), 200, 'its place is known');
  t.equal(scene.playback.prepare(), Made.starved, 'asking wakes it');
  await scene.settle();
  t.equal(scene.openings, 2);
  t.same(scene.take(3), range(10, 13));
});

t.test('a stream is not parked: it would come back somewhere else', LIMIT, async (t) => {
  const scene = new Scene();
  Object.assign(scene.container.info, { durationMs: null });
  await ready(scene);
  scene.take(10);
  scene.playback.park();
  await scene.settle();
  t.notOk(scene.container.closed);
  t.same(scene.take(2), range(10, 12));
});

t.test('a source that breaks fails behind its last frame, once it is used up', LIMIT, async (t) => {
  const scene = new Scene({ packets: 500, failAt: 30 });
  t.same(await scene.play(999), range(0, 30));
  t.equal(scene.playback.prepare(), Made.failed);
  t.equal(scene.playback.failure?.code, 'PUM_SOURCE_BROKEN');
  t.ok(scene.playback.anyFrame);
});

t.test('a track that cannot be opened fails without a frame', LIMIT, async (t) => {
  const media = new Media(() => Promise.reject(new ServerError('PUM_FORMAT_UNKNOWN')));
  const scene = await ready(new Scene({ packets: 0 }, { media }));
  t.equal(scene.playback.prepare(), Made.failed);
  t.equal(scene.playback.failure?.code, 'PUM_FORMAT_UNKNOWN');
  t.notOk(scene.playback.anyFrame);
});

t.test('what a codec throws is the end of this track and no exception', LIMIT, async (t) => {
  const settings = { ...SETTINGS, volume: 50 };
  Object.defineProperty(settings, 'complexity', {
    get: () => {
      throw new Error('no encoder today');
    },
  });
  const scene = await ready(new Scene({ packets: 500 }, { settings }));
  t.equal(scene.playback.prepare(), Made.failed);
  t.equal(scene.playback.failure?.code, 'PUM_DECODE_FAILED');
});

t.test('a closed track lets go of its source', LIMIT, async (t) => {
  const scene = await ready(new Scene());
  scene.take(5);
  const { changes } = scene;
  scene.playback.close();
  await scene.settle();
  t.ok(scene.container.closed);
  t.equal(scene.changes, changes, 'and nobody is woken for it');
});

async function ready(scene: Scene): Promise<Scene> {
  await scene.settle();
  return scene;
}
