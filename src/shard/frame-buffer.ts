// The Opus frames that one encoding producer has made, from the slowest listener's sent position to the
// newest: enough to seal them again after a flush. A ring of slots whose buffers grow to the largest frame
// seen and are used again, so that nothing is allocated in steady state.

/** Slots grow in steps of this many bytes. */
const STEP = 128;

export class FrameBuffer {
  readonly #slots: Uint8Array[];
  readonly #lengths: Uint16Array;
  readonly #starts: Float64Array;
  #made = 0;

  /** `capacity`: frames kept, `bufferDurationMs` / 20 + 5 (architecture §3). */
  constructor(capacity: number) {
    this.#slots = Array.from({ length: capacity }, () => new Uint8Array(0));
    this.#lengths = new Uint16Array(capacity);
    this.#starts = new Float64Array(capacity);
  }

  /** Index that the next frame gets. */
  get made(): number {
    return this.#made;
  }

  /** Index of the oldest frame that is still here. */
  get oldest(): number {
    return Math.max(0, this.#made - this.#slots.length);
  }

  /** Keeps a copy of the first `length` bytes of `frame`, which begins at `start` (source seconds). */
  put(frame: Uint8Array, length: number, start: number): void {
    const at = this.#made % this.#slots.length;
    let slot = this.#slots[at];
    if (!slot || slot.byteLength < length) {
      slot = new Uint8Array(Math.ceil(length / STEP) * STEP);
      this.#slots[at] = slot;
    }
    slot.set(length === frame.byteLength ? frame : frame.subarray(0, length));
    this.#lengths[at] = length;
    this.#starts[at] = start;
    this.#made++;
  }

  /** The frame of that index, valid until as many frames as the buffer holds have followed; or null. */
  get(index: number): Uint8Array | null {
    if (index < this.oldest || index >= this.#made) return null;
    const at = index % this.#slots.length;
    return this.#slots[at]?.subarray(0, this.#lengths[at]) ?? null;
  }

  /** Source seconds at which the frame of that index begins, or null when it is not here. */
  startOf(index: number): number | null {
    if (index < this.oldest || index >= this.#made) return null;
    return this.#starts[index % this.#slots.length] ?? null;
  }
}
