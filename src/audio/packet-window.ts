// The packet window: demuxed, still compressed packets of one reader, by index and by source time. It lies
// before the decoder, so that a changed filter or volume is heard at once (architecture: the five seconds).
// Filled by a reader, read by producers, each at an index of its own. Bounded by its owner.
import type { Packet } from './packet.js';

/** Dropped packets are cut off the array only when this many have gathered. */
const COMPACT_AT = 64;

export class PacketWindow {
  #packets: (Packet | undefined)[] = [];
  /** Index of #packets[0]. */
  #base = 0;
  #first = 0;
  #bytes = 0;

  /** Index of the oldest packet kept; equals `next` when there is none. */
  get first(): number {
    return this.#first;
  }

  /** Index that the next pushed packet gets. */
  get next(): number {
    return this.#base + this.#packets.length;
  }

  /** Compressed bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Source seconds at which the newest packet ends; -Infinity when there was none yet. */
  get end(): number {
    const newest = this.get(this.next - 1);
    return newest ? newest.time + newest.duration : -Infinity;
  }

  push(packet: Packet): void {
    this.#packets.push(packet);
    this.#bytes += packet.data.byteLength;
  }

  get(index: number): Packet | undefined {
    return index < this.#first ? undefined : this.#packets[index - this.#base];
  }

  /** Index of the last packet that begins at or before `seconds`; the oldest one when all begin later. */
  indexAt(seconds: number): number {
    let low = this.#first;
    let high = this.next - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const packet = this.get(middle);
      if (packet && packet.time <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether a producer may start at `seconds` after a run-up from `fromSeconds`: all it needs is here. */
  covers(fromSeconds: number, seconds: number): boolean {
    const oldest = this.get(this.#first);
    // Before a source's zero there is nothing that could be missing.
    return oldest !== undefined && this.end > seconds && oldest.time <= Math.max(0, fromSeconds);
  }

  /** Lets go of every packet that ends at or before `seconds`. */
  dropBefore(seconds: number): void {
    for (;;) {
      const oldest = this.get(this.#first);
      if (!oldest || this.#first + 1 >= this.next || oldest.time + oldest.duration > seconds) break;
      this.#packets[this.#first - this.#base] = undefined;
      this.#bytes -= oldest.data.byteLength;
      this.#first++;
    }
    if (this.#first - this.#base >= COMPACT_AT) {
      this.#packets.splice(0, this.#first - this.#base);
      this.#base = this.#first;
    }
  }
}
