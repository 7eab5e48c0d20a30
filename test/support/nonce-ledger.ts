// Which nonce suffixes one key has been used with. Exact at one bit a nonce as long as the sender counts up, in
// whichever byte order it writes its counter (discord-voice.md §1.8); used by stream-audit.ts.

const PAGE_BITS = 256;
const WORD_BITS = 32;

export class NonceLedger {
  readonly #pages = new Map<number, Uint32Array>();
  #first: number | null = null;
  #littleEndian: boolean | null = null;

  /** True when the suffix (read as a big-endian number) had been used before. */
  note(suffix: number): boolean {
    if (this.#first === null) {
      this.#first = suffix;
      return false;
    }
    if (this.#littleEndian === null) {
      // A counter moves by little in its own byte order and by much in the other one.
      this.#littleEndian = distance(swap(suffix), swap(this.#first)) < distance(suffix, this.#first);
      this.#mark(this.#first);
    }
    return this.#mark(suffix);
  }

  #mark(suffix: number): boolean {
    const value = this.#littleEndian === true ? swap(suffix) : suffix;
    const number = Math.floor(value / PAGE_BITS);
    let page = this.#pages.get(number);
    if (page === undefined) this.#pages.set(number, (page = new Uint32Array(PAGE_BITS / WORD_BITS)));
    const bit = value % PAGE_BITS;
    const word = Math.floor(bit / WORD_BITS);
    const mask = 1 << (bit % WORD_BITS);
    const used = (page[word]! & mask) !== 0;
    page[word]! |= mask;
    return used;
  }
}

function distance(a: number, b: number): number {
  return Math.min((a - b) >>> 0, (b - a) >>> 0);
}

function swap(value: number): number {
  return ((value >>> 24) | ((value >>> 8) & 0xff00) | ((value & 0xff00) << 8) | ((value & 0xff) << 24)) >>> 0;
}
