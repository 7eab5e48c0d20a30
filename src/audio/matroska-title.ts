// The title in a Matroska file's segment information, where FFmpeg and mkvmerge write it and the demuxer
// library does not look (RFC 9559 §5.1.2.12). Walks element heads from the beginning; used by demux.ts.
import { SOURCE } from '../shared/limits.js';
import type { ByteWindow } from './byte-window.js';

const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TITLE = 0x7ba9;
const CLUSTER = 0x1f43b675;

const MAX_ELEMENTS = 64;
const HEAD_BYTES = 12;

/** null when there is none before the first cluster. */
export async function readMatroskaTitle(window: ByteWindow): Promise<string | null> {
  let at = 0;
  for (let n = 0; n < MAX_ELEMENTS; n++) {
    const bytes = await window.read(at, HEAD_BYTES);
    const id = variable(bytes, 0, false);
    const size = id === null ? null : variable(bytes, id.length, true);
    if (id === null || size === null || id.value === CLUSTER) return null;
    const content = at + id.length + size.length;
    if (id.value === TITLE) {
      if (size.value > SOURCE.maxTags) return null;
      const text = new TextDecoder().decode(await window.read(content, size.value));
      const title = text.split('\0', 1)[0]?.trim() ?? '';
      return title === '' ? null : title;
    }
    // The segment and its information are stepped into, everything else over.
    at = id.value === SEGMENT || id.value === INFO ? content : content + size.value;
  }
  return null;
}

/** An EBML number (RFC 8794 §4), with or without its length marker; null when it is cut off or too long. */
function variable(bytes: Uint8Array, at: number, masked: boolean): { value: number; length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = masked ? first & (0xff >> length) : first;
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return { value, length };
}
