// The totals that a shard writes and main reads without asking. Float64, for an Int32 of frames wraps within
// hours; one writer per word. Main allocates them and keeps them, so a shard's restart never makes a counter
// go down. The rows of players are in player-table.ts.
import { ShardWord, type FrameCounterIndex } from './counter-words.js';
import { DRIVER, DRIVER_WORDS, LATE_BUCKETS } from './driver-words.js';

const SHARD_WORDS = Object.keys(ShardWord).length;

/** Totals of one shard, over all its lives: its own words, then those of its voice driver. */
export class ShardCounters {
  readonly buffer: SharedArrayBuffer;
  /** The words named by DRIVER in driver-words.ts. */
  readonly driver: Float64Array;
  readonly #words: Float64Array;

  constructor(buffer = new SharedArrayBuffer((SHARD_WORDS + DRIVER_WORDS) * Float64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#words = new Float64Array(buffer, 0, SHARD_WORDS);
    this.driver = new Float64Array(buffer, SHARD_WORDS * Float64Array.BYTES_PER_ELEMENT, DRIVER_WORDS);
  }

  get(word: number): number {
    return this.#words[word] ?? 0;
  }

  set(word: number, value: number): void {
    this.#words[word] = value;
  }

  add(word: number, amount: number): void {
    this.#words[word] = (this.#words[word] ?? 0) + amount;
  }

  addFrame(mode: FrameCounterIndex): void {
    this.add(ShardWord.sentPassthrough + mode, 1);
  }

  /** Frames per bucket of LATE_BUCKETS, the last one for everything above. */
  lateness(): number[] {
    return [...this.driver.subarray(DRIVER.late, DRIVER.late + LATE_BUCKETS.length)];
  }

  get maxLatenessMs(): number {
    return this.driver[DRIVER.maxLate] ?? 0;
  }

  /** Silence frames that the driver made and sent by itself. */
  get silenceSent(): number {
    return this.driver[DRIVER.silence] ?? 0;
  }
}
