// Rows of shared counters, one per player of a shard, 512 to a table. The shard writes, main reads without
// asking; main allocates the tables and gives the rows out. Atomics only for the sequence word that guards
// a position; every other word has one writer and stands for itself.
import { PlayerWord } from './counter-words.js';

export const ROWS_PER_TABLE = 512;

/** A write takes nanoseconds: a word that stays odd for so many looks has lost its writer. */
const STUCK_TRIES = 1_000;
const MAX_TRIES = 100_000;

const PLAYER_WORDS = Object.keys(PlayerWord).length;

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
