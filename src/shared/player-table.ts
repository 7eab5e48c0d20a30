// Rows of shared counters, one per player of a shard, 512 to a table. The shard writes, main reads without
// asking; main allocates the tables and gives the rows out. Atomics only for the sequence word that says which
// pair of words holds the position; every other word has one writer and stands for itself.
import { PLAYER_WORDS, PlayerWord } from './counter-words.js';

export const ROWS_PER_TABLE = 512;

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

  /** Writes position and its time into the pair that nobody reads, then lets the sequence point to it. */
  setPosition(row: number, positionMs: number, at: number): void {
    const sequence = Atomics.load(this.#sequences, row) + 1;
    this.set(row, msOf(sequence), positionMs);
    this.set(row, atOf(sequence), at);
    Atomics.store(this.#sequences, row, sequence);
  }

  /** Both of one moment, whatever a writer is doing: one that sleeps or has died half-way hides nothing. */
  readPosition(row: number): PositionReading {
    for (;;) {
      const sequence = Atomics.load(this.#sequences, row);
      const reading = { positionMs: this.get(row, msOf(sequence)), at: this.get(row, atOf(sequence)) };
      // This pair is written again only behind the next sequence.
      if (Atomics.load(this.#sequences, row) === sequence) return reading;
    }
  }

  /** Main, when it gives the row to a new placement. */
  reset(row: number): void {
    Atomics.store(this.#sequences, row, 0);
    this.clear(row);
  }
}

function msOf(sequence: number): number {
  return sequence % 2 === 0 ? PlayerWord.positionMs : PlayerWord.otherPositionMs;
}

function atOf(sequence: number): number {
  return sequence % 2 === 0 ? PlayerWord.positionAt : PlayerWord.otherPositionAt;
}
