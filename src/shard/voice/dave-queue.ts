// The blocking calls into the DAVE library of all connections of one shard, one in each turn of the event loop, so
// that no burst of joins keeps the fill loop from its frames (architecture §2 idea 3). Connections take turns; within
// one the order is kept. Made by the native driver, used by dave-session.ts.

import type { Clock } from '../../shared/clock.js';
import { VOICE } from '../../shared/limits.js';

/** One blocking call. What it returns is called in a later turn, before anything else of its connection. */
export type DaveCall = () => DaveCall | null;

interface Lane {
  readonly waiting: { readonly call: DaveCall; readonly size: number }[];
  size: number;
}

export class DaveQueue {
  readonly #clock: Clock;
  /** In the order of their turns. */
  readonly #lanes = new Map<object, Lane>();
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls that wait, of one connection or of all. */
  waiting(owner?: object): number {
    if (owner !== undefined) return this.#lanes.get(owner)?.waiting.length ?? 0;
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += lane.waiting.length;
    return sum;
  }

  /** Puts a call behind those of its owner; `size` is what it keeps in memory, in bytes. False when there is no room. */
  add(owner: object, call: DaveCall, size = 0): boolean {
    const lane = this.#laneOf(owner);
    if (lane.waiting.length >= VOICE.maxDaveWaiting) return false;
    if (lane.size + size > VOICE.maxDaveWaitingBytes) return false;
    lane.waiting.push({ call, size });
    lane.size += size;
    this.#lanes.set(owner, lane);
    this.#schedule();
    return true;
  }

  /** Forgets what waits of a connection. */
  drop(owner: object): void {
    this.#lanes.delete(owner);
  }

  #laneOf(owner: object): Lane {
    return this.#lanes.get(owner) ?? { waiting: [], size: 0 };
  }

  #schedule(): void {
    if (this.#scheduled || this.#lanes.size === 0) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    for (const [owner, lane] of this.#lanes) {
      this.#lanes.delete(owner);
      const next = lane.waiting.shift();
      if (next === undefined) continue;
      lane.size -= next.size;
      if (lane.waiting.length > 0) this.#lanes.set(owner, lane);
      // Before the call: one that fails may not stop the others.
      this.#schedule();
      const more = next.call();
      if (more !== null) this.#putFirst(owner, more);
      return;
    }
  }

  /** A step of something that has begun is never refused. */
  #putFirst(owner: object, call: DaveCall): void {
    const lane = this.#laneOf(owner);
    lane.waiting.unshift({ call, size: 0 });
    this.#lanes.set(owner, lane);
    this.#schedule();
  }
}
