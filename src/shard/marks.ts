// What a player has queued and not yet heard to have left: source time and kind of each frame, in order. A
// ring of plain arrays, because one mark per frame must not become garbage. A player that plays nothing has none.
import type { FrameMode } from './voice/driver.js';

/** Twice the frames of the longest lead, 1,000 ms: what has left is looked at later than what is pushed. */
const CAPACITY = 128;

/** Frames that did not leave, and the source time in seconds at which the oldest of them begins. */
export interface TakenBack {
  readonly count: number;
  readonly start: number;
}

/** Of every player without a mark; never written to. */
const NO_NUMBERS = new Float64Array(0);
const NO_MODES = new Uint8Array(0);

export class Marks {
  #starts = NO_NUMBERS;
  #generations = NO_NUMBERS;
  #modes = NO_MODES;
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(start: number, generation: number, mode: FrameMode): void {
    if (this.#starts === NO_NUMBERS) {
      this.#starts = new Float64Array(CAPACITY);
      this.#generations = new Float64Array(CAPACITY);
      this.#modes = new Uint8Array(CAPACITY);
    }
    const at = (this.#head + this.#count) % CAPACITY;
    this.#starts[at] = start;
    this.#generations[at] = generation;
    this.#modes[at] = mode;
    this.#count++;
  }

  /** Source seconds at which the oldest queued frame begins. */
  get start(): number {
    return this.#starts[this.#head] ?? 0;
  }

  get generation(): number {
    return this.#generations[this.#head] ?? 0;
  }

  /** Generation of the newest queued frame. */
  get newest(): number {
    return this.#generations[(this.#head + this.#count - 1 + CAPACITY) % CAPACITY] ?? 0;
  }

  get mode(): FrameMode {
    return (this.#modes[this.#head] ?? 0) as FrameMode;
  }

  /** The oldest one has left. */
  shift(): void {
    if (this.#count === 0) return;
    this.#head = (this.#head + 1) % CAPACITY;
    this.#count--;
  }

  /** The newest `count` did not leave. Returns those of them that are of `generation`, which are the newest. */
  takeBack(count: number, generation: number): TakenBack | null {
    let own = 0;
    let start = 0;
    for (let left = Math.min(count, this.#count); left > 0; left--) {
      this.#count--;
      const at = (this.#head + this.#count) % CAPACITY;
      if (this.#generations[at] !== generation) continue;
      own++;
      start = this.#starts[at] ?? 0;
    }
    return own === 0 ? null : { count: own, start };
  }

  clear(): void {
    this.#count = 0;
    this.#starts = NO_NUMBERS;
    this.#generations = NO_NUMBERS;
    this.#modes = NO_MODES;
  }
}
