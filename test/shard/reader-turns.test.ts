// The turns of a shard's readers: how long one lasts, who comes next, and that the event loop has its own.
import t from 'tap';
import { ReaderTurns, type TurnTaker } from '../../src/shard/reader-turns.js';
import { ManualClock } from '../support/manual-clock.js';

const LIMIT = { timeout: 5_000 };

class Taker implements TurnTaker {
  hurries = false;
  /** Packets that it still wants. */
  hunger: number;
  /** Packets read in each of its turns. */
  readonly turns: number[] = [];
  readonly #scene: Scene;
  readonly #name: string;

  constructor(scene: Scene, name: string, hunger: number) {
    this.#scene = scene;
    this.#name = name;
    this.hunger = hunger;
  }

  read(): void {
    const { turns, clock, order } = this.#scene;
    order.push(this.#name);
    let read = 0;
    while (this.hunger > 0 && turns.mayRead(this)) {
      this.hunger--;
      read++;
      clock.stall(this.#scene.cost);
    }
    this.turns.push(read);
    // As a reader does it: behind an await, never from within its turn.
    this.#scene.later.push(() => {
      if (this.hunger > 0) turns.ask(this);
      else turns.leave(this);
    });
  }
}

/** `later` stands for the microtasks: it is done before the clock's next turn. */
class Scene {
  readonly clock = new ManualClock(1_000);
  readonly later: (() => void)[] = [];
  readonly order: string[] = [];
  /** Milliseconds that a packet takes. */
  cost = 0;
  readonly #waiting: (() => void)[] = [];
  readonly turns = new ReaderTurns({
    now: () => this.clock.now(),
    wall: () => this.clock.wall(),
    after: (ms, action) => this.clock.after(ms, action),
    soon: (action) => void this.#waiting.push(action),
  });

  taker(name: string, hunger: number, hurries = false): Taker {
    const taker = new Taker(this, name, hunger);
    taker.hurries = hurries;
    return taker;
  }

  /** One turn of the event loop; returns the milliseconds that it took. */
  loop(): number {
    const began = this.clock.now();
    for (const action of this.#waiting.splice(0)) action();
    this.microtasks();
    return this.clock.now() - began;
  }

  microtasks(): void {
    for (let next = this.later.shift(); next; next = this.later.shift()) next();
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }
}

t.test('nobody reads before the event loop has come round', LIMIT, async (t) => {
  const scene = new Scene();
  const taker = scene.taker('a', 5);
  t.notOk(scene.turns.mayRead(taker));
  scene.turns.ask(taker);
  scene.turns.ask(taker);
  t.same(scene.order, []);
  scene.loop();
  t.same(taker.turns, [5], 'and one turn is all it gets for asking twice');
  scene.loop();
  t.ok(scene.idle, 'when nobody wants anything, nothing runs');
});

t.test('a turn is 25 packets, and then it is the next one’s', LIMIT, async (t) => {
  const scene = new Scene();
  const takers = [scene.taker('a', 60), scene.taker('b', 30)];
  for (const taker of takers) scene.turns.ask(taker);
  scene.loop();
  t.same(scene.order, ['a', 'b', 'a', 'b', 'a'], 'all of it in one slice, as it takes no time');
  t.same(takers[0]?.turns, [25, 25, 10]);
  t.same(takers[1]?.turns, [25, 5]);
});

t.test('two milliseconds are read between two turns of the event loop', LIMIT, async (t) => {
  const scene = new Scene();
  scene.cost = 0.25;
  const takers = Array.from({ length: 10 }, (_, n) => scene.taker(String(n), 10));
  for (const taker of takers) scene.turns.ask(taker);
  let loops = 0;
  for (; loops < 100 && takers.some(({ hunger }) => hunger > 0); loops++) {
    const took = scene.loop();
    t.ok(took <= 2 + scene.cost, `${String(took)} ms`);
  }
  t.ok(loops >= 12 && loops <= 15, `${String(loops)} turns for 25 ms of work`);
});

t.test('whoever hurries goes first, and may begin to while it waits', LIMIT, async (t) => {
  const scene = new Scene();
  const [a, b, c, d] = [
    scene.taker('a', 1),
    scene.taker('b', 1),
    scene.taker('c', 1, true),
    scene.taker('d', 1),
  ] as const;
  for (const taker of [a, b, c, d]) scene.turns.ask(taker);
  scene.turns.hurry(b);
  d.hurries = true;
  scene.turns.hurry(d);
  scene.turns.hurry(d);
  scene.loop();
  t.same(scene.order, ['c', 'd', 'a', 'b']);
});

t.test('those that hurry take turns among themselves', LIMIT, async (t) => {
  const scene = new Scene();
  const takers = [scene.taker('a', 75, true), scene.taker('b', 50, true), scene.taker('c', 1)];
  for (const taker of takers) scene.turns.ask(taker);
  scene.loop();
  t.same(scene.order, ['a', 'b', 'c', 'a', 'b', 'a'], 'and the others fill up what is left');
});

/** One that waits for bytes as soon as its turn has come. */
function slowTaker(): TurnTaker & { begun: number } {
  return {
    begun: 0,
    hurries: true,
    read() {
      this.begun++;
    },
  };
}

t.test('turns whose holders wait for bytes hold up nobody for long', LIMIT, async (t) => {
  const scene = new Scene();
  const slow = Array.from({ length: 20 }, slowTaker);
  const other = scene.taker('b', 1);
  for (const taker of [...slow, other]) scene.turns.ask(taker);
  scene.loop();
  const begun = slow.filter((taker) => taker.begun > 0);
  t.equal(begun.length, 16, 'so many at once');
  t.ok(
    begun.every((taker) => scene.turns.mayRead(taker)),
    'their bytes may come at once',
  );
  t.same(scene.order, []);
  scene.loop();
  t.ok(slow.every((taker) => taker.begun === 1));
  t.same(scene.order, ['b']);
  t.notOk(
    begun.some((taker) => scene.turns.mayRead(taker)),
    'they ask again',
  );
});

t.test('a holder alone keeps its turn no longer than the slice', LIMIT, async (t) => {
  const scene = new Scene();
  const slow: TurnTaker = { hurries: false, read: () => undefined };
  scene.turns.ask(slow);
  scene.loop();
  scene.clock.stall(3);
  t.notOk(scene.turns.mayRead(slow));
});

t.test('whoever leaves gets no turn, and gives up the one it has', LIMIT, async (t) => {
  const scene = new Scene();
  const holders = Array.from({ length: 16 }, slowTaker);
  const [gone, next] = [scene.taker('gone', 1), scene.taker('next', 1)] as const;
  for (const taker of [...holders, gone, next]) scene.turns.ask(taker);
  scene.loop();
  t.same(scene.order, []);
  scene.turns.leave(gone);
  const [holder] = holders;
  if (holder) scene.turns.leave(holder);
  t.same(scene.order, ['next']);
  t.notOk(holder && scene.turns.mayRead(holder));
});

t.test('spread numbers lie far apart', LIMIT, async (t) => {
  const turns = new ReaderTurns(new ManualClock());
  const numbers = Array.from({ length: 250 }, () => turns.spread());
  t.ok(numbers.every((number) => number >= 0 && number < 1));
  numbers.sort((a, b) => a - b);
  const gaps = numbers.slice(1).map((number, at) => number - (numbers[at] ?? NaN));
  t.ok(Math.min(...gaps) > 0.2 / 250);
  t.ok(Math.max(...gaps) < 5 / 250);
});
