// The head of one Ogg page (RFC 3533 §6). Read by the Ogg container and its cursor, once a page; one object is
// filled again and again, so that pages leave nothing behind.
import { packetSamples } from './opus-packet.js';

export const PAGE_HEAD = 27;
/** Bytes of the longest head: 255 lacing values behind the fixed part. */
export const LONGEST_HEAD = PAGE_HEAD + 255;
/** Bytes of the longest page. */
export const LONGEST_PAGE = LONGEST_HEAD + 255 * 255;

const CAPTURE = [0x4f, 0x67, 0x67, 0x53] as const;
const TWO_32 = 2 ** 32;

export class OggPage {
  /** Where it begins. */
  offset = 0;
  /** The first packet began on an earlier page. */
  continued = false;
  /** First and last page of its logical stream. */
  first = false;
  last = false;
  /** Samples up to the end of the last packet that ends here; -1 when none does. */
  granule = -1;
  serial = 0;
  /** Number of the page in its stream. */
  sequence = 0;
  segments = 0;
  headBytes = 0;
  bodyBytes = 0;
  /** One value a segment; those behind `segments` are left over. */
  readonly lacing = new Uint8Array(255);

  /** Offset of what follows. */
  get end(): number {
    return this.offset + this.headBytes + this.bodyBytes;
  }

  /** Bytes of the head that begins at `at`, as far as `bytes` say; 0 when none begins there. */
  static headBytesAt(bytes: Uint8Array, at: number): number {
    for (let index = 0; index < CAPTURE.length; index++) if (bytes[at + index] !== CAPTURE[index]) return 0;
    // The version is 0 for ever; four bytes alone may as well be music.
    if (bytes[at + 4] !== 0 || ((bytes[at + 5] ?? 0xff) & 0xf8) !== 0) return 0;
    return PAGE_HEAD + (bytes[at + 26] ?? 0);
  }

  /** Whether the page whose head begins at `at` may be read as one of that stream, or as the first of another. */
  static belongsAt(bytes: Uint8Array, at: number, serial: number): boolean {
    return word(bytes, at + 14) === serial || ((bytes[at + 5] ?? 0) & 2) !== 0;
  }

  /** Fills in the page whose whole head lies in `bytes` from `at` on; `offset` is where that is in the file. */
  read(bytes: Uint8Array, at: number, offset: number): void {
    const flags = bytes[at + 5] ?? 0;
    this.offset = offset;
    this.continued = (flags & 1) !== 0;
    this.first = (flags & 2) !== 0;
    this.last = (flags & 4) !== 0;
    const low = word(bytes, at + 6);
    const high = word(bytes, at + 10);
    // All ones, and nothing else that is negative, says that no packet ends here.
    this.granule = high >= TWO_32 / 2 ? -1 : high * TWO_32 + low;
    this.serial = word(bytes, at + 14);
    this.sequence = word(bytes, at + 18);
    this.segments = bytes[at + 26] ?? 0;
    this.headBytes = PAGE_HEAD + this.segments;
    this.bodyBytes = 0;
    for (let index = 0; index < this.segments; index++) {
      const lace = bytes[at + PAGE_HEAD + index] ?? 0;
      this.lacing[index] = lace;
      this.bodyBytes += lace;
    }
  }
}

/** Samples of the Opus packets that begin and end in these segments, whose bytes are `body` from `at` on. */
export function samplesIn(
  lacing: ArrayLike<number>,
  segments: number,
  body: Uint8Array,
  at: number,
  continued: boolean,
): number {
  let samples = 0;
  let begins = at;
  let end = at;
  let counted = !continued;
  for (let index = 0; index < segments; index++) {
    const lace = lacing[index] ?? 0;
    end += lace;
    if (lace === 255) continue;
    if (counted) samples += packetSamples(body.subarray(begins, end));
    counted = true;
    begins = end;
  }
  return samples;
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}
