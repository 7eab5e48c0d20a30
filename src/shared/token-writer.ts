// Writes the fields of a track token's message in order (lavalink-v4.md §3). Used by track-token.ts alone, in
// every thread.
import { ServerError } from './errors.js';
import { javaTextLength, MAX_JAVA_TEXT, writeJavaText } from './java-text.js';

const FIRST_SIZE = 512;
/** Characters of a text that is too long which its error shows, as Java does. */
const SHOWN = 8;

export class TokenWriter {
  #bytes = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value);
  }

  i64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigInt64(at, value);
  }

  /** Throws PUM_TOKEN_UNENCODABLE above MAX_JAVA_TEXT bytes. */
  text(text: string): void {
    const length = javaTextLength(text);
    if (length > MAX_JAVA_TEXT) {
      throw new ServerError('PUM_TOKEN_UNENCODABLE', { start: text.slice(0, SHOWN), bytes: length });
    }
    const at = this.#take(2);
    this.#view.setUint16(at, length);
    const start = this.#take(length);
    writeJavaText(text, this.#bytes, start);
  }

  nullableText(text: string | null): void {
    this.u8(text === null ? 0 : 1);
    if (text !== null) this.text(text);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** What was written; a view. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Makes room for `length` bytes and returns where they begin; call it before looking at bytes or view. */
  #take(length: number): number {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return start;
  }
}
