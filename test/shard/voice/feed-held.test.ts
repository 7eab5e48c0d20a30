// A connection that holds its frames back (DAVE is not ready, the gateway is being resumed) keeps nobody else
// waiting in the fill loop.
import t from 'tap';
import { Feed, type Fed } from '../../../src/shard/voice/feed.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A full queue whose frames do not leave: every slot that goes by moves its end. */
class Held implements Fed {
  constructor(readonly clock: ManualClock) {}
  runsOutAt(): number {
    return this.clock.now() + 20;
  }
  refillAt(): number {
    return this.clock.now() + 1;
  }
  feedOne(): boolean {
    throw new Error('there is no room');
  }
}

/** A queue of two on the grid. */
class Playing implements Fed {
  frames = 0;
  constructor(
    readonly clock: ManualClock,
    readonly phase: number,
  ) {}
  #left(): number {
    return Math.floor((this.clock.now() - this.phase) / 20);
  }
  runsOutAt(): number {
    return this.phase + Math.max(this.frames, this.#left()) * 20;
  }
  refillAt(): number {
    return this.frames - this.#left() < 2 ? -Infinity : this.phase + (this.frames - 1) * 20;
  }
  feedOne(): boolean {
    this.frames = Math.max(this.frames, this.#left()) + 1;
    return true;
  }
}

t.test('players behind a held connection are fed on time', { timeout: 5_000 }, async (t) => {
  const clock = new ManualClock();
  const feed = new Feed(clock, () => undefined);
  const held = Array.from({ length: 5 }, () => new Held(clock));
  const playing = Array.from({ length: 5 }, (_, n) => new Playing(clock, n * 3));
  for (const fed of [...held, ...playing]) feed.want(fed);
  clock.advance(3_000);
  for (const player of playing) {
    t.ok(player.frames >= 149, `${String(player.frames)} frames in three seconds`);
  }
  feed.close();
});

t.test('held connections alone do not keep the loop spinning', { timeout: 5_000 }, async (t) => {
  const clock = new ManualClock();
  let slices = 0;
  const feed = new Feed(clock, () => slices++);
  for (let n = 0; n < 50; n++) feed.want(new Held(clock));
  clock.advance(1_000);
  t.ok(slices <= 510, `${String(slices)} wakes in a second`);
  feed.close();
});
