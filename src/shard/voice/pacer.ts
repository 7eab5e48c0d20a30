// The clock of the discordjs driver: one timer for all its connections, which are spread over the 20 slots
// of one millisecond that make a frame. Made by the driver, in a shard. Deadlines are absolute, so nothing
// drifts; it touches no socket and no library, and reads time from the clock it is given.

import type { Clock, Timer } from '../../shared/clock.js';
import { DRIVER_WORDS } from '../../shared/driver-words.js';
import { FRAME_MS } from '../../shared/frame.js';
import type { SentRow } from '../../shared/sent-row.js';
import { PacedLane } from './paced-lane.js';
import type { LaneGrid, PacedOutput } from './paced-lane.js';

export class Pacer implements LaneGrid {
  readonly clock: Clock;
  readonly counters: Float64Array;
  readonly #origin: number;
  readonly #slots: PacedLane[][] = Array.from({ length: FRAME_MS }, () => []);
  /** Running lanes per slot: the timer looks for the next slot that has any. */
  readonly #running = new Int32Array(FRAME_MS);
  /** The last tick that was served. */
  #cursor = -1;
  #timer: Timer | null = null;
  #timerTick = 0;
  #serving = false;
  readonly #leaving = new Set<PacedLane>();

  constructor(clock: Clock, counters: Float64Array = new Float64Array(DRIVER_WORDS)) {
    this.clock = clock;
    this.counters = counters;
    // Whole, so that ticks and times compare exactly.
    this.#origin = Math.floor(clock.now());
  }

  /** A lane in the slot that has the fewest; it accepts frames once it is enabled. */
  add(output: PacedOutput, row: SentRow | null): PacedLane {
    let slot = 0;
    for (let other = 1; other < FRAME_MS; other++) {
      if (this.#lanes(other).length < this.#lanes(slot).length) slot = other;
    }
    const lane = new PacedLane(slot, this, output, row);
    this.#lanes(slot).push(lane);
    return lane;
  }

  /** Ends a lane; harmless from inside one of its callbacks, and twice. */
  remove(lane: PacedLane): void {
    lane.remove();
    if (this.#serving) this.#leaving.add(lane);
    else this.#forget(lane);
  }

  timeOf(tick: number): number {
    return this.#origin + tick;
  }

  nextTick(slot: number): number {
    const tick = Math.ceil(this.clock.now() - this.#origin);
    const ahead = (slot - (tick % FRAME_MS) + FRAME_MS) % FRAME_MS;
    return tick + ahead;
  }

  started(lane: PacedLane): void {
    this.#running[lane.slot] = (this.#running[lane.slot] ?? 0) + 1;
    if (this.#serving) return;
    if (this.#timer === null || lane.due < this.#timerTick) this.#arm();
  }

  rested(lane: PacedLane): void {
    this.#running[lane.slot] = (this.#running[lane.slot] ?? 0) - 1;
  }

  #run(): void {
    this.#timer = null;
    const nowTick = Math.floor(this.clock.now() - this.#origin);
    this.#serving = true;
    try {
      // After a stall of more than one round each slot is served once; the lanes catch up by themselves.
      for (let tick = Math.max(this.#cursor + 1, nowTick - FRAME_MS + 1); tick <= nowTick; tick++) {
        this.#cursor = tick;
        const slot = tick % FRAME_MS;
        if (this.#running[slot] === 0) continue;
        const lanes = this.#lanes(slot);
        for (let index = 0; index < lanes.length; index++) {
          const lane = lanes[index];
          if (lane?.running === true && lane.due <= nowTick) lane.serve();
        }
      }
    } finally {
      this.#serving = false;
      for (const lane of this.#leaving) this.#forget(lane);
      this.#leaving.clear();
      this.#arm();
    }
  }

  /** Sets the timer to the next slot with a running lane; none when all lanes rest. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const now = this.clock.now();
    // The tick of this very millisecond counts while it has not been served.
    const first = Math.max(this.#cursor + 1, Math.floor(now - this.#origin));
    for (let tick = first; tick < first + FRAME_MS; tick++) {
      if (this.#running[tick % FRAME_MS] === 0) continue;
      this.#timerTick = tick;
      const wait = this.timeOf(tick) - now;
      this.#timer = this.clock.after(Math.max(wait > 0 ? 1 : 0, Math.floor(wait)), () => this.#run());
      return;
    }
  }

  #lanes(slot: number): PacedLane[] {
    return this.#slots[slot] ?? [];
  }

  #forget(lane: PacedLane): void {
    const lanes = this.#lanes(lane.slot);
    const index = lanes.indexOf(lane);
    if (index >= 0) lanes.splice(index, 1);
  }
}
