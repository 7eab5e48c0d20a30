// The allowance of restarts: how long to wait before a shard is replaced, and when to give up. Pure.
import { DISPATCH } from '../../shared/limits.js';

export class Restarts {
  readonly #times: number[] = [];

  /**
   * A shard died at `now` (monotonic milliseconds). Milliseconds to wait before its replacement is
   * started, or null when too many have died in the window and the process should end.
   */
  next(now: number): number | null {
    while (this.#times.length > 0 && now - (this.#times[0] ?? 0) > DISPATCH.restartWindow)
      this.#times.shift();
    if (this.#times.length >= DISPATCH.maxRestarts) return null;
    const delay = DISPATCH.restartDelays[this.#times.length] ?? 4_000;
    this.#times.push(now);
    return delay;
  }
}
