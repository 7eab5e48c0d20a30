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

/** Bytes read from one stream, far ahead, after which the other one is let go. */
const HELD_FOR = 2 * SOURCE.maxSkip;
/** The same where the other one lies ahead (a look at the end that is over) or so near that one will do. */
const HELD_NEAR_FOR = 64 * 1_024;

export class HttpBytes implements ByteSource {
  readonly size: number | null;
  readonly #target: HttpTarget;
  readonly #random: Random;
  readonly #life = new AbortController();
  #current: HttpStream;
  #held: HttpStream | null = null;
  #sinceHeld = 0;
  #keepBehind: number = SOURCE.keepBehind;
  /** Reads that have not settled. */
  #reads = 0;
  /** Settles when the read before has. */
  #turn: Promise<unknown> = Promise.resolve();

  /** `body` is the resource from its first byte. */
  constructor(target: HttpTarget, body: HttpBody, random: Random) {
    this.#target = target;
    this.#random = random;
    this.size = target.size;
    this.#current = new HttpStream(target, body, 0, this.#keepBehind, random);
  }

  get seekable(): boolean {
    return this.#target.seekable;
  }

  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | null> {
    if (this.#reads === 0 && !signal.aborted && !this.#life.signal.aborted) {
      // Most reads go on where the one before ended, and need neither a turn nor a way to be given up.
      const here = this.#current.peek(offset, length);
      if (here !== null) {
        this.#letGo(here.length);
        return Promise.resolve(here);
      }
    }
    const before = this.#turn;
    this.#reads++;
    const work = underBoth(signal, this.#life.signal, async (both) => {
      await unlessAborted(before, both);
      both.throwIfAborted();
      if (this.size !== null && offset >= this.size) return null;
      const stream = await this.#streamFor(offset, both);
      const bytes = await stream.read(offset, length, both);
      this.#letGo(bytes?.length ?? 0);
      return bytes;
    });
    const settled = (): Promise<unknown> => {
      this.#reads--;
      return before;
    };
    this.#turn = work.then(settled, settled);
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
    if (this.#heldIsNearer(offset)) this.#swap();
    if (this.#current.covers(offset, SOURCE.maxSkip)) return this.#current;
    if (!this.seekable && offset > SOURCE.maxSkip) {
      throw new ServerError('PUM_SEEK_FAILED', {}, 'the origin gives no ranges');
    }
    this.#learnFrom(this.#current.position - offset);
    const body = await this.#target.open(offset, signal);
    if (signal.aborted) {
      body?.close();
      throw signal.reason;
    }
    this.#held?.close();
    this.#held = this.#current;
    this.#current = new HttpStream(this.#target, body, offset, this.#keepBehind, this.#random);
    this.#sinceHeld = 0;
    return this.#current;
  }

  /** A step back that cost a request: what a demuxer does once, it does all the way through the file. */
  #learnFrom(stepBack: number): void {
    if (stepBack <= 0 || stepBack > SOURCE.maxKeepBehind) return;
    this.#keepBehind = Math.min(SOURCE.maxKeepBehind, Math.max(stepBack, 2 * this.#keepBehind));
  }

  /** Whether the held stream has `offset` behind it, or less to read before it, and the current one has not. */
  #heldIsNearer(offset: number): boolean {
    if (this.#held?.covers(offset, SOURCE.maxSkip) !== true || this.#current.covers(offset, 0)) return false;
    if (!this.#current.covers(offset, SOURCE.maxSkip)) return true;
    return this.#held.position > this.#current.position;
  }

  #swap(): void {
    if (this.#held === null) return;
    // Two that go side by side are not kept for the sake of one another.
    if (!this.#isNear(this.#held)) this.#sinceHeld = 0;
    [this.#current, this.#held] = [this.#held, this.#current];
  }

  #isNear(held: HttpStream): boolean {
    return Math.abs(held.position - this.#current.position) <= SOURCE.maxSkip;
  }

  #letGo(bytes: number): void {
    this.#sinceHeld += bytes;
    if (this.#held === null) return;
    const soon = this.#held.position > this.#current.position || this.#isNear(this.#held);
    if (this.#sinceHeld < (soon ? HELD_NEAR_FOR : HELD_FOR)) return;
    this.#held.close();
    this.#held = null;
  }
}
