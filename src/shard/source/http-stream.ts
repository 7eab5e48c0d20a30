// One forward run through an HTTP resource, resumed byte for byte when its connection dies. Used by
// http-bytes.ts, in shards and in loaders. It keeps a short window behind its position, so that the small
// steps back of a demuxer cost no request; it does not jump.

import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import { backoff, type Random } from './backoff.js';
import type { HttpBody } from './http-body.js';
import type { HttpTarget } from './http-target.js';
import { KeptBytes } from './kept-bytes.js';
import { pause } from './waiting.js';

export class HttpStream {
  readonly #target: HttpTarget;
  readonly #random: Random;
  #body: HttpBody | null;
  /** What was read from the body and is not yet forgotten. */
  readonly #kept: KeptBytes;
  readonly #start: number;
  readonly #keepBehind: number;
  #failures = 0;
  /** Why the last connection ended; null while none has. */
  #lost: ServerError | null = null;
  #ended: boolean;
  #closed = false;

  /** `body` begins at byte `from`, null when it ends there; `keepBehind` bytes are kept behind the reader. */
  constructor(target: HttpTarget, body: HttpBody | null, from: number, keepBehind: number, random: Random) {
    this.#target = target;
    this.#keepBehind = keepBehind;
    this.#random = random;
    this.#body = body;
    this.#kept = new KeptBytes(from);
    this.#start = from;
    this.#ended = body === null;
  }

  /** Offset behind the last byte that has come. */
  get position(): number {
    return this.#kept.end;
  }

  /** Whether `offset` is still in the window, or ahead by no more than `reach` bytes. */
  covers(offset: number, reach: number): boolean {
    return offset >= this.#kept.from && offset <= this.#kept.end + reach;
  }

  /** Up to `length` bytes at an offset that have come already, or null; good until the next read. No waiting. */
  peek(offset: number, length: number): Uint8Array | null {
    return this.#kept.peek(offset, length);
  }

  /**
   * Up to `length` bytes at a covered offset, at least one, or null at the end; good until the next read.
   * Rejects with the signal's reason, after which the next read goes on as if nothing had happened, or with what ended the stream.
   */
  async read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | null> {
    for (;;) {
      const found = this.peek(offset, length);
      if (found !== null) return found;
      const chunk = await this.#next(signal);
      if (chunk === null) return null;
      this.#keep(chunk);
      this.#forget(offset);
    }
  }

  close(): void {
    this.#closed = true;
    this.#kept.clear();
    this.#body?.close();
    this.#body = null;
  }

  #keep(chunk: Uint8Array): void {
    this.#kept.add(chunk);
    if (this.#target.size === null || this.#kept.end < this.#target.size) return;
    this.#ended = true;
    this.#body?.close();
    this.#body = null;
  }

  /** Lets go of what lies too far behind `offset`; the beginning stays for a while. */
  #forget(offset: number): void {
    const { from, end } = this.#kept;
    if (from === this.#start && end - from < SOURCE.keepBeginning) return;
    this.#kept.forget(offset, this.#keepBehind);
  }

  /** The next bytes of the resource, over as many connections as it takes. */
  async #next(signal: AbortSignal): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#ended) return null;
      const body = this.#body ?? (await this.#reconnect(signal));
      if (body === null) return null;
      try {
        const chunk = await body.next(signal);
        if (chunk !== null) {
          this.#failures = 0;
          return this.#withinSize(chunk);
        }
        this.#body = null;
        // Without a length, only the connection's proper end says that this was all.
        if (this.#target.size === null) this.#ended = true;
        else this.#lost = new ServerError('PUM_SOURCE_BROKEN', {}, 'premature end');
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        body.close();
        this.#body = null;
        this.#lost = ServerError.from(error, 'PUM_SOURCE_BROKEN');
      }
    }
  }

  async #reconnect(signal: AbortSignal): Promise<HttpBody | null> {
    for (;;) {
      if (this.#closed || this.#failures >= SOURCE.maxReconnects)
        throw this.#lost ?? new ServerError('PUM_SOURCE_BROKEN');
      await pause(this.#target.client.clock, backoff(this.#failures, this.#random), signal);
      this.#failures++;
      try {
        const body = await this.#target.open(this.#kept.end, signal);
        if (this.#closed) body?.close();
        this.#body = body;
        this.#ended = body === null;
        return body;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const lost = ServerError.from(error, 'PUM_SOURCE_BROKEN');
        this.#lost = lost;
        // Nobody has asked for a seek: it is the stream that cannot go on.
        if (lost.code === 'PUM_SEEK_FAILED') throw new ServerError('PUM_SOURCE_BROKEN', {}, lost);
        if (!isPassing(lost)) throw lost;
      }
    }
  }

  /** A body longer than it said is cut where it said. */
  #withinSize(chunk: Uint8Array): Uint8Array {
    const { size } = this.#target;
    return size !== null && this.#kept.end + chunk.length > size
      ? chunk.subarray(0, size - this.#kept.end)
      : chunk;
  }
}

/** Whether another try may succeed: the network's faults and the far end's bad moments. */
function isPassing(error: ServerError): boolean {
  switch (error.code) {
    case 'PUM_SOURCE_CONNECT':
    case 'PUM_SOURCE_RESOLVE':
    case 'PUM_SOURCE_TIMEOUT':
      return true;
    case 'PUM_SOURCE_BROKEN':
      return error.parameters['final'] === undefined;
    case 'PUM_SOURCE_STATUS': {
      const status = Number(error.parameters['status']);
      return status >= 500 || status === 429 || status === 408;
    }
    default:
      return false;
  }
}
