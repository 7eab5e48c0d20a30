// Runs a sender's loop: one timer to its next deadline, and from the last fraction of a millisecond on turn by
// turn of the event loop, for a timer counts in whole ones. In the loop's thread, whichever that is.

import type { Clock, Timer } from '../../shared/clock.js';
import type { SenderLoop } from './loop.js';

/** Nearer deadlines are waited for in turns of the event loop. Milliseconds. */
const SPIN_MS = 0.25;

export class SenderRunner {
  readonly #clock: Clock;
  readonly #loop: SenderLoop;
  #timer: Timer | null = null;
  #soon = false;
  #closed = false;
  readonly #turn = (): void => {
    this.#timer = null;
    this.#soon = false;
    if (this.#closed) return;
    const wait = this.#loop.run(this.#clock.now());
    // What the loop told somebody may have brought it new work.
    if (this.#soon || wait === Infinity) return;
    if (wait < SPIN_MS) this.#runSoon();
    else this.#timer = this.#clock.after(Math.max(1, Math.floor(wait)), this.#turn);
  };

  constructor(clock: Clock, loop: SenderLoop) {
    this.#clock = clock;
    this.#loop = loop;
    loop.onWork(() => this.#runSoon());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #runSoon(): void {
    if (this.#soon || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#soon = true;
    this.#clock.soon(this.#turn);
  }
}
