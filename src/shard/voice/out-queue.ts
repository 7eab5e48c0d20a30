// The frames of one connection that have not left yet, oldest first: what is sealed in the send ring already,
// and behind it what waits to be. Kept by reference, so that all of it can be sealed again (architecture §3,
// send ring point 2). A ring of plain arrays: an entry per frame must not become garbage. A connection that
// plays nothing has none. In a shard.

/** At least two leads of the longest kind, 1,000 ms, and the silence behind them; a power of two. */
const CAPACITY = 128;

export const EntryKind = { frame: 0, silence: 1, lastSilence: 2 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** Of every queue without an entry; never written to. */
const NO_FRAMES: (Uint8Array | null)[] = [];
const NO_KINDS = new Uint8Array(0);

export class OutQueue {
  #frames = NO_FRAMES;
  #kinds = NO_KINDS;
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
    if (this.#frames === NO_FRAMES) {
      this.#frames = new Array<Uint8Array | null>(CAPACITY).fill(null);
      this.#kinds = new Uint8Array(CAPACITY);
    }
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

  /** The oldest has left, or is given up. Returns what it was. Behind the last silence the room is given back. */
  shift(): EntryKind {
    const kind = this.kind(0);
    this.#frames[this.#head] = null;
    this.#head = (this.#head + 1) % CAPACITY;
    this.#count--;
    if (this.sealed > 0) this.sealed--;
    if (kind === EntryKind.frame) this.#frameCount--;
    if (kind === EntryKind.lastSilence && this.#count === 0) {
      this.#frames = NO_FRAMES;
      this.#kinds = NO_KINDS;
    }
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
