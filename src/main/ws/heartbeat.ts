// Pings one client's socket and cuts it when no pong comes back, so that a half-open connection is noticed
// (reliability.md case 28). The engine does not ping by itself. Main thread.
import type { Clock, Timer } from '../../shared/clock.js';

export interface HeartbeatTimes {
  /** Milliseconds between two pings. */
  readonly interval: number;
  /** Milliseconds a pong may take. */
  readonly timeout: number;
}

export interface Pingable {
  ping(): void;
  terminate(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #socket: Pingable;
  readonly #times: HeartbeatTimes;
  #next: Timer;
  #missing: Timer | null = null;

  constructor(clock: Clock, socket: Pingable, times: HeartbeatTimes) {
    this.#clock = clock;
    this.#socket = socket;
    this.#times = times;
    this.#next = this.#schedule();
  }

  pong(): void {
    this.#missing?.cancel();
    this.#missing = null;
  }

  stop(): void {
    this.#next.cancel();
    this.pong();
  }

  #schedule(): Timer {
    return this.#clock.after(this.#times.interval, () => {
      this.#next = this.#schedule();
      this.#missing ??= this.#clock.after(this.#times.timeout, () => {
        this.stop();
        this.#socket.terminate();
      });
      this.#socket.ping();
    });
  }
}
