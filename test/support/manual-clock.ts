// A clock that stands still until a test moves it. Used by tests whose subject is timing; timers fire in the
// order of their due times, `soon` work runs only when asked for, so every step of a test is decided by it.

import type { Clock, Timer } from '../../src/shared/clock.js';

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  readonly #timers = new Set<Waiting>();
  #soon: (() => void)[] = [];
  #now: number;
  #wallAtZero: number;
  #order = 0;

  /** `wallAtZero` is the epoch time, in milliseconds, at which `now()` would be 0. */
  constructor(now = 0, wallAtZero = 1_700_000_000_000) {
    this.#now = now;
    this.#wallAtZero = wallAtZero;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return Math.floor(this.#wallAtZero + this.#now);
  }

  after(ms: number, action: () => void): Timer {
    const waiting: Waiting = { at: this.#now + Math.max(0, ms), order: this.#order++, action };
    this.#timers.add(waiting);
    return { cancel: () => void this.#timers.delete(waiting) };
  }

  soon(action: () => void): void {
    this.#soon.push(action);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Runs `soon` work until none is left; work that queues itself again for ever is an error. */
  runSoon(): void {
    for (let round = 0; this.#soon.length > 0; round++) {
      if (round === 10_000) throw new Error('soon() work never came to an end');
      const work = this.#soon;
      this.#soon = [];
      for (const action of work) action();
    }
  }

  /** Moves on by `ms`, firing every timer that falls due at its own time, `soon` work after each of them. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.runSoon();
    for (let fired = 0; ; fired++) {
      if (fired === 1_000_000) throw new Error('more than a million timers fired in one advance()');
      const next = this.#next(end);
      if (next === null) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      this.runSoon();
    }
    this.#now = end;
  }

  /** Moves on by `ms` as a blocked event loop would: nothing fires on the way, everything due fires at the end. */
  stall(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  /** Somebody sets the wall clock; the time that passes is as before. */
  jumpWall(ms: number): void {
    this.#wallAtZero += ms;
  }

  #next(end: number): Waiting | null {
    let first: Waiting | null = null;
    for (const waiting of this.#timers) {
      if (waiting.at > end) continue;
      if (
        first === null ||
        waiting.at < first.at ||
        (waiting.at === first.at && waiting.order < first.order)
      ) {
        first = waiting;
      }
    }
    return first;
  }
}
