// The queue of blocking DAVE calls: one in a turn, connections by turns, order within one, its ceilings.
import t from 'tap';
import { VOICE } from '../../../src/shared/limits.js';
import { DaveQueue, type DaveCall } from '../../../src/shard/voice/dave-queue.js';
import type { Clock } from '../../../src/shared/clock.js';
import { ManualClock } from '../../support/manual-clock.js';

const LIMIT = { timeout: 10_000 };

/** A queue whose turns a test takes one by one, and what was called. */
class Turns {
  readonly called: string[] = [];
  readonly #soon: (() => void)[] = [];
  readonly queue: DaveQueue;

  constructor() {
    const time = new ManualClock();
    const clock: Clock = {
      now: () => time.now(),
      wall: () => time.wall(),
      after: (ms, action) => time.after(ms, action),
      soon: (action) => {
        this.#soon.push(action);
      },
    };
    this.queue = new DaveQueue(clock);
  }

  call(name: string, more: DaveCall | null = null): DaveCall {
    return () => {
      this.called.push(name);
      return more;
    };
  }

  /** One turn of the event loop; returns what it called. */
  turn(): string[] {
    const before = this.called.length;
    for (const action of this.#soon.splice(0)) action();
    return this.called.slice(before);
  }

  rest(): string[] {
    const called: string[] = [];
    for (let turn = this.turn(); turn.length > 0; turn = this.turn()) called.push(...turn);
    return called;
  }

  get scheduled(): number {
    return this.#soon.length;
  }
}

t.test('one call in a turn, connections by turns, order kept within one', LIMIT, async (t) => {
  const turns = new Turns();
  const [a, b, c] = [{}, {}, {}];
  for (const name of ['a1', 'a2', 'a3']) turns.queue.add(a, turns.call(name));
  for (const name of ['b1', 'b2']) turns.queue.add(b, turns.call(name));
  turns.queue.add(c, turns.call('c1'));
  t.equal(turns.queue.waiting(), 6);
  t.equal(turns.scheduled, 1, 'one turn is asked for, however much waits');
  t.same(turns.turn(), ['a1']);
  t.same(turns.turn(), ['b1']);
  t.equal(turns.queue.waiting(a), 2);
  t.same(turns.rest(), ['c1', 'a2', 'b2', 'a3']);
  t.equal(turns.scheduled, 0, 'and none when nothing waits');
});

t.test(
  'what follows a call comes before anything else of its connection, in a later turn',
  LIMIT,
  async (t) => {
    const turns = new Turns();
    const [a, b] = [{}, {}];
    turns.queue.add(a, turns.call('first', turns.call('second', turns.call('third'))));
    turns.queue.add(a, turns.call('last'));
    turns.queue.add(b, turns.call('b'));
    t.same(turns.turn(), ['first']);
    t.same(turns.rest(), ['b', 'second', 'third', 'last']);
  },
);

t.test('a call may add to its own connection and to others', LIMIT, async (t) => {
  const turns = new Turns();
  const [a, b] = [{}, {}];
  turns.queue.add(a, () => {
    turns.queue.add(a, turns.call('a'));
    turns.queue.add(b, turns.call('b'));
    return turns.call('follows');
  });
  turns.turn();
  t.same(turns.rest(), ['follows', 'b', 'a']);
});

t.test('what waits of a dropped connection is never called', LIMIT, async (t) => {
  const turns = new Turns();
  const [a, b] = [{}, {}];
  turns.queue.add(a, turns.call('a1', turns.call('a1 goes on')));
  turns.queue.add(a, turns.call('a2'));
  turns.queue.add(b, turns.call('b1'));
  turns.turn();
  turns.queue.drop(a);
  t.equal(turns.queue.waiting(a), 0);
  t.same(turns.rest(), ['b1']);
  turns.queue.add(a, turns.call('again'));
  t.same(turns.rest(), ['again'], 'it may begin anew');
});

t.test('a call that fails holds up nobody', LIMIT, async (t) => {
  const turns = new Turns();
  turns.queue.add({}, () => {
    throw new Error('planted');
  });
  turns.queue.add({}, turns.call('next'));
  t.throws(() => turns.turn(), { message: 'planted' });
  t.same(turns.rest(), ['next']);
});

t.test('a connection has its own ceilings, in calls and in bytes', LIMIT, async (t) => {
  const turns = new Turns();
  const [a, b, c] = [{}, {}, {}];
  for (let n = 0; n < VOICE.maxDaveWaiting; n++) t.ok(turns.queue.add(a, turns.call('a')));
  t.notOk(turns.queue.add(a, turns.call('one too many')));
  t.ok(turns.queue.add(b, turns.call('b'), VOICE.maxDaveWaitingBytes), 'another one has its own');
  t.notOk(turns.queue.add(b, turns.call('one byte too many'), 1));
  t.ok(turns.queue.add(b, turns.call('no bytes')));
  t.notOk(turns.queue.add(c, turns.call('too large'), VOICE.maxDaveWaitingBytes + 1));
  t.equal(turns.queue.waiting(c), 0);
  t.same(turns.turn(), ['a']);
  t.ok(turns.queue.add(a, turns.call('a')), 'room again after a turn');
  t.same(turns.turn(), ['b']);
  t.ok(turns.queue.add(b, turns.call('b'), 1), 'and bytes');
  t.notOk(turns.rest().some((name) => name.includes('too')));
});
