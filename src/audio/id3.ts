// Title, artist and ISRC from ID3v2 tags (versions 2.2 to 2.4) in front of MPEG audio. Reads frame by frame
// and steps over everything else, so that a cover of megabytes costs nothing. Used by demux.ts.
import { SOURCE } from '../shared/limits.js';
import type { ByteWindow } from './byte-window.js';

export interface Tags {
  title: string | null;
  artist: string | null;
  isrc: string | null;
}

/** Frame names of both generations; null for what is stepped over. */
const FIELDS: Readonly<Record<string, keyof Tags>> = {
  TIT2: 'title',
  TT2: 'title',
  TPE1: 'artist',
  TP1: 'artist',
  TSRC: 'isrc',
  TRC: 'isrc',
};

const MAX_FRAMES = 256;
const MAX_TAGS = 16;

/** Fills `tags` from every tag at `offset` and returns where they end; `offset` itself when there is none. */
export async function readId3(window: ByteWindow, offset: number, tags: Tags): Promise<number> {
  let at = offset;
  for (let n = 0; n < MAX_TAGS; n++) {
    const head = await window.read(at, 10);
    if (head.length < 10 || head[0] !== 0x49 || head[1] !== 0x44 || head[2] !== 0x33) return at;
    const size = syncSafe(head, 6);
    if (size === null) return at;
    const version = head[3] ?? 0;
    const flags = head[5] ?? 0;
    const end = at + 10 + size;
    // Unsynchronised and compressed tags are rare enough to be stepped over whole.
    if (version >= 2 && version <= 4 && (flags & 0x80) === 0) {
      await readFrames(window, at + 10, end, version, (flags & 0x40) !== 0, tags);
    }
    at = end + (version === 4 && (flags & 0x10) !== 0 ? 10 : 0);
  }
  return at;
}

async function readFrames(
  window: ByteWindow,
  from: number,
  end: number,
  version: number,
  extended: boolean,
  tags: Tags,
): Promise<void> {
  const headBytes = version === 2 ? 6 : 10;
  let at = from;
  if (extended && version > 2) {
    const head = await window.read(at, 4);
    at += version === 4 ? (syncSafe(head, 0) ?? 0) : 4 + uint(head, 0, 4);
  }
  let left: number = SOURCE.maxTags;
  for (let n = 0; n < MAX_FRAMES && at + headBytes < end; n++) {
    const head = await window.read(at, headBytes);
    if (head.length < headBytes || head[0] === 0) return;
    const name = String.fromCharCode(...head.subarray(0, version === 2 ? 3 : 4));
    const size =
      version === 2 ? uint(head, 3, 3) : version === 4 ? (syncSafe(head, 4) ?? 0) : uint(head, 4, 4);
    const start = at + headBytes;
    if (size === 0 || start + size > end) return;
    const field = FIELDS[name];
    if (field !== undefined && tags[field] === null && size <= left) {
      tags[field] = text(await window.read(start, size));
      left -= size;
    }
    at = start + size;
    if (tags.title !== null && tags.artist !== null && tags.isrc !== null) return;
  }
}

/** A text frame's first string: an encoding byte, then the text up to its end or first NUL. */
function text(bytes: Uint8Array): string | null {
  const encoding = bytes[0];
  const body = bytes.subarray(1);
  const label =
    encoding === 1 ? byteOrder(body) : encoding === 2 ? 'utf-16be' : encoding === 3 ? 'utf-8' : 'latin1';
  const decoded = new TextDecoder(label).decode(body).split('\0', 1)[0]?.trim() ?? '';
  return decoded === '' ? null : decoded;
}

function byteOrder(bytes: Uint8Array): string {
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-16le';
}

function uint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** Four bytes of seven bits each, or null where a high bit is set. */
function syncSafe(bytes: Uint8Array, at: number): number | null {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i] ?? 0x80;
    if (byte > 0x7f) return null;
    value = value * 128 + byte;
  }
  return value;
}
