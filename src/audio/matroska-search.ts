// Finding clusters in Matroska where nothing says where they lie: behind damage, and for a seek in a file without
// cues. Used by matroska-cursor.ts and matroska-container.ts, in shards; every search ends.
import type { ByteWindow } from './byte-window.js';
import { EBML, ElementHead, LONGEST_ELEMENT_HEAD, unsigned } from './ebml.js';

export const CLUSTER_ID_BYTES = 4;
/** Bytes at the beginning of a cluster among which its time must come. */
const CLUSTER_START = 64;
const SEARCH_STEP = 4_096;
/** Bytes that are looked through for one cluster. */
const SEARCH_WITHIN = 1_024 * 1_024;
/** Places nearer to each other than this are walked between. */
const NEAR_BYTES = 64 * 1_024;
const MAX_GUESSES = 32;

/** Where in `bytes` the name of a cluster lies, or -1. */
export function clusterIn(bytes: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(0x1f, from); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x43 && bytes[at + 2] === 0xb6 && bytes[at + 3] === 0x75) return at;
  }
  return -1;
}

/** Offset of a cluster that begins at or before `ticks`, near it if the file is in order; `first` at worst. */
export async function clusterBefore(
  window: ByteWindow,
  first: number,
  end: number,
  ticks: number,
): Promise<number> {
  let place = first;
  let low = first;
  let high = end;
  for (let guesses = 0; guesses < MAX_GUESSES && high - low > NEAR_BYTES; guesses++) {
    const middle = Math.floor((low + high) / 2);
    const found = await clusterFrom(window, middle, high);
    if (found !== null && found.ticks <= ticks) {
      place = found.offset;
      low = found.offset + CLUSTER_ID_BYTES;
    } else high = middle;
  }
  return place;
}

/** The first cluster between two offsets, or null. */
async function clusterFrom(
  window: ByteWindow,
  from: number,
  to: number,
): Promise<{ offset: number; ticks: number } | null> {
  const end = Math.min(to, from + SEARCH_WITHIN);
  for (let offset = from; offset < end; offset += SEARCH_STEP) {
    const bytes = await window.read(offset, SEARCH_STEP + CLUSTER_START);
    for (let at = clusterIn(bytes); at >= 0 && at < SEARCH_STEP; at = clusterIn(bytes, at + 1)) {
      const ticks = ticksOf(bytes.subarray(at, at + CLUSTER_START));
      if (ticks !== null && offset + at < to) return { offset: offset + at, ticks };
    }
    if (bytes.length < SEARCH_STEP) return null;
  }
  return null;
}

/** What a cluster's beginning says of its time; null when that is none. */
function ticksOf(start: Uint8Array): number | null {
  const head = new ElementHead();
  for (let at = 0; head.read(start, at);) {
    const content = at + head.bytes;
    if (head.id === EBML.timestamp && head.size >= 0 && head.size <= 8)
      return unsigned(start, content, head.size);
    if (head.id === EBML.cluster) at = content;
    else if (head.size < 0 || head.size > CLUSTER_START - LONGEST_ELEMENT_HEAD) return null;
    else at = content + head.size;
  }
  return null;
}
