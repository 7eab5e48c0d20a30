// The frames of one connection that have not left yet, oldest first: what is sealed in the send ring already,
// and behind it what waits to be. Kept by reference, so that all of it can be sealed again (architecture §3,
// send ring point 2). A ring of plain arrays: an entry per frame must not become garbage. A connection that
// plays nothing has none. In a shard.

import { NO_TAG } from '../../shared/sent-row.js';
import { FrameMode } from './driver.js';

/** At least two leads of the longest kind, 1,000 ms, and the silence behind them; a power of two. */
const CAPACITY = 128;

/** `unsealed`: a frame of the player that could not be sealed, in whose slot silence lies in the ring. */
export const EntryKind = { frame: 0, silence: 1, lastSilence: 2, unsealed: 3 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** Of every queue without an entry; never written to. */
const NO_FRAMES: (ArrayBufferLike | null)[] = [];
const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS = new Uint32Array(0);
const NO_TIMES = new Float64Array(0);
const NO_TAGS = new Int32Array(0);

export class OutQueue {
  /** The memory that a frame lies in, and where: a view of it would grow old here and die, once a frame. */
  #frames = NO_FRAMES;
  #offsets = NO_NUMBERS;
  #lengths = NO_NUMBERS;
  #kinds = NO_BYTES;
  #modes = NO_BYTES;
  #sourceMs = NO_TIMES;
  #tags = NO_TAGS;
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

  /** A frame of the player: where it ends in the source, and what it bears in the ring. */
  push(frame: Uint8Array, sourceMs: number, tag: number, mode: FrameMode): void {
    this.#frameCount++;
    this.#add(frame, EntryKind.frame, sourceMs, tag, mode);
  }

  /** A frame of silence of our own. */
  pushSilence(frame: Uint8Array, isLast: boolean): void {
    this.#add(frame, isLast ? EntryKind.lastSilence : EntryKind.silence, 0, NO_TAG, FrameMode.silence);
  }

  /** The entry so many places behind the oldest: a new view of its bytes. */
  frame(place: number): Uint8Array | null {
    const at = (this.#head + place) % CAPACITY;
    const memory = this.#frames[at] ?? null;
    return memory && new Uint8Array(memory, this.#offsets[at], this.#lengths[at]);
  }

  kind(place: number): EntryKind {
    return (this.#kinds[(this.#head + place) % CAPACITY] ?? 0) as EntryKind;
  }

  sourceMs(place: number): number {
    return this.#sourceMs[(this.#head + place) % CAPACITY] ?? 0;
  }

  tag(place: number): number {
    return this.#tags[(this.#head + place) % CAPACITY] ?? NO_TAG;
  }

  mode(place: number): FrameMode {
    return (this.#modes[(this.#head + place) % CAPACITY] ?? 0) as FrameMode;
  }

  /** The next entry lies in the ring now; a frame as itself, or as the silence that takes its slot. */
  seal(isItself: boolean): void {
    const at = (this.#head + this.sealed++) % CAPACITY;
    if (isFrame(this.#kinds[at])) this.#kinds[at] = isItself ? EntryKind.frame : EntryKind.unsealed;
  }

  /** The oldest has left, or is given up. Returns what it was. Behind the last silence the room is given back. */
  shift(): EntryKind {
    const kind = this.kind(0);
    this.#frames[this.#head] = null;
    this.#head = (this.#head + 1) % CAPACITY;
    this.#count--;
    if (this.sealed > 0) this.sealed--;
    if (isFrame(kind)) this.#frameCount--;
    if (kind === EntryKind.lastSilence && this.#count === 0) this.#setRoom(false);
    return kind;
  }

  /** Forgets all but the `keep` oldest; returns how many of the player's frames were among them. */
  cut(keep: number): number {
    let frames = 0;
    while (this.#count > keep) {
      this.#count--;
      const at = (this.#head + this.#count) % CAPACITY;
      this.#frames[at] = null;
      if (isFrame(this.#kinds[at])) frames++;
    }
    this.#frameCount -= frames;
    this.sealed = Math.min(this.sealed, this.#count);
    return frames;
  }

  #setRoom(made: boolean): void {
    this.#frames = made ? new Array<ArrayBufferLike | null>(CAPACITY).fill(null) : NO_FRAMES;
    this.#offsets = made ? new Uint32Array(CAPACITY) : NO_NUMBERS;
    this.#lengths = made ? new Uint32Array(CAPACITY) : NO_NUMBERS;
    this.#kinds = made ? new Uint8Array(CAPACITY) : NO_BYTES;
    this.#modes = made ? new Uint8Array(CAPACITY) : NO_BYTES;
    this.#sourceMs = made ? new Float64Array(CAPACITY) : NO_TIMES;
    this.#tags = made ? new Int32Array(CAPACITY) : NO_TAGS;
  }

  #add(frame: Uint8Array, kind: EntryKind, sourceMs: number, tag: number, mode: FrameMode): void {
    if (this.#frames === NO_FRAMES) this.#setRoom(true);
    const at = (this.#head + this.#count) % CAPACITY;
    this.#frames[at] = frame.buffer;
    this.#offsets[at] = frame.byteOffset;
    this.#lengths[at] = frame.byteLength;
    this.#kinds[at] = kind;
    this.#sourceMs[at] = sourceMs;
    this.#tags[at] = tag;
    this.#modes[at] = mode;
    this.#count++;
  }
}

/** Whether an entry is the player's. */
export function isFrame(kind: number | undefined): boolean {
  return kind === EntryKind.frame || kind === EntryKind.unsealed;
}
