// The packet window: demuxed, still compressed packets of one reader, by index and by source time. It lies
// before the decoder, so that a changed filter or volume is heard at once (architecture: the five seconds).
// Filled by a reader, read by producers, each at an index of its own. Bounded by its owner. Holds no object
// per packet: what lives for seconds and dies old is what major collections are made of.
import type { Packet } from './packet.js';
import { givePiece, PIECE, takePiece } from './pieces.js';

/** Packets that there is room for at first; a quarter of what five seconds of 20 ms need. */
const LEAST_CAPACITY = 64;

export class PacketWindow {
  /** The packet of index n is described at n modulo the arrays' length. */
  #times = new Float64Array(LEAST_CAPACITY);
  #durations = new Float64Array(LEAST_CAPACITY);
  #lengths = new Uint32Array(LEAST_CAPACITY);
  /** Where in its block a packet begins. */
  #offsets = new Uint16Array(LEAST_CAPACITY);
  /** Number of the block that a packet lies in, as blocks are counted from the window's beginning. */
  #homes = new Uint32Array(LEAST_CAPACITY);
  /** Oldest first; the last one is being filled. A packet larger than PIECE has one for itself. */
  readonly #blocks: Uint8Array[] = [];
  /** Number of #blocks[0]. */
  #oldestBlock = 0;
  /** Bytes taken of the last block. */
  #filled = 0;
  #first = 0;
  #next = 0;
  #bytes = 0;
  /** The packet that was asked for last: a producer asks for each one several times over. */
  #latest: Packet | undefined;
  #latestIndex = -1;

  /** Index of the oldest packet kept; equals `next` when there is none. */
  get first(): number {
    return this.#first;
  }

  /** Index that the next pushed packet gets. */
  get next(): number {
    return this.#next;
  }

  /** Compressed bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Source seconds at which the newest packet ends; -Infinity when there was none yet. */
  get end(): number {
    return this.#next === 0 ? -Infinity : this.#endOf(this.#next - 1);
  }

  /** Takes a packet over: its bytes are copied, or must not change any more. */
  push(packet: Packet): void {
    const { data, time, duration } = packet;
    if (this.#next - this.#first === this.#times.length) this.#grow();
    const slot = this.#next % this.#times.length;
    this.#offsets[slot] = this.#put(data);
    this.#homes[slot] = this.#oldestBlock + this.#blocks.length - 1;
    this.#lengths[slot] = data.byteLength;
    this.#times[slot] = time;
    this.#durations[slot] = duration;
    this.#next++;
    this.#bytes += data.byteLength;
  }

  /** Its bytes are a view of the window's own: they stay what they are until the packet is dropped. */
  get(index: number): Packet | undefined {
    if (!(index >= this.#first && index < this.#next)) return undefined;
    if (index !== this.#latestIndex) {
      this.#latest = this.#view(index);
      this.#latestIndex = index;
    }
    return this.#latest;
  }

  /** Index of the last packet that begins at or before `seconds`; the oldest one when all begin later. */
  indexAt(seconds: number): number {
    let low = this.#first;
    let high = this.#next - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#timeOf(middle) <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether a producer may start at `seconds` after a run-up from `fromSeconds`: all it needs is here. */
  covers(fromSeconds: number, seconds: number): boolean {
    // Before a source's zero there is nothing that could be missing.
    return (
      this.#first < this.#next && this.end > seconds && this.#timeOf(this.#first) <= Math.max(0, fromSeconds)
    );
  }

  /**
   * Lets go of every packet that ends at or before `seconds`; the newest one stays. Their bytes are
   * overwritten by later packets, so whoever holds views must be done with those.
   */
  dropBefore(seconds: number): void {
    const before = this.#first;
    while (this.#first + 1 < this.#next && !(this.#endOf(this.#first) > seconds)) {
      this.#bytes -= this.#lengths[this.#first % this.#lengths.length] ?? 0;
      this.#first++;
    }
    if (this.#first === before) return;
    const oldest = this.#homes[this.#first % this.#homes.length] ?? 0;
    for (; this.#oldestBlock < oldest; this.#oldestBlock++) {
      const block = this.#blocks.shift();
      if (block) givePiece(block);
    }
  }

  #timeOf(index: number): number {
    return this.#times[index % this.#times.length] ?? NaN;
  }

  #endOf(index: number): number {
    return this.#timeOf(index) + (this.#durations[index % this.#durations.length] ?? NaN);
  }

  #view(index: number): Packet | undefined {
    const slot = index % this.#times.length;
    const block = this.#blocks[(this.#homes[slot] ?? 0) - this.#oldestBlock];
    if (!block) return undefined;
    const data = new Uint8Array(
      block.buffer,
      block.byteOffset + (this.#offsets[slot] ?? 0),
      this.#lengths[slot] ?? 0,
    );
    return { data, time: this.#times[slot] ?? NaN, duration: this.#durations[slot] ?? NaN };
  }

  /** Makes the data the last thing in the last block; returns where in it they begin. */
  #put(data: Uint8Array): number {
    const length = data.byteLength;
    if (length > PIECE) {
      // What it is a view of may be filled with other packets.
      this.#blocks.push(data.slice());
      this.#filled = PIECE;
      return 0;
    }
    let block = this.#blocks.at(-1);
    if (!block || this.#filled + length > PIECE) {
      block = takePiece();
      this.#blocks.push(block);
      this.#filled = 0;
    }
    const at = this.#filled;
    block.set(data, at);
    this.#filled += length;
    return at;
  }

  /** Room for half as many packets again. What lies in blocks stays where it is. */
  #grow(): void {
    const old = this.#times.length;
    const length = old + (old >> 1);
    const times = new Float64Array(length);
    const durations = new Float64Array(length);
    const lengths = new Uint32Array(length);
    const offsets = new Uint16Array(length);
    const homes = new Uint32Array(length);
    for (let index = this.#first; index < this.#next; index++) {
      const from = index % old;
      const to = index % length;
      times[to] = this.#times[from] ?? NaN;
      durations[to] = this.#durations[from] ?? NaN;
      lengths[to] = this.#lengths[from] ?? 0;
      offsets[to] = this.#offsets[from] ?? 0;
      homes[to] = this.#homes[from] ?? 0;
    }
    this.#times = times;
    this.#durations = durations;
    this.#lengths = lengths;
    this.#offsets = offsets;
    this.#homes = homes;
  }
}
