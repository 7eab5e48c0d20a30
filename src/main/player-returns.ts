// PATCHes that wait for a player whose shard died, until its replacement has it or their deadline is over. Owned
// by the players of a session, which tell it whenever something has changed. Main thread.
import type { Clock } from '../shared/clock.js';
import { ServerError } from '../shared/errors.js';

export class PlayerReturns {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves as soon as `isBack` holds, at once if it does already; in the order of the calls. Rejects with what
   * it throws, and with PUM_SHARD_GONE after `ms`.
   */
  async until(isBack: () => boolean, ms: number): Promise<void> {
    if (isBack()) return;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        timer.cancel();
        this.#waiting.delete(look);
      };
      const look = (): void => {
        try {
          if (!isBack()) return;
          resolve();
        } catch (thrown) {
          reject(ServerError.from(thrown, 'PUM_SHARD_GONE'));
        }
        stop();
      };
      const timer = this.#clock.after(ms, () => {
        reject(new ServerError('PUM_SHARD_GONE'));
        stop();
      });
      this.#waiting.add(look);
    });
  }

  /** Something has changed: everybody looks. */
  changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}
