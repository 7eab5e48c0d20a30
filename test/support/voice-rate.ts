// Whether somebody does something too often, by a sliding window (close code 4021, discord-voice.md §1.5). Used by
// gateway-connection.ts for messages and by session-book.ts for Identifies.

import type { RateLimit } from './voice-options.js';

export class RateWindow {
  readonly #limit: RateLimit | null;
  #times: number[] = [];

  /** Null: nothing is too often. */
  constructor(limit: RateLimit | null) {
    this.#limit = limit;
  }

  /** Counts one more; false when it is one too many, and then it does not count. */
  admit(now: number): boolean {
    if (this.#limit === null) return true;
    const { count, perMs } = this.#limit;
    this.#times = this.#times.filter((time) => now - time < perMs);
    if (this.#times.length >= count) return false;
    this.#times.push(now);
    return true;
  }
}
