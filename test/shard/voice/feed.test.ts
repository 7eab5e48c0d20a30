// The fill loop on a clock that stands still until it is moved: who is served first, how long it works, when
// it sleeps.
import t from 'tap';
import { Feed, type Fed } from '../../../src/shard/voice/feed.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A clock on which work takes time: making a frame moves it without firing what falls due. */
class WorkingClock extends ManualClock {
  worked = 0;
  override now(): number {
    return super.now() + this.worked;
  }
}

/** A queue of two frames on a 20 ms grid, as the discordjs driver has it. */
class Player implements Fed {
  frames = 0;
  fed: number[] = [];
  constructor(
    readonly clock: WorkingClock,
    readonly phase: number,
    /** Frames it has to give. */
    public supply = Infinity,
    /** Milliseconds that making one takes. */
    readonly cost = 0,
  ) {}
  /** Frames that have left by now. */
  #left(): number {
    return Math.max(0, Math.floor((this.clock.now() - this.phase) / 20));
  }
  get queued(): number {
    return Math.max(0, this.frames - this.#left());
  }
  runsOutAt(): number {
    return this.phase + Math.max(this.frames, this.#left()) * 20;
  }
  refillAt(): number {
    return this.queued < 2 ? -Infinity : this.phase + (this.frames - 1) * 20;
  }
  feedOne(): boolean {
    if (this.supply <= 0) return false;
    this.supply--;
    this.frames = Math.max(this.frames, this.#left()) + 1;
    this.fed.push(this.clock.now());
    this.clock.worked += this.cost;
    return true;
  }
}

t.test('a player is kept at two frames and the loop sleeps in between', { timeout: 5_000 }, async (t) => {
  const clock = new WorkingClock();
  let slices = 0;
  const feed = new Feed(clock, () => slices++);
  const player = new Player(clock, 0);
  feed.want(player);
  clock.runSoon();
  t.equal(player.queued, 2);
  clock.advance(1_000);
  t.ok(player.frames >= 51 && player.frames <= 52, `${String(player.frames)} frames in a second`);
  t.ok(slices <= 60, `${String(slices)} wakes`);
  t.equal(clock.pending, 1, 'one timer');
});

t.test(
  'after a stall every player gets its first frame before one gets its second',
  { timeout: 5_000 },
  async (t) => {
    const clock = new WorkingClock();
    const feed = new Feed(clock, () => undefined);
    const players = Array.from({ length: 10 }, (_, n) => new Player(clock, n * 2));
    for (const player of players) feed.want(player);
    clock.runSoon();
    for (const player of players) player.fed = [];
    const order: number[] = [];
    for (const [n, player] of players.entries()) {
      const feedOne = player.feedOne.bind(player);
      player.feedOne = () => {
        order.push(n);
        return feedOne();
      };
    }
    clock.stall(300);
    t.same([...new Set(order.slice(0, 10))].length, 10, order.slice(0, 12).join(' '));
  },
);

t.test('a player with nothing to give leaves until it is wanted again', { timeout: 5_000 }, async (t) => {
  const clock = new WorkingClock();
  const feed = new Feed(clock, () => undefined);
  const player = new Player(clock, 0, 0);
  feed.want(player);
  clock.advance(100);
  t.equal(player.frames, 0);
  t.equal(clock.pending, 0, 'nobody is waited for');
  player.supply = 5;
  clock.advance(100);
  t.equal(player.frames, 0);
  feed.want(player);
  clock.advance(0);
  t.equal(player.queued, 2);
});

t.test('after four milliseconds the loop gives the event loop a turn', { timeout: 5_000 }, async (t) => {
  const clock = new WorkingClock();
  const took: number[] = [];
  const feed = new Feed(clock, (ms) => took.push(ms));
  const players = Array.from({ length: 20 }, () => new Player(clock, 0, 2, 1));
  for (const player of players) feed.want(player);
  clock.runSoon();
  t.ok(took.length >= 8, `${String(took.length)} slices`);
  t.ok(Math.max(...took) <= 5, `the longest took ${String(Math.max(...took))} ms`);
});

t.test('a dropped player is not fed any more', { timeout: 5_000 }, async (t) => {
  const clock = new WorkingClock();
  const feed = new Feed(clock, () => undefined);
  const [gone, stays] = [new Player(clock, 0), new Player(clock, 5)];
  feed.want(gone);
  feed.want(stays);
  feed.drop(gone);
  clock.advance(200);
  t.equal(gone.frames, 0);
  t.ok(stays.frames >= 10);
});

t.test(
  'a player that drops itself while being fed does not disturb the others',
  { timeout: 5_000 },
  async (t) => {
    const clock = new WorkingClock();
    const feed = new Feed(clock, () => undefined);
    const players = Array.from({ length: 6 }, (_, n) => new Player(clock, n));
    const leaver = players[2];
    if (!leaver) throw new Error('no player');
    leaver.feedOne = () => {
      feed.drop(leaver);
      return false;
    };
    for (const player of players) feed.want(player);
    clock.advance(400);
    for (const player of players) if (player !== leaver) t.ok(player.frames >= 20);
  },
);
