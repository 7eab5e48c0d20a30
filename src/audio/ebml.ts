// EBML elements (RFC 8794 §4 to §6) and those of Matroska that are read here (RFC 9559 §5). Used by everything that
// reads Matroska itself, in shards and loaders; one head is filled again and again and leaves nothing behind.

export const EBML = {
  header: 0x1a45dfa3,
  void: 0xec,
  crc32: 0xbf,

  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  title: 0x7ba9,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  defaultDuration: 0x23e383,
  contentEncodings: 0x6d80,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  tags: 0x1254c367,
  chapters: 0x1043a770,
  attachments: 0x1941a469,

  cluster: 0x1f43b675,
  timestamp: 0xe7,
  position: 0xa7,
  prevSize: 0xab,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
} as const;

/** Bytes of the longest head. */
export const LONGEST_ELEMENT_HEAD = 12;
/** The size of an element that goes on until something comes that cannot lie in it. */
export const UNKNOWN_SIZE = -1;

export class ElementHead {
  id = 0;
  /** Bytes of the content, or UNKNOWN_SIZE. */
  size = 0;
  /** Bytes of the head itself. */
  bytes = 0;

  /** Fills in the head at `at`; false when it is cut off or makes no sense. */
  read(from: Uint8Array, at: number): boolean {
    const idBytes = vintBytes(from, at);
    const sizeBytes = vintBytes(from, at + idBytes);
    if (idBytes === 0 || idBytes > 4 || sizeBytes === 0) return false;
    this.bytes = idBytes + sizeBytes;
    if (at + this.bytes > from.length) return false;
    this.id = unsigned(from, at, idBytes);
    this.size = isUnknown(from, at + idBytes, sizeBytes) ? UNKNOWN_SIZE : vint(from, at + idBytes, sizeBytes);
    return true;
  }
}

/** Bytes of the number of variable length that begins at `at`; 0 when none does. */
export function vintBytes(from: Uint8Array, at: number): number {
  const first = from[at];
  return first === undefined || first === 0 ? 0 : Math.clz32(first) - 23;
}

/** The number of `length` bytes without its length marker. Beyond 2^53 it is not exact. */
export function vint(from: Uint8Array, at: number, length: number): number {
  let value = (from[at] ?? 0) & (0xff >> length);
  for (let index = 1; index < length; index++) value = value * 256 + (from[at + index] ?? 0);
  return value;
}

/** A plain number of `length` bytes, most significant first. Beyond 2^53 it is not exact. */
export function unsigned(from: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = 0; index < length; index++) value = value * 256 + (from[at + index] ?? 0);
  return value;
}

/** Called for each element in a content that is there as a whole; ends where something makes no sense. */
export function eachElement(content: Uint8Array, visit: (id: number, content: Uint8Array) => void): void {
  const head = new ElementHead();
  for (let at = 0; head.read(content, at);) {
    const { id, size } = head;
    const begins = at + head.bytes;
    if (size === UNKNOWN_SIZE || begins + size > content.length) return;
    visit(id, content.subarray(begins, begins + size));
    at = begins + size;
  }
}

function isUnknown(from: Uint8Array, at: number, length: number): boolean {
  const mask = 0xff >> length;
  if (((from[at] ?? 0) & mask) !== mask) return false;
  for (let index = 1; index < length; index++) if (from[at + index] !== 0xff) return false;
  return true;
}
