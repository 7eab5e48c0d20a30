// The words of a send ring and the three changes of its span (architecture.md §3, "The send ring can be
// revoked"): which word is where and which thread writes it. Used by both ends of the ring only, and by
// tests that look into one.

/** Int32 words at the start of every ring. Memory that was never written is a closed, empty ring. */
export const RingWord = {
  /** claimed (upper 16 bits) and tail (lower 16 bits): changed by compareExchange alone, by both ends. */
  span: 0,
  /** Packets done; it wraps at 32 bits. Written by the sender. */
  head: 1,
  /** Nonces taken under the present key, unsigned. Written by the shard. */
  nonce: 2,
  /** Sequence of the packet with index 0. Written by the shard. */
  sequence: 3,
  /** A RingControl through `controlWord`, so that zero means closed. Written by the shard, `closed` by the sender. */
  control: 4,
  /** Written by the sender. */
  underruns: 5,
  /** Milliseconds of the monotonic clock, wrapped at 32 bits. Written by the sender. */
  sentAt: 6,
} as const;

/** Room for them: one cache line. */
export const RING_WORDS = 16;

/** Int32 words of a packet, written by the shard before its publish and read by the sender in its claim. */
export const SlotWord = {
  /** Offset in the ring (upper 16 bits) and length (lower 16 bits), in bytes. */
  place: 0,
  timestamp: 1,
  mark: 2,
  tag: 3,
  /** A Float64 in two words: the position of a live stream outgrows 32 bits of milliseconds in 25 days. */
  sourceMs: 4,
} as const;

export const SLOT_WORDS = 6;

/** The lowest byte of a packet's mark is its FrameMode: 0 passed through, 1 encoded, 2 silence. */
export const Mark = {
  kindMask: 0xff,
  /** Nothing follows for now: an empty ring behind this packet is no underrun. */
  end: 1 << 8,
} as const;

export const RingControl = { active: 0, closing: 1, closed: 2 } as const;

/** A RingControl as it is stored, and back: the function is its own inverse. */
export function controlWord(control: number): number {
  return control ^ RingControl.closed;
}

/** Whether there is nothing to claim. */
export function isEmpty(span: number): boolean {
  return span >>> 16 === (span & 0xffff);
}

/** One claimed more; only if the ring is not empty. */
export function claimOne(span: number): number {
  return (span + 0x10000) | 0;
}

/** One packet more; the sum may not run over into the claimed half. */
export function publishOne(span: number): number {
  return (span & ~0xffff) | ((span + 1) & 0xffff);
}

/** The tail goes back to what is claimed. */
export function revokeAll(span: number): number {
  return (span & ~0xffff) | (span >>> 16);
}
