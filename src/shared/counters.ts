// Layout of the counters that shards write and main reads without asking. Totals are Float64 (an Int32 of
// frames wraps within hours); Atomics only for the sequence word that guards a position. One writer per
// word. Main allocates everything here and keeps it, so a shard's restart never makes a counter go down.
import { PlayerWord, ShardWord, type FrameCounterIndex } from './counter-words.js';
import { DRIVER, DRIVER_WORDS, LATE_BUCKETS } from './driver-words.js';

export const ROWS_PER_TABLE = 512;

/** A write takes nanoseconds: a word that stays odd for so many looks has lost its writer. */
const STUCK_TRIES = 1_000;
const MAX_TRIES = 100_000;

const SHARD_WORDS = Object.keys(ShardWord).length;
const PLAYER_WORDS = Object.keys(PlayerWord).length;

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

/** A position that was written as one: where the source stood, and the monotonic time of that. */
export interface PositionReading {
  readonly positionMs: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** 512 player rows of one shard. */
export class PlayerTable {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Float64Array;
  readonly #sequences: Int32Array;

  static bytes(): number {
    return ROWS_PER_TABLE * (PLAYER_WORDS * Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT);
  }

  constructor(buffer = new SharedArrayBuffer(PlayerTable.bytes())) {
    this.buffer = buffer;
    this.#words = new Float64Array(buffer, 0, ROWS_PER_TABLE * PLAYER_WORDS);
    this.#sequences = new Int32Array(buffer, this.#words.byteLength, ROWS_PER_TABLE);
  }

  get(row: number, word: number): number {
    return this.#words[row * PLAYER_WORDS + word] ?? 0;
  }

  set(row: number, word: number, value: number): void {
    this.#words[row * PLAYER_WORDS + word] = value;
  }

  add(row: number, word: number, amount: number): void {
    this.set(row, word, this.get(row, word) + amount);
  }

  clear(row: number): void {
    this.#words.fill(0, row * PLAYER_WORDS, (row + 1) * PLAYER_WORDS);
  }

  /** Writes position and its time so that a reader sees both of one moment or tries again. */
  setPosition(row: number, positionMs: number, at: number): void {
    Atomics.add(this.#sequences, row, 1); // odd: being written
    this.set(row, PlayerWord.positionMs, positionMs);
    this.set(row, PlayerWord.positionAt, at);
    Atomics.add(this.#sequences, row, 1);
  }

  readPosition(row: number): PositionReading {
    let stuckAt = -1;
    let stuckFor = 0;
    for (let tries = 0; ; tries++) {
      const before = Atomics.load(this.#sequences, row);
      const reading = {
        positionMs: this.get(row, PlayerWord.positionMs),
        at: this.get(row, PlayerWord.positionAt),
      };
      if (before % 2 === 0 && Atomics.load(this.#sequences, row) === before) return reading;
      // A writer that died half-way leaves an odd word that never changes: take what is there.
      stuckFor = before === stuckAt ? stuckFor + 1 : 0;
      stuckAt = before;
      if (stuckFor >= STUCK_TRIES || tries >= MAX_TRIES) return reading;
    }
  }

  /** Main, when it gives the row to a new placement. */
  reset(row: number): void {
    Atomics.store(this.#sequences, row, 0);
    this.clear(row);
  }
}
