// Reads the fields of a track token's message in order (lavalink-v4.md §3). Used by track-token.ts alone, in
// every thread. Whatever is missing or malformed is PUM_TOKEN_INVALID.
import { ServerError } from './errors.js';
import { readJavaText } from './java-text.js';

export class TokenReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** Java reads any byte but 0 as true. */
  flag(): boolean {
    return this.u8() !== 0;
  }

  text(): string {
    const length = this.#view.getUint16(this.#take(2));
    const text = readJavaText(this.bytes(length));
    if (text === null) throw invalidToken('a text is no modified UTF-8');
    return text;
  }

  /** A text as it stands, its length included; a copy. */
  rawText(): Uint8Array {
    const start = this.#at;
    this.text();
    return this.#bytes.slice(start, this.#at);
  }

  nullableText(): string | null {
    return this.flag() ? this.text() : null;
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    if (length > this.remaining) throw invalidToken('it ends too early');
    const start = this.#at;
    this.#at += length;
    return start;
  }
}

export function invalidToken(reason: string): ServerError {
  return new ServerError('PUM_TOKEN_INVALID', { reason });
}
