// What only the passing of time can tell about a track: that nobody listens to it any more (cleanup), that
// somebody does and hears nothing (stuck; both are Lavalink's rules, lavalink-v4.md §2.3), or that it is paused
// for so long that its source need not be kept open (park). Asked twice a second.
import { PLAYBACK } from '../shared/limits.js';

export type SilenceVerdict = 'cleanup' | 'stuck' | 'park' | null;

export class SilenceWatch {
  readonly #stuckMs: number;
  readonly #parkMs: number;
  /** Clock times of the last frame that left, and of the last sign that anybody listens. */
  #frameAt: number;
  #polledAt: number;
  #told = false;
  /** Clock time since which nothing was to be heard; null while something is. */
  #quietAt: number | null = null;

  constructor(stuckMs: number, parkMs: number, now: number) {
    this.#stuckMs = stuckMs;
    this.#parkMs = parkMs;
    this.#frameAt = this.#polledAt = now;
  }

  newTrack(now: number): void {
    this.restart(now);
    this.#told = false;
  }

  /** A pause, a seek or a connection has begun or ended: the times count from here. */
  restart(now: number): void {
    this.#frameAt = this.#polledAt = now;
  }

  sent(at: number): void {
    this.#frameAt = this.#polledAt = at;
  }

  /** `audible`: frames should be leaving now. Says `stuck` once per track. */
  check(now: number, connected: boolean, audible: boolean): SilenceVerdict {
    if (connected) this.#polledAt = now;
    if (now - this.#polledAt >= PLAYBACK.cleanupAfter) return 'cleanup';
    if (!audible) return this.#quiet(now);
    this.#quietAt = null;
    if (this.#told || now - this.#frameAt < this.#stuckMs) return null;
    this.#told = true;
    return 'stuck';
  }

  #quiet(now: number): SilenceVerdict {
    this.#frameAt = now;
    this.#quietAt ??= now;
    return now - this.#quietAt >= this.#parkMs ? 'park' : null;
  }
}
