// Title, artist and ISRC from the comment header of an Ogg stream (RFC 7845 §5.2), which may be cut: covers
// lie in it as text of megabytes. Used by ogg-opus.ts.
import type { Tags } from './id3.js';

const FIELDS: Readonly<Record<string, keyof Tags>> = { TITLE: 'title', ARTIST: 'artist', ISRC: 'isrc' };
const NAME_BYTES = 8;
const MAX_COMMENTS = 1_024;
/** Characters of a value that are kept. */
const MAX_VALUE = 4_096;

/** What the beginning of a comment header says; `packet` begins with its name of eight bytes. */
export function readOpusTags(packet: Uint8Array): Tags {
  const tags: Tags = { title: null, artist: null, isrc: null };
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const length = (at: number): number => (at + 4 <= packet.length ? view.getUint32(at, true) : -1);
  let at = NAME_BYTES;
  const vendor = length(at);
  if (vendor < 0) return tags;
  at += 4 + vendor;
  const count = Math.min(length(at), MAX_COMMENTS);
  at += 4;
  for (let index = 0; index < count; index++) {
    const bytes = length(at);
    at += 4;
    if (bytes < 0 || at + bytes > packet.length) break;
    readComment(packet.subarray(at, at + bytes), tags);
    at += bytes;
  }
  return tags;
}

/** `NAME=value`; the first of a name counts. */
function readComment(comment: Uint8Array, tags: Tags): void {
  const sign = comment.subarray(0, NAME_BYTES).indexOf(0x3d);
  if (sign < 1) return;
  const field = FIELDS[String.fromCharCode(...comment.subarray(0, sign)).toUpperCase()];
  if (field === undefined || tags[field] !== null) return;
  const value = new TextDecoder().decode(comment.subarray(sign + 1, sign + 1 + MAX_VALUE)).trim();
  if (value !== '') tags[field] = value;
}
