// Java's DataOutput strings (lavalink-v4.md §3): two bytes of length, then modified UTF-8, in which U+0000 is
// two bytes and a supplementary character is its two surrogates, three bytes each. Lone surrogates survive.
// Every thread; pure. Used by the track token.

/** Most bytes that one string may have. */
export const MAX_JAVA_TEXT = 65_535;

/** Bytes of `text` in modified UTF-8, without the length. */
export function javaTextLength(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes += unit !== 0 && unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return bytes;
}

/** Writes `text`, without the length, to `target` at `offset`; returns the offset behind it. */
export function writeJavaText(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit !== 0 && unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else {
      target[at++] = 0xe0 | (unit >> 12);
      target[at++] = 0x80 | ((unit >> 6) & 0x3f);
      target[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return at;
}

/** Characters turned into text at once; String.fromCharCode takes them as arguments. */
const BATCH = 4_096;

/**
 * The text of modified UTF-8, or null when it is malformed. Like Java's reader it takes over-long forms and a
 * plain zero byte, but neither four-byte forms nor a character that is cut off.
 */
export function readJavaText(bytes: Uint8Array): string | null {
  let text = '';
  let units: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at++] ?? 0;
    if (first < 0x80) {
      units.push(first);
    } else if (first >> 5 === 0b110) {
      const second = continuation(bytes, at++);
      if (second === -1) return null;
      units.push(((first & 0x1f) << 6) | second);
    } else if (first >> 4 === 0b1110) {
      const second = continuation(bytes, at++);
      const third = continuation(bytes, at++);
      if (second === -1 || third === -1) return null;
      units.push(((first & 0x0f) << 12) | (second << 6) | third);
    } else {
      return null;
    }
    if (units.length === BATCH) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

/** The six bits of a continuation byte, or -1. */
function continuation(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  return byte !== undefined && byte >> 6 === 0b10 ? byte & 0x3f : -1;
}
