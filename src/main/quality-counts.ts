// What the row of a player has counted since a moment, over any number of rows: a shard's death gives a player a new
// one, which begins at zero. Pure arithmetic over readings of the row; used by quality.ts on the main thread.
import { PlayerWord } from '../shared/counter-words.js';
import { LATE_BUCKETS } from '../shared/driver-words.js';

/** Reads a word of the player's present row. */
export type WordReader = (word: number) => number;

/** Frames and slots of 20 ms. */
export interface QualityCounts {
  readonly sent: number;
  /** Slots that went by without a frame, and of those the ones that wanted for what is named. */
  readonly nulled: number;
  readonly source: number;
  readonly decode: number;
  readonly ring: number;
  readonly socket: number;
  /** Slots at which the sender found the ring empty. */
  readonly emptied: number;
  /** Frames per bucket of LATE_BUCKETS. */
  readonly late: readonly number[];
  /** No frame was later, in milliseconds: exact when the player's worst so far was among these. */
  readonly maxLateMs: number;
}

const WORDS = [
  PlayerWord.sent,
  PlayerWord.nulled,
  PlayerWord.nulledSource,
  PlayerWord.nulledDecode,
  PlayerWord.nulledRing,
  PlayerWord.nulledSocket,
  PlayerWord.emptied,
] as const;
const SINGLE = WORDS.length;

interface Reading {
  /** The words of WORDS, then the buckets. */
  readonly counts: readonly number[];
  readonly maxLate: number;
}

const NOTHING: Reading = { counts: new Array<number>(SINGLE + LATE_BUCKETS.length).fill(0), maxLate: 0 };

export class CountsSince {
  readonly #word: WordReader;
  /** The present row at the beginning; zero in a row that is new. */
  #base: Reading;
  /** What the rows before this one have counted. */
  #kept = NOTHING;
  /** The present row as it was seen last before it was given up. */
  #last: Reading;

  /** Counts from now on. */
  constructor(word: WordReader) {
    this.#word = word;
    this.#base = read(word);
    this.#last = this.#base;
  }

  /** The row is about to be given up. */
  keep(): void {
    this.#last = read(this.#word);
  }

  /** There is a new row. */
  moved(): void {
    this.#kept = sum(this.#kept, since(this.#last, this.#base));
    this.#base = NOTHING;
    this.#last = NOTHING;
  }

  counts(): QualityCounts {
    const { counts, maxLate } = sum(this.#kept, since(read(this.#word), this.#base));
    const at = (index: number): number => counts[index] ?? 0;
    return {
      sent: at(0),
      nulled: at(1),
      source: at(2),
      decode: at(3),
      ring: at(4),
      socket: at(5),
      emptied: at(6),
      late: counts.slice(SINGLE),
      maxLateMs: maxLate,
    };
  }
}

function read(word: WordReader): Reading {
  const buckets = LATE_BUCKETS.map((_, index) => word(PlayerWord.late + index));
  return { counts: [...WORDS.map((each) => word(each)), ...buckets], maxLate: word(PlayerWord.maxLate) };
}

function since(now: Reading, base: Reading): Reading {
  // A row that counts less than before was given anew.
  const counts = now.counts.map((count, index) => {
    const before = base.counts[index] ?? 0;
    return count >= before ? count - before : count;
  });
  // The row keeps one greatest lateness over all tracks: where it has not grown, the buckets say what it was below.
  if (now.maxLate > base.maxLate) return { counts, maxLate: now.maxLate };
  const highest = counts.slice(SINGLE).findLastIndex((frames) => frames > 0);
  return { counts, maxLate: Math.min(highest < 0 ? 0 : (LATE_BUCKETS[highest] ?? Infinity), now.maxLate) };
}

function sum(one: Reading, other: Reading): Reading {
  return {
    counts: one.counts.map((count, index) => count + (other.counts[index] ?? 0)),
    maxLate: Math.max(one.maxLate, other.maxLate),
  };
}
