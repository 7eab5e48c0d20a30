// Rows of shared counters, one per player of a shard, 512 to a table. Shard and sender write, main reads without
// asking; main allocates the tables and gives the rows out. Atomics only for the sequence words that say which
// group of words holds the position; every other word has one writer and stands for itself.
import { PLAYER_WORDS, PlayerWord } from './counter-words.js';

export const ROWS_PER_TABLE = 512;

/** Where the source stood, and the monotonic time of that. */
export interface PositionReading {
  readonly positionMs: number;
  /** Monotonic milliseconds; of a position that a dead shard's ring has still to reach, a time to come. */
  readonly at: number;
}

/** The two sequence words of a row: which pair of the shard holds, and which of the sender. */
const SEQUENCES = 2;
const BASE = 0;
const SENT = 1;

/** How far behind the first of two groups, written by turns, the other lies. */
const OTHER_BASE = PlayerWord.otherTag - PlayerWord.tag;
const OTHER_SENT = PlayerWord.otherPositionMs - PlayerWord.positionMs;

/** 512 player rows of one shard. */
export class PlayerTable {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Float64Array;
  readonly #sequences: Int32Array;

  static bytes(): number {
    const words = PLAYER_WORDS * Float64Array.BYTES_PER_ELEMENT;
    return ROWS_PER_TABLE * (words + SEQUENCES * Int32Array.BYTES_PER_ELEMENT);
  }

  constructor(buffer = new SharedArrayBuffer(PlayerTable.bytes())) {
    this.buffer = buffer;
    this.#words = new Float64Array(buffer, 0, ROWS_PER_TABLE * PLAYER_WORDS);
    this.#sequences = new Int32Array(buffer, this.#words.byteLength, ROWS_PER_TABLE * SEQUENCES);
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

  /**
   * The shard's side of the position: frames with `tag` (Int32, not 0) move it from `baseMs`, where the source
   * stood `at`. Also for a tag that goes on: then the source stood there at that later time, whatever was sent.
   */
  setBase(row: number, tag: number, baseMs: number, at: number): void {
    const sequence = this.#sequence(row, BASE) + 1;
    const shift = otherOf(sequence) * OTHER_BASE;
    this.set(row, PlayerWord.tag + shift, tag);
    this.set(row, PlayerWord.baseMs + shift, baseMs);
    this.set(row, PlayerWord.baseAt + shift, at);
    this.#publish(row, BASE, sequence);
  }

  /** The sender's side: a frame with `tag` has left `at`, and the source stands at its end. */
  setSent(row: number, tag: number, positionMs: number, at: number): void {
    const sequence = this.#sequence(row, SENT) + 1;
    const shift = otherOf(sequence) * OTHER_SENT;
    this.set(row, PlayerWord.positionMs + shift, positionMs);
    this.set(row, PlayerWord.positionAt + shift, at);
    this.set(row, PlayerWord.positionTag + shift, tag);
    this.#publish(row, SENT, sequence);
  }

  /**
   * The sender's reading if it is of the present tag, else the base; each of one moment, whatever a writer is
   * doing: one that sleeps or has died half-way hides nothing. Within a tag the source goes forward only, so of
   * two that are both of it the further one counts, and the later time.
   */
  readPosition(row: number): PositionReading {
    for (;;) {
      const ofBase = this.#sequence(row, BASE);
      const ofSent = this.#sequence(row, SENT);
      const base = otherOf(ofBase) * OTHER_BASE;
      const sent = otherOf(ofSent) * OTHER_SENT;
      const tag = this.get(row, PlayerWord.tag + base);
      let positionMs = this.get(row, PlayerWord.baseMs + base);
      let at = this.get(row, PlayerWord.baseAt + base);
      if (this.get(row, PlayerWord.positionTag + sent) === tag) {
        positionMs = Math.max(positionMs, this.get(row, PlayerWord.positionMs + sent));
        at = Math.max(at, this.get(row, PlayerWord.positionAt + sent));
      }
      // These groups are written again only behind the next sequence.
      const isSame = this.#sequence(row, BASE) === ofBase && this.#sequence(row, SENT) === ofSent;
      if (isSame) return { positionMs, at };
    }
  }

  /** The shard has sealed a frame with `tag` into its ring, and it ends at `endMs`. */
  setSealed(row: number, tag: number, endMs: number): void {
    // A shard that dies in between has sealed nothing, rather than something of another tag.
    if (this.get(row, PlayerWord.sealedTag) !== tag) this.set(row, PlayerWord.sealedTag, 0);
    this.set(row, PlayerWord.sealedMs, endMs);
    this.set(row, PlayerWord.sealedTag, tag);
  }

  /** What the ring held is taken back. */
  clearSealed(row: number): void {
    this.set(row, PlayerWord.sealedTag, 0);
    this.set(row, PlayerWord.sealedMs, 0);
  }

  /** Where the last frame of the present tag ends that was sealed and not taken back; 0 for none. Of a dead shard. */
  readSealed(row: number): number {
    const shift = otherOf(this.#sequence(row, BASE)) * OTHER_BASE;
    const isPresent = this.get(row, PlayerWord.sealedTag) === this.get(row, PlayerWord.tag + shift);
    return isPresent ? this.get(row, PlayerWord.sealedMs) : 0;
  }

  /** Main, when it gives the row to a new placement. */
  reset(row: number): void {
    Atomics.store(this.#sequences, row * SEQUENCES + BASE, 0);
    Atomics.store(this.#sequences, row * SEQUENCES + SENT, 0);
    this.clear(row);
  }

  #sequence(row: number, which: number): number {
    return Atomics.load(this.#sequences, row * SEQUENCES + which);
  }

  #publish(row: number, which: number, sequence: number): void {
    Atomics.store(this.#sequences, row * SEQUENCES + which, sequence);
  }
}

/** Which of two groups a sequence points to: 0 or 1. */
function otherOf(sequence: number): number {
  return sequence & 1;
}
