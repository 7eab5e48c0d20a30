// A packet of the send ring's torture: a header that says what it is, then a stream of words that follows from
// the header. Stands for a sealed packet: one bit that is not as it was written, and `check` sees it.

/** Words of the header. */
export const Field = {
  ring: 0,
  /** Lower 16 bits of its index. */
  index: 1,
  generation: 2,
  life: 3,
  nonce: 4,
  sequence: 5,
  timestamp: 6,
  /** Samples of silence before it. */
  gap: 7,
  mark: 8,
  ordinal: 9,
  length: 10,
} as const;

export const HEADER_WORDS = 11;
export const SMALLEST = HEADER_WORDS * 4;
export const LARGEST = 1_400;

function next(state: number): number {
  const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 12) ^ 0x297a2d39) | 0;
}

function seed(header: Int32Array): number {
  let state = 0;
  for (let i = 0; i < HEADER_WORDS; i++) state = next(state ^ (header[i] ?? 0));
  return state;
}

/** Writes the packet of this header; `header[Field.length]` bytes. */
export function compose(packet: Buffer, header: Int32Array): void {
  const length = header[Field.length] ?? 0;
  for (let i = 0; i < HEADER_WORDS; i++) packet.writeInt32LE(header[i] ?? 0, i * 4);
  let state = seed(header);
  let at = SMALLEST;
  for (; at + 4 <= length; at += 4) packet.writeInt32LE((state = next(state)), at);
  for (; at < length; at++) packet[at] = state = next(state) & 0xff;
}

/** Reads the header from `length` bytes at `offset`; false if any byte is not as composed. */
export function check(bytes: Buffer, offset: number, length: number, header: Int32Array): boolean {
  if (length < SMALLEST) return false;
  for (let i = 0; i < HEADER_WORDS; i++) header[i] = bytes.readInt32LE(offset + i * 4);
  if (header[Field.length] !== length) return false;
  let state = seed(header);
  let at = SMALLEST;
  for (; at + 4 <= length; at += 4) {
    if (bytes.readInt32LE(offset + at) !== (state = next(state))) return false;
  }
  for (; at < length; at++) if (bytes[offset + at] !== (state = next(state) & 0xff)) return false;
  return true;
}
