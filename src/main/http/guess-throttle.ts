// Slows down guessing of the password (decision D6, reliability.md case 20): remembers the wrong tries of each
// address and says when further wrong ones are to be refused. It never sees a password. Main thread.
import type { Clock } from '../../shared/clock.js';
import { EDGE } from '../../shared/limits.js';

interface Guesser {
  /** Times of the latest wrong tries, oldest first. */
  readonly failures: number[];
  /** End of the penalty, or 0. */
  refusedUntil: number;
}

export class GuessThrottle {
  readonly #clock: Clock;
  /** Least recently wrong first. */
  readonly #guessers = new Map<string, Guesser>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Addresses remembered, at most EDGE.maxGuessers. */
  get size(): number {
    return this.#guessers.size;
  }

  /** Notes a wrong try; true when it is one too many. */
  isExcessive(address: string): boolean {
    const now = this.#clock.now();
    const guesser = this.#guessers.get(address) ?? { failures: [], refusedUntil: 0 };
    this.#guessers.delete(address);
    this.#guessers.set(address, guesser);
    this.#forget(now);
    if (now < guesser.refusedUntil) return true;
    const { failures } = guesser;
    while (failures[0] !== undefined && failures[0] <= now - EDGE.guessWindow) failures.shift();
    failures.push(now);
    if (failures.length >= EDGE.maxGuesses) {
      failures.length = 0;
      guesser.refusedUntil = now + EDGE.guessPenalty;
    }
    return false;
  }

  /** Drops, oldest first, whom nothing is held against any more, and whoever is beyond the ceiling. */
  #forget(now: number): void {
    for (const [address, { failures, refusedUntil }] of this.#guessers) {
      const isOver = now >= refusedUntil && (failures.at(-1) ?? -Infinity) <= now - EDGE.guessWindow;
      if (this.#guessers.size === 1 || (!isOver && this.#guessers.size <= EDGE.maxGuessers)) return;
      this.#guessers.delete(address);
    }
  }
}
