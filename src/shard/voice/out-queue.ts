// The frames of one connection that have not left yet, oldest first: what is sealed in the send ring already,
// and behind it what waits to be. Kept by reference, so that all of it can be sealed again (architecture §3,
// send ring point 2). A ring of plain arrays: an entry per frame must not become garbage. In a shard.

/** At least two leads of the longest kind, 1,000 ms, and the silence behind them; a power of two. */
const CAPACITY = 128;

export const EntryKind = { frame: 0, silence: 1, lastSilence: 2 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

export class OutQueue {
  readonly #frames: (Uint8Array | null)[] = new Array<Uint8Array | null>(CAPACITY).fill(null);
  readonly #kinds = new Uint8Array(CAPACITY);
  #head = 0;
  #count = 0;
  #frameCount = 0;
  /** Of the entries, the oldest that lie sealed in the ring. */
  sealed = 0;

  /** All entries. */
  get count(): number {
    return this.#count;
  }

  /** Those that are the player's. */
  get frames(): number {
    return this.#frameCount;
  }

  get full(): boolean {
    return this.#count === CAPACITY;
  }

  push(frame: Uint8Array, kind: EntryKind): void {
    const at = (this.#head + this.#count) % CAPACITY;
    this.#frames[at] = frame;
    this.#kinds[at] = kind;
    this.#count++;
    if (kind === EntryKind.frame) this.#frameCount++;
  }

  /** The entry so many places behind the oldest. */
  frame(place: number): Uint8Array | null {
    return this.#frames[(this.#head + place) % CAPACITY] ?? null;
  }

  kind(place: number): EntryKind {
    return (this.#kinds[(this.#head + place) % CAPACITY] ?? 0) as EntryKind;
  }

  /** The oldest has left, or is given up. Returns what it was. */
  shift(): EntryKind {
    const kind = this.kind(0);
    this.#frames[this.#head] = null;
    this.#head = (this.#head + 1) % CAPACITY;
    this.#count--;
    if (this.sealed > 0) this.sealed--;
    if (kind === EntryKind.frame) this.#frameCount--;
    return kind;
  }

  /** Forgets all but the `keep` oldest; returns how many of the player's frames were among them. */
  cut(keep: number): number {
    let frames = 0;
    while (this.#count > keep) {
      this.#count--;
      const at = (this.#head + this.#count) % CAPACITY;
      this.#frames[at] = null;
      if (this.#kinds[at] === EntryKind.frame) frames++;
    }
    this.#frameCount -= frames;
    this.sealed = Math.min(this.sealed, this.#count);
    return frames;
  }
}
