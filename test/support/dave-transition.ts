// The one transition of a call that can be open, and a change that waits for it (discord-voice.md §2.4 items 7 and
// 8). Used by dave-delivery.ts, which announces and executes.
import type { KeyPackage } from './mls.js';

export interface Transition {
  readonly id: number;
  readonly recipients: readonly string[];
  readonly version: number;
}

export type Pending =
  | { readonly kind: 'add'; readonly keyPackage: KeyPackage }
  | { readonly kind: 'remove'; readonly userId: string };

export class TransitionSlot {
  #open: Transition | null = null;
  #awaited = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #lastId = 0;

  get busy(): boolean {
    return this.#open !== null;
  }

  /** Opens one in place of an older one; `expired` is called when op 23 has not come from all of them in time. */
  open(recipients: readonly string[], version: number, timeoutMs: number, expired: () => void): Transition {
    this.take();
    this.#lastId = (this.#lastId % 65_535) + 1;
    this.#open = { id: this.#lastId, recipients, version };
    this.#awaited = new Set(recipients);
    this.#timer = setTimeout(expired, timeoutMs);
    return this.#open;
  }

  is(id: number): boolean {
    return this.#open?.id === id;
  }

  /** True when that was the last one that was awaited. */
  answered(userId: string): boolean {
    return this.#open !== null && this.#awaited.delete(userId) && this.#awaited.size === 0;
  }

  /** Closes it; null when there is none. */
  take(): Transition | null {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const open = this.#open;
    this.#open = null;
    return open;
  }
}
