// Whose turn it is to read. Packets whose bytes are there already come through microtasks alone, and readers
// that started together fill their windows together: without turns hundreds of milliseconds go by in which
// the fill loop (voice/feed.ts) is not asked. One per shard, shared by all of its readers; never waits itself.
import type { Clock } from '../shared/clock.js';

/** A reader, as its turns see it. */
export interface TurnTaker {
  /** Its window is nearly used up: it goes before those that only top theirs up. */
  readonly hurries: boolean;
  /** Its turn has come: it reads for as long as `mayRead` says so. Never throws. */
  read(): void;
}

/** Packets in a turn. */
const BATCH = 25;
/**
 * Turns that may be under way at once. One that waits for bytes is only known by its not going on: with a
 * single turn at a time, every fetch would cost the others a turn of the event loop.
 */
const HOLDERS = 16;
/** Milliseconds of reading before the event loop, and the fill loop with it, gets a turn. */
const SLICE_MS = 2;
/** Steps of this length never come near a place where they have been for as long as possible. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

export class ReaderTurns {
  readonly #clock: Clock;
  readonly #hurried = new Set<TurnTaker>();
  readonly #patient = new Set<TurnTaker>();
  /** Whose turn it is, and packets left in it; they may be waiting for bytes. */
  readonly #holders = new Map<TurnTaker, number>();
  #sliceEnds = 0;
  #queued = false;
  #spread = 0.5;
  readonly #onTurn = (): void => {
    this.#queued = false;
    // Whoever waits for bytes asks again when they have come.
    this.#holders.clear();
    this.#sliceEnds = this.#clock.now() + SLICE_MS;
    this.#give();
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The clock's time, for those who take turns. */
  get now(): number {
    return this.#clock.now();
  }

  /** A number from 0 to 1, each time far from those before: keeps readers from doing the same at once. */
  spread(): number {
    const spread = this.#spread;
    this.#spread = (spread + GOLDEN) % 1;
    return spread;
  }

  /** Whether the taker may read one more packet in its turn; counts it. If not, it asks again. */
  mayRead(taker: TurnTaker): boolean {
    const left = this.#holders.get(taker);
    if (left === undefined) return false;
    if (left > 0 && this.#clock.now() < this.#sliceEnds) {
      this.#holders.set(taker, left - 1);
      return true;
    }
    this.#holders.delete(taker);
    return false;
  }

  /** The taker's `read` is called when its turn comes; once, however often it asks. */
  ask(taker: TurnTaker): void {
    if (this.#hurried.has(taker) || this.#patient.has(taker)) return;
    (taker.hurries ? this.#hurried : this.#patient).add(taker);
    this.#give();
  }

  /** A taker that has asked may hurry now. Cheap; may be called at any time. */
  hurry(taker: TurnTaker): void {
    if (taker.hurries && this.#patient.delete(taker)) this.#hurried.add(taker);
  }

  /** The taker wants nothing for now: its turn is over, or it does not wait for one any more. */
  leave(taker: TurnTaker): void {
    if (!this.#patient.delete(taker)) this.#hurried.delete(taker);
    if (this.#holders.delete(taker)) this.#give();
  }

  /** Gives turns while this slice is not used up; the rest are given in the next one. */
  #give(): void {
    while (this.#holders.size < HOLDERS && this.#clock.now() < this.#sliceEnds) {
      const waiting = this.#hurried.size > 0 ? this.#hurried : this.#patient;
      const [next] = waiting;
      if (!next) return;
      waiting.delete(next);
      this.#holders.set(next, BATCH);
      next.read();
    }
    if (this.#hurried.size + this.#patient.size > 0) this.#giveLater();
  }

  #giveLater(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.#clock.soon(this.#onTurn);
  }
}
