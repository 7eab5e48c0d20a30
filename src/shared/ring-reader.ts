// The sender's end of one send ring (architecture.md §3, points 2, 3, 6 and 7): claim a packet, send it, release
// it, one at a time. Called in the sender's thread only (or in the shard's where there are no senders), one
// object a ring. It never makes, changes or skips a packet by itself, and allocates nothing in steady state.
import { viewsOf, wordsPerRing, type SlabLayout } from './ring-slab.js';
import {
  claimOne,
  controlWord,
  isEmpty,
  RING_WORDS,
  RingControl,
  RingWord,
  SLOT_WORDS,
  SlotWord,
} from './ring-words.js';

export class RingReader {
  readonly index: number;
  /** The whole slab, for a send by offset and length. */
  readonly bytes: Buffer;
  /** Of the claimed packet, from a `claim` that said true until `release`. Offset and length in bytes of `bytes`. */
  offset = 0;
  length = 0;
  /** RTP timestamp, 32 bits. */
  timestamp = 0;
  mark = 0;
  sourceMs = 0;
  tag = 0;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #slots: number;
  /** Of the ring's first word and first byte in the slab. */
  readonly #at: number;
  readonly #from: number;
  /** Packets done, Int32; only this end changes it. */
  #head: number;

  /** Of a ring whose former sender is dead, if it had one; `recover` comes first then. */
  constructor(slab: SlabLayout, index: number) {
    const { words, times, bytes } = viewsOf(slab);
    this.index = index;
    this.bytes = bytes;
    this.#words = words;
    this.#times = times;
    this.#slots = slab.slots;
    this.#at = index * wordsPerRing(slab.slots);
    this.#from = index * slab.ringBytes;
    this.#head = this.#load(RingWord.head);
  }

  /** Ends a claim in which the former sender died; true if there was one. That packet may be out: it is not sent. */
  recover(): boolean {
    if (!this.#holding(this.#load(RingWord.span))) return false;
    this.#advance();
    return true;
  }

  /** Takes the next packet; false if there is none, or if one is claimed and not yet released. */
  claim(): boolean {
    for (;;) {
      const span = this.#load(RingWord.span);
      if (isEmpty(span) || this.#holding(span)) return false;
      const found = Atomics.compareExchange(this.#words, this.#at + RingWord.span, span, claimOne(span));
      if (found === span) break;
    }
    const slot = this.#at + RING_WORDS + (this.#head & (this.#slots - 1)) * SLOT_WORDS;
    const place = this.#words[slot + SlotWord.place] ?? 0;
    this.offset = this.#from + (place >>> 16);
    this.length = place & 0xffff;
    this.timestamp = (this.#words[slot + SlotWord.timestamp] ?? 0) >>> 0;
    this.mark = this.#words[slot + SlotWord.mark] ?? 0;
    this.tag = this.#words[slot + SlotWord.tag] ?? 0;
    this.sourceMs = this.#times[(slot + SlotWord.sourceMs) >> 1] ?? 0;
    return true;
  }

  /** The claimed packet's bytes: a new view of the slab. A send by `offset` and `length` needs none. */
  packet(): Uint8Array {
    return this.bytes.subarray(this.offset, this.offset + this.length);
  }

  /**
   * The claimed packet is out: from here on the shard may write over it, so not while the socket still has it
   * queued. `nowMs` is the monotonic clock; it is kept as whole milliseconds modulo 2³² (an Int32): differences
   * up to 24 days are right.
   */
  release(nowMs: number): void {
    Atomics.store(this.#words, this.#at + RingWord.sentAt, nowMs | 0);
    this.#advance();
  }

  /** Counts one due packet that was not there. */
  underrun(): void {
    const count = this.#load(RingWord.underruns);
    Atomics.store(this.#words, this.#at + RingWord.underruns, (count + 1) | 0);
  }

  /** Whether there is nothing to claim. */
  get empty(): boolean {
    return isEmpty(this.#load(RingWord.span));
  }

  /** Whether the shard waits for `closed`. */
  closing(): boolean {
    return controlWord(this.#load(RingWord.control)) === RingControl.closing;
  }

  /** Lets go of a closing ring; true if it did. Not while a packet can be claimed or is claimed. */
  closed(): boolean {
    if (!this.closing()) return false;
    const span = this.#load(RingWord.span);
    if (!isEmpty(span) || this.#holding(span)) return false;
    Atomics.store(this.#words, this.#at + RingWord.control, controlWord(RingControl.closed));
    return true;
  }

  #holding(span: number): boolean {
    return span >>> 16 !== (this.#head & 0xffff);
  }

  #advance(): void {
    this.#head = (this.#head + 1) | 0;
    Atomics.store(this.#words, this.#at + RingWord.head, this.#head);
  }

  #load(word: number): number {
    return Atomics.load(this.#words, this.#at + word);
  }
}
