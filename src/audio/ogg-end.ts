// How long an Ogg stream is: the granule position of its last page, found at the end of the file without
// walking through it (RFC 3533 §6). Used by demux.ts.
import type { ByteWindow } from './byte-window.js';

const HEADER = 27;
/** A page is at most 65,307 bytes, so the last one begins within the second of these. */
const TAILS = [8 * 1_024, 72 * 1_024] as const;

/** Granule position of the last page of the stream with this serial number, or null. */
export async function lastGranule(window: ByteWindow, size: number, serial: number): Promise<number | null> {
  for (const tail of TAILS) {
    const start = Math.max(0, size - tail);
    const bytes = await window.read(start, size - start);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = bytes.length - HEADER; at >= 0; at--) {
      if (view.getUint32(at) !== 0x4f_67_67_53 || view.getUint32(at + 14, true) !== serial >>> 0) continue;
      const granule = view.getBigInt64(at + 6, true);
      // -1: no packet ends on that page.
      if (granule >= 0n) return Number(granule);
    }
    if (start === 0) return null;
  }
  return null;
}
