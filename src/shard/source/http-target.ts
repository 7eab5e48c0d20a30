// One media resource at an origin: what its first answer said about it, and how to ask for the rest of it
// from any byte. Made by http-source.ts, used by http-stream.ts and http-bytes.ts, in shards and in loaders.
// Asks and judges answers; it does not retry (http-stream.ts does).

import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import type { HttpAnswer, HttpClient } from './http.js';
import type { HttpBody } from './http-body.js';
import { follow } from './http-follow.js';
import {
  contentRangeOf,
  headerOf,
  isIcy,
  isPlain,
  lengthOf,
  unsatisfiedSizeOf,
  validatorOf,
} from './http-headers.js';

const GOOD = [200, 203, 206];

/** PUM_SOURCE_STATUS with the status as a parameter; `why` says what else was wrong. */
export function notPlayable(status: number, why?: string): ServerError {
  return new ServerError('PUM_SOURCE_STATUS', { status }, why ?? `status ${status}`);
}

/** Throws PUM_SOURCE_STATUS, and closes the answer, unless it is one that holds media as it is. */
export function expectMedia(answer: HttpAnswer): void {
  if (!GOOD.includes(answer.status)) {
    answer.body.close();
    throw notPlayable(answer.status);
  }
  if (!isPlain(answer.headers)) {
    answer.body.close();
    throw notPlayable(
      answer.status,
      `content-encoding ${headerOf(answer.headers, 'content-encoding')?.slice(0, 32)}`,
    );
  }
}

export class HttpTarget {
  readonly #client: HttpClient;
  readonly #url: URL;
  readonly #validator: string | null;
  /** Total bytes, or null when the origin does not say. */
  readonly size: number | null;
  /** A radio: no end, no way back; after a break it goes on at the live edge. */
  readonly live: boolean;
  #ranges: 'said' | 'unsaid' | 'none';

  /** `answer` is the whole-body answer of `url`, found good by expectMedia. */
  constructor(client: HttpClient, url: URL, answer: HttpAnswer) {
    this.#client = client;
    this.#url = url;
    this.#validator = validatorOf(answer.headers);
    this.size =
      answer.status === 206 ? (contentRangeOf(answer.headers)?.size ?? null) : lengthOf(answer.headers);
    this.live = this.size === null && isIcy(answer.headers);
    const said = headerOf(answer.headers, 'accept-ranges')?.toLowerCase();
    this.#ranges = said === undefined ? 'unsaid' : said.includes('bytes') ? 'said' : 'none';
  }

  get client(): HttpClient {
    return this.#client;
  }

  /** Whether any byte can be asked for: by a range, or because the whole is soon read through. */
  get seekable(): boolean {
    if (this.size === null) return false;
    return this.#ranges === 'said' || this.size <= SOURCE.maxSkip;
  }

  /** Finds out, with one small request, whether an origin that does not mention ranges has them. */
  async settleRanges(signal: AbortSignal): Promise<void> {
    if (this.#ranges !== 'unsaid' || this.size === null || this.size <= SOURCE.maxSkip) return;
    try {
      const { answer } = await follow(this.#client, this.#url.href, { range: 'bytes=0-0' }, signal);
      this.#ranges =
        answer.status === 206 && contentRangeOf(answer.headers)?.size === this.size ? 'said' : 'none';
      answer.body.close();
    } catch {
      // Whatever went wrong: the body itself is open and can be played, only not out of order.
      signal.throwIfAborted();
      this.#ranges = 'none';
    }
  }

  /**
   * A body whose first byte is byte `from` of the resource (for a radio: the live edge), or null when the end
   * lies exactly there. Rejects with a PUM_SOURCE_* error, PUM_SEEK_FAILED when the origin has no ranges and
   * the byte is too far in, or the signal's reason.
   */
  async open(from: number, signal: AbortSignal): Promise<HttpBody | null> {
    const { answer } = await follow(this.#client, this.#url.href, this.#headersFor(from), signal);
    if (answer.status === 416 && unsatisfiedSizeOf(answer.headers) === from) {
      answer.body.close();
      return null;
    }
    expectMedia(answer);
    try {
      if (answer.status === 206) this.#expectRange(answer, from);
      else if (from > 0 && !this.live) await this.#skip(answer, from, signal);
      return answer.body;
    } catch (error) {
      answer.body.close();
      throw error;
    }
  }

  #headersFor(from: number): Readonly<Record<string, string>> {
    if (from === 0 || this.live) return {};
    const range = { range: `bytes=${from}-` };
    return this.#validator === null ? range : { ...range, 'if-range': this.#validator };
  }

  #expectRange(answer: HttpAnswer, from: number): void {
    const range = contentRangeOf(answer.headers);
    if (range === null || range.from !== from) throw changed('Content-Range is not the one asked for');
    if (range.size !== null && this.size !== null && range.size !== this.size)
      throw changed('the size has changed');
    const validator = validatorOf(answer.headers);
    if (validator !== null && this.#validator !== null && validator !== this.#validator) {
      throw changed('the file has changed');
    }
    if (this.size !== null) this.#ranges = 'said';
  }

  /** The origin has sent the whole again: the beginning is read through if it is short and still the same. */
  async #skip(answer: HttpAnswer, from: number, signal: AbortSignal): Promise<void> {
    const validator = validatorOf(answer.headers);
    if (lengthOf(answer.headers) !== this.size || validator !== this.#validator)
      throw changed('the file has changed');
    this.#ranges = 'none';
    if (from > SOURCE.maxSkip) throw new ServerError('PUM_SEEK_FAILED', {}, 'the origin ignores ranges');
    for (let left = from; left > 0;) {
      const chunk = await answer.body.next(signal);
      if (chunk === null) throw changed('the body is shorter than before');
      left -= chunk.length;
      if (left < 0) answer.body.unread(chunk.subarray(chunk.length + left));
    }
  }
}

/** Another try would find the same, so this ends the stream. */
function changed(how: string): ServerError {
  return new ServerError('PUM_SOURCE_BROKEN', { final: 1 }, how);
}
