// Collects a request body up to its ceiling in one growing buffer, so that a body sent in single bytes costs
// no more than one sent whole. Used by the HTTP engines on the main thread.

const FIRST_SIZE = 4_096;

export class BodyBuffer {
  readonly #ceiling: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  /** Copies `chunk` to the end; false, and nothing kept, when the body would exceed the ceiling. */
  append(chunk: Uint8Array): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#ceiling) {
      this.#bytes = new Uint8Array(0);
      this.#length = 0;
      return false;
    }
    if (length > this.#bytes.length) {
      const size = Math.min(this.#ceiling, Math.max(FIRST_SIZE, length, this.#bytes.length * 2));
      const grown = new Uint8Array(size);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
    return true;
  }

  /** The body so far; a view, valid until the next append. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
