// Keeps what a Shoukaku player is told, in order, and lets a test wait for one of it.
import type { Player } from 'shoukaku';

const NAMES = ['start', 'end', 'stuck', 'exception', 'closed', 'update'] as const;
export type PlayerEventName = (typeof NAMES)[number];

export interface SeenEvent {
  readonly name: PlayerEventName;
  readonly data: Record<string, unknown>;
  /** performance.now() */
  readonly at: number;
}

export class PlayerEvents {
  readonly seen: SeenEvent[] = [];
  #waiting: (() => void)[] = [];

  constructor(player: Player) {
    for (const name of NAMES) {
      player.on(name, (data: unknown) => {
        this.seen.push({ name, data: data as Record<string, unknown>, at: performance.now() });
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const look of waiting) look();
      });
    }
  }

  /** Names in order, without the updates. */
  get names(): PlayerEventName[] {
    return this.seen.map(({ name }) => name).filter((name) => name !== 'update');
  }

  /** The n-th event of that name; rejects after `ms`. */
  async wait(name: PlayerEventName, n = 1, ms = 15_000): Promise<SeenEvent> {
    const until = performance.now() + ms;
    for (;;) {
      const found = this.seen.filter((event) => event.name === name)[n - 1];
      if (found) return found;
      const left = until - performance.now();
      if (left <= 0) throw new Error(`no ${name} within ${String(ms)} ms, but ${this.names.join(' ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}
