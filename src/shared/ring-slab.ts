// The memory of many send rings, made by main for one shard and one sender (architecture.md §3), and the views
// of it that all rings of a thread share. A ring costs memory only where it was written: what it may grow to is
// address space.
import { RING_WORDS, SLOT_WORDS } from './ring-words.js';

/** Plain data: it can be posted to a thread. */
export interface SlabLayout {
  readonly rings: number;
  /** Packets a ring can hold plus one; a power of two, 32 or 64. */
  readonly slots: number;
  /** Bytes from one ring to the next, at most 65,536. */
  readonly ringBytes: number;
  /** Bytes that a ring uses at first; it doubles them, up to `ringBytes`, when they do not hold its lead. */
  readonly firstBytes: number;
  readonly words: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
}

export interface SlabViews {
  readonly words: Int32Array;
  /** The same memory as `words`, for the source times. */
  readonly times: Float64Array;
  readonly bytes: Buffer;
}

/** Words from the start of one ring to the next. */
export function wordsPerRing(slots: number): number {
  return RING_WORDS + slots * SLOT_WORDS;
}

export function createSlab(
  rings: number,
  slots: number,
  ringBytes: number,
  firstBytes: number = ringBytes,
): SlabLayout {
  const wordBytes = rings * wordsPerRing(slots) * Int32Array.BYTES_PER_ELEMENT;
  return {
    rings,
    slots,
    ringBytes,
    firstBytes,
    words: new SharedArrayBuffer(wordBytes),
    bytes: new SharedArrayBuffer(rings * ringBytes),
  };
}

const known = new WeakMap<SharedArrayBuffer, SlabViews>();

/** One set of views a slab and thread: thousands of rings need no view of their own. */
export function viewsOf(slab: SlabLayout): SlabViews {
  let views = known.get(slab.words);
  if (views === undefined) {
    views = {
      words: new Int32Array(slab.words),
      times: new Float64Array(slab.words),
      bytes: Buffer.from(slab.bytes),
    };
    known.set(slab.words, views);
  }
  return views;
}
