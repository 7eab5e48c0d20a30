// What the torture of the send ring remembers beside the ring, in shared memory, so that it outlives the worker
// that wrote it: per ring what was sealed and what was sent, and the counts of the whole run.
import { wordsPerRing, type SlabLayout } from '../../src/shared/ring-slab.js';
import { RING_WORDS, RingWord, SLOT_WORDS } from '../../src/shared/ring-words.js';

export const Stat = {
  flushes: 0,
  /** Flushes that found one packet claimed. */
  openClaims: 1,
  sent: 2,
  pauses: 3,
  /** Packets lost with a dead receiver. */
  skipped: 4,
  lives: 5,
  /** Lives that ended because no nonce was left. */
  exhausted: 6,
  /** Packets that stayed claimed while the receiver went on, as with a full socket. */
  held: 7,
  rounds: 8,
  done: 9,
  feederDeaths: 10,
  receiverDeaths: 11,
  /** Real thread deaths still to come, of each role. */
  feederKills: 12,
  receiverKills: 13,
  fullOfPackets: 14,
  fullOfBytes: 15,
} as const;

/** Words of one ring; those of a record are relative to `sent` or `skipped`. */
export const Entry = {
  // Written by the feeder.
  generation: 0,
  life: 1,
  firstSequence: 2,
  firstTimestamp: 3,
  /** Lowest nonce not yet sealed with in this life. */
  nextSealed: 4,
  // Written by the receiver.
  sent: 8,
  skipped: 16,
} as const;

export const Proof = {
  index: 0,
  nextNonce: 1,
  timestamp: 2,
  mark: 3,
  sequence: 4,
  /** Which of the five silence frames it was, 0 for another frame. */
  ordinal: 5,
  /** 1: nothing of this life was sent yet. */
  fresh: 6,
} as const;

const ENTRY_WORDS = 24;
const STAT_WORDS = 16;

export class RingLedger {
  readonly memory: SharedArrayBuffer;
  readonly stats: Int32Array;
  readonly entries: Int32Array;
  /** The words of the slab, for looking at what the ring itself does not tell. */
  readonly slabWords: Int32Array;
  readonly slab: SlabLayout;

  constructor(
    slab: SlabLayout,
    memory = new SharedArrayBuffer((STAT_WORDS + slab.rings * ENTRY_WORDS) * Int32Array.BYTES_PER_ELEMENT),
  ) {
    this.slab = slab;
    this.memory = memory;
    this.stats = new Int32Array(memory, 0, STAT_WORDS);
    this.entries = new Int32Array(memory, STAT_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.slabWords = new Int32Array(slab.words);
  }

  count(stat: number): number {
    return this.stats[stat] ?? 0;
  }

  add(stat: number, amount = 1): number {
    return Atomics.add(this.stats, stat, amount) + amount;
  }

  get(ring: number, word: number): number {
    return Atomics.load(this.entries, ring * ENTRY_WORDS + word);
  }

  set(ring: number, word: number, value: number): void {
    Atomics.store(this.entries, ring * ENTRY_WORDS + word, value);
  }

  /** Place of a word of the ring in `slabWords`. */
  place(ring: number, word: number): number {
    return ring * wordsPerRing(this.slab.slots) + word;
  }

  /** Place of a word of the packet with this index. */
  slotPlace(ring: number, index: number, word: number): number {
    return this.place(ring, RING_WORDS + (index & (this.slab.slots - 1)) * SLOT_WORDS + word);
  }

  head(ring: number): number {
    return this.slabWords[this.place(ring, RingWord.head)] ?? 0;
  }

  span(ring: number): number {
    return this.slabWords[this.place(ring, RingWord.span)] ?? 0;
  }

  /** Whether a packet is claimed and not done. */
  claimOpen(ring: number): boolean {
    return this.span(ring) >>> 16 !== (this.head(ring) & 0xffff);
  }
}

/** Whole number from 0 to below - 1. */
export function random(below: number): number {
  return Math.floor(Math.random() * below);
}

/** Keeps the thread busy, for microseconds that a sleep would overrun. */
export function spin(microseconds: number): void {
  for (const end = performance.now() + microseconds / 1000; performance.now() < end;);
}
