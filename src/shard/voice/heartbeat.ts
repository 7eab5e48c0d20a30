// The heartbeat of one voice gateway connection: beats once at once, so that the ping is known early
// (discord-voice.md §3.7 gap 7), then at the server's interval, and notices when the answers stop. Used by both
// drivers, in a shard; sends through its owner, never by itself.

import type { Clock, Timer } from '../../shared/clock.js';
import { VOICE } from '../../shared/limits.js';

const SHORTEST_MS = 20;
const LONGEST_MS = 120_000;

export interface HeartbeatOwner {
  /** Sends op 3. */
  beat(): void;
  /** The acknowledgements have stopped coming. Nothing follows. */
  lost(): void;
}

export class Heartbeat {
  /** Milliseconds from beat to acknowledgement, -1 until known. */
  ping = -1;
  readonly #clock: Clock;
  readonly #owner: HeartbeatOwner;
  #timer: Timer | null = null;
  #interval = 0;
  #sentAt = 0;
  #missed = 0;

  constructor(clock: Clock, owner: HeartbeatOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** A value that is no sensible interval stops it. */
  start(intervalMs: number): void {
    this.stop();
    if (!(intervalMs > 0)) return;
    this.#interval = Math.min(Math.max(intervalMs, SHORTEST_MS), LONGEST_MS);
    this.#tick();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#missed = 0;
  }

  /** The server has asked for one. */
  now(): void {
    this.#sentAt = this.#clock.now();
    this.#owner.beat();
  }

  acknowledged(): void {
    if (this.#missed === 0) return;
    this.#missed = 0;
    this.ping = Math.max(0, this.#clock.now() - this.#sentAt);
  }

  #tick(): void {
    if (this.#missed >= VOICE.maxMissedHeartbeats) {
      this.stop();
      this.#owner.lost();
      return;
    }
    this.#missed++;
    this.now();
    this.#timer = this.#clock.after(this.#interval, () => {
      this.#tick();
    });
  }
}
