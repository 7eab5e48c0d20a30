// The body of one HTTP answer: a short queue between the connection, which pushes, and a reader, which pulls.
// A full queue holds the connection back until it is empty and more is wanted, so a fast or endless origin costs
// no more memory than a slow one: what is ahead of the reader waits in the kernel.
// Filled by http.ts, read by http-stream.ts, in shards and in loaders; knows nothing of HTTP itself.

import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import { ChunkQueue } from './chunk-queue.js';

/** The connection as the body sees it. */
export interface BodyControl {
  pause(): void;
  resume(): void;
  /** Ends the connection; nothing more is pushed. */
  abort(): void;
}

export class HttpBody {
  readonly #control: BodyControl;
  readonly #clock: Clock;
  readonly #idleTimeout: number;
  readonly #queue = new ChunkQueue();
  #paused = false;
  #ended = false;
  #failure: ServerError | null = null;
  #wake: (() => void) | null = null;

  /** `idleTimeout`: milliseconds a reader waits for the next byte. */
  constructor(control: BodyControl, clock: Clock, idleTimeout: number) {
    this.#control = control;
    this.#clock = clock;
    this.#idleTimeout = idleTimeout;
  }

  /** Bytes have come; they are taken over. */
  push(chunk: Uint8Array): void {
    if (this.#failure !== null || chunk.length === 0) return;
    this.#queue.push(chunk);
    if (!this.#paused && this.#queue.cost >= SOURCE.readAhead) {
      this.#paused = true;
      this.#control.pause();
    }
    this.#wake?.();
  }

  /** The body has come to its proper end. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The connection broke; what had come before can still be read. */
  fail(error: ServerError): void {
    if (this.#ended) return;
    this.#failure ??= error;
    this.#wake?.();
  }

  /**
   * The next bytes, or null at the end; one call at a time. Rejects with a PUM_SOURCE_* error when the
   * connection has broken or stays silent too long, or with the signal's reason, which harms nothing.
   */
  async next(signal: AbortSignal): Promise<Uint8Array | null> {
    for (;;) {
      signal.throwIfAborted();
      const chunk = this.#queue.shift();
      if (chunk !== null) return chunk;
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      await this.#more(signal);
    }
  }

  /** Puts bytes back that `next` gave; they come first next time. */
  unread(chunk: Uint8Array): void {
    this.#queue.unshift(chunk);
  }

  /** Ends the connection and forgets what has not been read; a read under way rejects. */
  close(): void {
    this.#queue.clear();
    this.fail(new ServerError('PUM_SOURCE_BROKEN', {}, 'closed'));
    this.#control.abort();
  }

  /** Waits for anything to happen: bytes, the end, a failure, or silence for too long, which is a failure. */
  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void): void => {
        this.#wake = null;
        silence.cancel();
        signal.removeEventListener('abort', onAbort);
        action();
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      const silence = this.#clock.after(this.#idleTimeout, () => {
        this.fail(new ServerError('PUM_SOURCE_TIMEOUT', { ms: this.#idleTimeout }));
        this.#control.abort();
      });
      this.#wake = () => settle(resolve);
      signal.addEventListener('abort', onAbort, { once: true });
      if (!this.#paused) return;
      this.#paused = false;
      this.#control.resume();
    });
  }
}
