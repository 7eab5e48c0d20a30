// Hands on the Opus packets of the window as they are: nothing is decoded, copied or kept twice.
import { isPassThrough } from '../audio/opus-packet.js';
import type { ServerError } from '../shared/errors.js';
import { Made, type Producer } from './producer.js';
import type { Reader } from './reader.js';
import { FrameMode } from './voice/driver.js';

export class PassThroughProducer implements Producer {
  readonly mode = FrameMode.passthrough;
  readonly #reader: Reader;
  /** Window index of frame 0. */
  readonly #base: number;
  #made = 0;

  constructor(reader: Reader, windowIndex: number) {
    this.#reader = reader;
    this.#base = windowIndex;
  }

  get made(): number {
    return this.#made;
  }

  get failure(): ServerError | null {
    return this.#reader.state.kind === 'failed' ? this.#reader.state.error : null;
  }

  make(): Made {
    const packet = this.#reader.window.get(this.#base + this.#made);
    if (packet) {
      if (!isPassThrough(packet.data)) return Made.unfit;
      this.#made++;
      return Made.frame;
    }
    switch (this.#reader.state.kind) {
      case 'ended':
        return Made.ended;
      case 'failed':
      case 'closed':
        return Made.failed;
      default:
        return Made.starved;
    }
  }

  frame(index: number): Uint8Array | null {
    return this.#reader.window.get(this.#base + index)?.data ?? null;
  }

  startOf(index: number): number {
    const packet = this.#reader.window.get(this.#base + index);
    if (packet) return packet.time;
    const newest = this.#reader.window.end;
    return Number.isFinite(newest) ? newest : 0;
  }

  close(): void {
    // The window belongs to the reader.
  }
}
