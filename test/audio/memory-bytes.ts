// A ByteSource over memory for the audio tests, with the habits of far ends that hurt: short reads, no size,
// no seeking, silence, failure. Counts what was asked for.
import type { ByteSource, ContentHint } from '../../src/audio/bytes.js';
import { ServerError } from '../../src/shared/errors.js';

export const NO_HINT: ContentHint = { contentType: null, extension: null };

export interface MemoryOptions {
  /** Most bytes of one read, by the number of the read. */
  readonly pieces?: (read: number) => number;
  /** A radio: no size, no way back. */
  readonly live?: boolean;
  /** Says a size, but cannot go back. */
  readonly forwardOnly?: boolean;
  /** Byte from which nothing ever comes. */
  readonly stallAt?: number;
  /** Byte at which the far end fails. */
  readonly failAt?: number;
}

export class MemoryBytes implements ByteSource {
  readonly size: number | null;
  readonly seekable: boolean;
  fetched = 0;
  reads = 0;
  /** Reads that were asked for. */
  asked = 0;
  closed = false;
  readonly #bytes: Uint8Array;
  readonly #options: MemoryOptions;
  #forward = 0;

  constructor(bytes: Uint8Array, options: MemoryOptions = {}) {
    this.#bytes = bytes;
    this.#options = options;
    this.size = options.live === true ? null : bytes.length;
    this.seekable = options.live !== true && options.forwardOnly !== true;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | null> {
    const { pieces, stallAt, failAt } = this.#options;
    signal.throwIfAborted();
    this.asked++;
    if (!this.seekable && offset < this.#forward) throw new ServerError('PUM_SEEK_FAILED');
    const most = Math.max(1, Math.min(length, pieces?.(this.reads++) ?? length));
    const part = this.#bytes.subarray(offset, offset + most);
    if (failAt !== undefined && offset + part.length > failAt) throw new ServerError('PUM_SOURCE_BROKEN');
    if (stallAt !== undefined && offset + part.length > stallAt) {
      // Not even the signal ends it: the demuxer's own wait has to.
      return new Promise(() => undefined);
    }
    this.fetched += part.length;
    this.#forward = offset + part.length;
    return Promise.resolve(part.length === 0 ? null : part);
  }

  close(): void {
    this.closed = true;
  }
}
