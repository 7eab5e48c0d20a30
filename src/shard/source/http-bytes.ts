// An HTTP resource as a ByteSource. Reads mostly run forward; a demuxer's look at the end (a moov, the last
// Ogg page) gets a second stream while the first one is held, so that going back costs no request. Used in
// shards and in loaders through http-source.ts.

import type { ByteSource } from '../../audio/bytes.js';
import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import type { Random } from './backoff.js';
import type { HttpBody } from './http-body.js';
import { HttpStream } from './http-stream.js';
import type { HttpTarget } from './http-target.js';
import { underBoth, unlessAborted } from './waiting.js';

/** Bytes read from one stream after which the other one is let go. */
const HELD_FOR = 2 * SOURCE.maxSkip;

export class HttpBytes implements ByteSource {
  readonly size: number | null;
  readonly #target: HttpTarget;
  readonly #random: Random;
  readonly #life = new AbortController();
  #current: HttpStream;
  #held: HttpStream | null = null;
  #sinceHeld = 0;
  /** Settles when the read before has. */
  #turn: Promise<unknown> = Promise.resolve();

  /** `body` is the resource from its first byte. */
  constructor(target: HttpTarget, body: HttpBody, random: Random) {
    this.#target = target;
    this.#random = random;
    this.size = target.size;
    this.#current = new HttpStream(target, body, 0, random);
  }

  get seekable(): boolean {
    return this.#target.seekable;
  }

  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | null> {
    const before = this.#turn;
    const work = underBoth(signal, this.#life.signal, async (both) => {
      await unlessAborted(before, both);
      both.throwIfAborted();
      if (this.size !== null && offset >= this.size) return null;
      const stream = await this.#streamFor(offset, both);
      const bytes = await stream.read(offset, length, both);
      this.#letGo(bytes?.length ?? 0);
      return bytes;
    });
    this.#turn = work.then(
      () => before,
      () => before,
    );
    return work;
  }

  close(): void {
    this.#life.abort(new ServerError('PUM_SOURCE_BROKEN', {}, 'closed'));
    this.#current.close();
    this.#held?.close();
    this.#held = null;
  }

  /** The stream that is at `offset` or soon will be; it becomes the current one. */
  async #streamFor(offset: number, signal: AbortSignal): Promise<HttpStream> {
    if (this.#current.covers(offset, 0)) return this.#current;
    if (this.#held?.covers(offset, SOURCE.maxSkip) === true) {
      const held = this.#held;
      this.#held = this.#current;
      this.#current = held;
      this.#sinceHeld = 0;
      return held;
    }
    if (this.#current.covers(offset, SOURCE.maxSkip)) return this.#current;
    if (!this.seekable && offset > SOURCE.maxSkip) {
      throw new ServerError('PUM_SEEK_FAILED', {}, 'the origin gives no ranges');
    }
    const body = await this.#target.open(offset, signal);
    if (signal.aborted) {
      body?.close();
      throw signal.reason;
    }
    this.#held?.close();
    this.#held = this.#current;
    this.#current = new HttpStream(this.#target, body, offset, this.#random);
    this.#sinceHeld = 0;
    return this.#current;
  }

  #letGo(bytes: number): void {
    this.#sinceHeld += bytes;
    if (this.#held === null || this.#sinceHeld < HELD_FOR) return;
    this.#held.close();
    this.#held = null;
  }
}
