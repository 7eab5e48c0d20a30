// The bytes under a packet cursor: looked at in place as long as they are in the window, waited for when they are
// not. Held by the cursors of Ogg and Matroska, in shards; hands out views, copies nothing itself.
import type { ByteWindow } from './byte-window.js';

export class CursorBytes {
  /** What lies at hand, and the offset of its first byte. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Offset of the end of the source, once it is known. */
  end = Number.POSITIVE_INFINITY;
  readonly #window: ByteWindow;
  /** What the window had filled again when they were taken. */
  #refills = 0;
  #missingAt = 0;
  #missing = 0;

  constructor(window: ByteWindow) {
    this.#window = window;
  }

  /** Whether `length` bytes from `offset` on are at hand; if not, they are what `fetch` brings. */
  has(offset: number, length: number): boolean {
    const from = offset - this.at;
    // A cursor that is given up may still be reading.
    const fresh = this.#refills === this.#window.refills;
    if (fresh && from >= 0 && from + length <= this.bytes.length) return true;
    const kept = this.#window.peekOn(offset, length);
    if (kept === null) {
      this.#missingAt = offset;
      this.#missing = length;
      return false;
    }
    this.#hold(kept, offset);
    return true;
  }

  /** A view of them, or null. */
  view(offset: number, length: number): Uint8Array | null {
    if (!this.has(offset, length)) return null;
    const from = offset - this.at;
    return this.bytes.subarray(from, from + length);
  }

  /** Waits for what was missing; false when the source ends before. */
  async fetch(): Promise<boolean> {
    const offset = this.#missingAt;
    this.#hold(await this.#window.read(offset, this.#missing), offset);
    if (this.bytes.length >= this.#missing) return true;
    this.end = offset + this.bytes.length;
    return false;
  }

  #hold(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
    this.#refills = this.#window.refills;
  }
}
