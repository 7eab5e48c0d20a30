// The shard's end of one send ring: sealed packets go in, a flush takes back those that the sender has not
// claimed (architecture.md §3, points 1-6). Called in the shard's thread only, one object a ring. It allocates
// nothing per packet and waits for nobody.
import { ServerError } from './errors.js';
import { FRAME_SAMPLES } from './frame.js';
import { viewsOf, wordsPerRing, type SlabLayout } from './ring-slab.js';
import {
  controlWord,
  publishOne,
  revokeAll,
  RING_WORDS,
  RingControl,
  RingWord,
  SLOT_WORDS,
  SlotWord,
} from './ring-words.js';

/** The last count of nonces that fits its word: the key has to be changed before it wraps (case 6). */
const MAX_NONCES = 2 ** 32 - 1;

export class RingWriter {
  readonly index: number;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #bytes: Buffer;
  readonly #slots: number;
  readonly #size: number;
  readonly #first: number;
  /** Bytes in use from the ring's beginning: the sender goes where the packets' places say, so only this end knows. */
  #limit: number;
  /** Of the ring's first word and first byte in the slab. */
  readonly #at: number;
  readonly #from: number;
  /** Index behind the newest packet, Int32; the span holds its lower half, which only this end changes. */
  #tail: number;
  #underrunsBefore: number;

  /** Also adopts a ring whose shard is dead; the dead thread's exit must have been seen before. */
  constructor(slab: SlabLayout, index: number) {
    const { words, times, bytes } = viewsOf(slab);
    this.index = index;
    this.#words = words;
    this.#times = times;
    this.#bytes = bytes;
    this.#slots = slab.slots;
    this.#size = slab.ringBytes;
    this.#first = slab.firstBytes;
    this.#limit = slab.firstBytes;
    this.#at = index * wordsPerRing(slab.slots);
    this.#from = index * slab.ringBytes;
    // Head before span: the tail is less than SLOTS beyond any head that was ever true.
    const head = this.head;
    this.#tail = (head + ((this.#load(RingWord.span) - head) & 0xffff)) | 0;
    this.#underrunsBefore = this.#load(RingWord.underruns);
  }

  /**
   * Opens a closed ring (one never used is closed) under a new key: nonces count from 0, the next packet has
   * `sequence` (16 bits) and, without a gap, `timestamp` (32 bits).
   */
  begin(sequence: number, timestamp: number): void {
    if (this.control !== RingControl.closed) throw new ServerError('PUM_RING_IN_USE', { ring: this.index });
    this.#limit = this.#first;
    this.#store(RingWord.nonce, 0);
    this.#store(RingWord.sequence, (sequence - this.#tail) & 0xffff);
    this.#words[this.#slot(this.#tail - 1) + SlotWord.timestamp] = timestamp - FRAME_SAMPLES;
    this.#underrunsBefore = this.#load(RingWord.underruns);
    this.#store(RingWord.control, controlWord(RingControl.active));
  }

