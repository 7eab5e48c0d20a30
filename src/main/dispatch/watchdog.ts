// Notices a shard or a sender that is alive and does nothing: reads the pulse that each of them keeps in its
// counters, never asks it anything, and tells of one whose pulse has stood still too long. Main thread; it ends
// nothing itself.
import type { Clock, Timer } from '../../shared/clock.js';
import { DISPATCH } from '../../shared/limits.js';

export interface Watched {
  /** Changes every half second at least while the thread turns; null while there is none to watch. */
  readonly pulse: number | null;
}

/** Milliseconds between two looks. */
const LOOK = 250;

interface Sight {
  pulse: number | null;
  /** Milliseconds of looking for which it has stood still. */
  still: number;
}

export class Watchdog<T extends Watched> {
  readonly #clock: Clock;
  readonly #sights: Map<T, Sight>;
  readonly #wedged: (watched: T) => void;
  #lookedAt: number;
  #timer: Timer;

  /** `wedged` is called once per life of a thread. */
  constructor(clock: Clock, threads: Iterable<T>, wedged: (watched: T) => void) {
    this.#clock = clock;
    this.#wedged = wedged;
    this.#sights = new Map();
    for (const thread of threads) this.add(thread);
    this.#lookedAt = clock.now();
    this.#timer = this.#lookLater();
  }

  /** One more to be watched. */
  add(thread: T): void {
    this.#sights.set(thread, { pulse: null, still: 0 });
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Milliseconds for which its pulse has been seen to stand still. */
  stillFor(shard: T): number {
    return this.#sights.get(shard)?.still ?? 0;
  }

  #lookLater(): Timer {
    return this.#clock.after(LOOK, () => {
      this.#timer = this.#lookLater();
      this.#look();
    });
  }

  #look(): void {
    const now = this.#clock.now();
    // What this look is late by says nothing about the threads: the whole process may have been stopped
    // (reliability.md §6.3).
    const watched = Math.min(now - this.#lookedAt, LOOK);
    this.#lookedAt = now;
    for (const [thread, sight] of this.#sights) {
      const { pulse } = thread;
      const isStill = pulse !== null && pulse === sight.pulse;
      const before = sight.still;
      sight.pulse = pulse;
      sight.still = isStill ? before + watched : 0;
      if (before < DISPATCH.wedgedAfter && sight.still >= DISPATCH.wedgedAfter) this.#wedged(thread);
    }
  }
}
