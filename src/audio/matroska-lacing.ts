// Several frames in one block of Matroska (RFC 9559 §10.3). Called by the cursor for the few files that have them.
import { vint, vintBytes } from './ebml.js';

export const NO_LACING = 0;
const XIPH = 1;
const FIXED = 2;

/** The frames of a block's payload by the two bits that say how they are packed; null when that makes no sense. */
export function unlace(payload: Uint8Array, lacing: number): Uint8Array[] | null {
  if (lacing === NO_LACING) return [payload];
  if (payload.length === 0) return null;
  const count = (payload[0] ?? 0) + 1;
  const sizes: number[] = [];
  let at: number;
  if (lacing === XIPH) at = xiphSizes(payload, count, sizes);
  else if (lacing === FIXED) at = fixedSizes(payload, count, sizes);
  else at = ebmlSizes(payload, count, sizes);
  if (at < 0) return null;
  const frames: Uint8Array[] = [];
  for (const size of sizes) {
    if (size < 0 || at + size > payload.length) return null;
    frames.push(payload.subarray(at, at + size));
    at += size;
  }
  // The last one is what is left.
  if (lacing !== FIXED) frames.push(payload.subarray(at));
  return frames;
}

/** These fill in the sizes and return where the first frame begins, or -1. */
function xiphSizes(payload: Uint8Array, count: number, sizes: number[]): number {
  let at = 1;
  for (let index = 0; index < count - 1; index++) {
    let size = 0;
    let part: number | undefined;
    do {
      part = payload[at++];
      if (part === undefined) return -1;
      size += part;
    } while (part === 255);
    sizes.push(size);
  }
  return at;
}

function fixedSizes(payload: Uint8Array, count: number, sizes: number[]): number {
  const size = Math.floor((payload.length - 1) / count);
  for (let index = 0; index < count; index++) sizes.push(size);
  return 1;
}

function ebmlSizes(payload: Uint8Array, count: number, sizes: number[]): number {
  let at = 1;
  let size = 0;
  for (let index = 0; index < count - 1; index++) {
    const length = vintBytes(payload, at);
    if (length === 0 || at + length > payload.length) return -1;
    const value = vint(payload, at, length);
    // The first one as it is, the others as differences round the middle of what their length can say.
    size = index === 0 ? value : size + value - (2 ** (7 * length - 1) - 1);
    sizes.push(size);
    at += length;
  }
  return at;
}