  /** A RingControl. */
  get control(): number {
    return controlWord(this.#load(RingWord.control));
  }

  /** Packets published and not yet done, an open claim included. */
  get queued(): number {
    return (this.#tail - this.head) | 0;
  }

  /** Packets done since the ring exists, Int32: compare by difference, for it wraps. */
  get head(): number {
    return this.#load(RingWord.head);
  }

  /** RTP sequence of the next packet, 16 bits. */
  get sequence(): number {
    return (this.#load(RingWord.sequence) + this.#tail) & 0xffff;
  }

  /** RTP timestamp of the next packet, 32 bits; `gap` is silence before it, in samples at 48 kHz. */
  timestamp(gap: number): number {
    const last = this.#words[this.#slot(this.#tail - 1) + SlotWord.timestamp] ?? 0;
    return (last + FRAME_SAMPLES + gap) >>> 0;
  }

  /** Nonces taken under the present key. */
  get nonces(): number {
    return this.#load(RingWord.nonce) >>> 0;
  }

  /** A nonce for one packet, 32 bits; it counts as used even if the packet is never published. */
  takeNonce(): number {
    const taken = this.nonces;
    if (taken === MAX_NONCES) throw new ServerError('PUM_NONCE_EXHAUSTED', { limit: MAX_NONCES });
    // Stored before it is used: whoever adopts this ring cannot take it again.
    this.#store(RingWord.nonce, taken + 1);
    return taken;
  }

  /** Offset in the ring for a packet of `length` bytes in one piece; -1 if it must wait or the ring is not open. */
  room(length: number): number {
    if (this.control !== RingControl.active) return -1;
    const head = this.head;
    const queued = (this.#tail - head) | 0;
    // The slot of the last packet sent is kept, for it gives the next timestamp.
    if (queued >= this.#slots - 1) return -1;
    for (;;) {
      const offset = this.#place(length, head, queued);
      if (offset >= 0 || this.#limit >= this.#size) return offset;
      // A ring that is not written beyond its first bytes has no memory there: most never need it.
      this.#limit = Math.min(this.#size, this.#limit * 2);
    }
  }

  /** Where a packet fits into the bytes in use; -1 for nowhere. */
  #place(length: number, head: number, queued: number): number {
    const newest = this.#words[this.#slot(this.#tail - 1) + SlotWord.place] ?? 0;
    const start = newest >>> 16;
    const end = start + (newest & 0xffff);
    const fitsBehind = end + length <= this.#limit;
    if (queued === 0) return fitsBehind ? end : length <= this.#limit ? 0 : -1;
    const oldest = (this.#words[this.#slot(head) + SlotWord.place] ?? 0) >>> 16;
    if (start < oldest) return end + length <= oldest ? end : -1;
    return fitsBehind ? end : length <= oldest ? 0 : -1;
  }

  /**
   * Copies the first `length` bytes of `packet` to `offset`, the last answer of `room(length)`, and hands them
   * to the sender. `timestamp` is that in the packet, `sourceMs` and `tag` (Int32) come out beside it.
   */
  publish(
    packet: Uint8Array,
    length: number,
    offset: number,
    timestamp: number,
    mark: number,
    sourceMs: number,
    tag: number,
  ): void {
    this.#bytes.set(firstBytes(packet, length), this.#from + offset);
    const slot = this.#slot(this.#tail);
    this.#words[slot + SlotWord.place] = (offset << 16) | length;
    this.#words[slot + SlotWord.timestamp] = timestamp;
    this.#words[slot + SlotWord.mark] = mark;
    this.#words[slot + SlotWord.tag] = tag;
    this.#times[(slot + SlotWord.sourceMs) >> 1] = sourceMs;
    this.#exchange(publishOne);
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Takes back every packet that is not claimed, the newest ones; how many. No sender can claim them now. */
  flush(): number {
    const span = this.#exchange(revokeAll);
    const revoked = (span - (span >>> 16)) & 0xffff;
    this.#tail = (this.#tail - revoked) | 0;
    return revoked;
  }

  /** Flushes and asks the sender to let go; `control` becomes `closed` once it has. Does nothing a second time. */
  close(): void {
    if (this.control !== RingControl.active) return;
    this.flush();
    this.#store(RingWord.control, controlWord(RingControl.closing));
  }

  /** Times the sender found the ring empty since `begin`. */
  get underruns(): number {
    return (this.#load(RingWord.underruns) - this.#underrunsBefore) >>> 0;
  }

  /** When the last packet went out: milliseconds as in RingReader.release, of an earlier player before the first. */
  get sentAt(): number {
    return this.#load(RingWord.sentAt);
  }

  #slot(index: number): number {
    return this.#at + RING_WORDS + (index & (this.#slots - 1)) * SLOT_WORDS;
  }

  #load(word: number): number {
    return Atomics.load(this.#words, this.#at + word);
  }

  #store(word: number, value: number): void {
    Atomics.store(this.#words, this.#at + word, value);
  }

  /** Changes the span in one step; the span before it. */
  #exchange(change: (span: number) => number): number {
    for (;;) {
      const span = this.#load(RingWord.span);
      const found = Atomics.compareExchange(this.#words, this.#at + RingWord.span, span, change(span));
      if (found === span) return span;
    }
  }
}

/** The scratch packet of this thread and a view of it for each length seen: a packet makes no view of its own. */
let scratch: Uint8Array | null = null;
let views: Uint8Array[] = [];

function firstBytes(packet: Uint8Array, length: number): Uint8Array {
  if (packet !== scratch) {
    scratch = packet;
    views = [];
  }
  return (views[length] ??= packet.subarray(0, length));
}
