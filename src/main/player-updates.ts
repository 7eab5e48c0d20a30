// The periodic playerUpdate of every player with a loaded track (lavalink-v4.md §2.3): one chain of timers
// per player, started anew by each track. Main thread; the interval takes effect with the next track.
import type { Clock, Timer } from '../shared/clock.js';

export class PlayerUpdates {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Calls `send` every interval from now on; a schedule of that name that is running is replaced. */
  start(name: string, send: () => void): void {
    this.stop(name);
    const next = (): void => {
      this.#timers.set(
        name,
        this.#clock.after(this.#intervalMs, () => {
          next();
          send();
        }),
      );
    };
    next();
  }

  stop(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }
}
