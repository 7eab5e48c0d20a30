// The source of last resort: any http, https or icy URL (lavalink-v4.md §6.5). Listed in registry.ts; resolves
// in loaders, opens in shards. Every address it reaches has passed the guard.

import { ServerError } from '../../shared/errors.js';
import type { Track } from '../../shared/track.js';
import { backoff, type Random } from './backoff.js';
import type { HttpClient } from './http.js';
import { HttpBytes } from './http-bytes.js';
import { follow } from './http-follow.js';
import { contentRangeOf, contentTypeOf, extensionOf, stationOf } from './http-headers.js';
import { HttpTarget, expectMedia, notPlayable } from './http-target.js';
import type { OpenedMedia, Source } from './source.js';
import { pause } from './waiting.js';

export class HttpSource implements Source {
  readonly name = 'http';
  readonly #client: HttpClient;
  readonly #random: Random;

  constructor(client: HttpClient, random: Random = Math.random) {
    this.#client = client;
    this.#random = random;
  }

  accepts(identifier: string): boolean {
    return /^(?:https?|icy):\/\//i.test(identifier);
  }

  async resolve(identifier: string, signal: AbortSignal): Promise<OpenedMedia | null> {
    // No Range on the first request: radios and small servers stumble over it, and Lavalink sends none.
    const { answer, url } = await follow(this.#client, identifier, {}, signal);
    if (answer.status === 404) {
      answer.body.close();
      return null;
    }
    expectMedia(answer);
    try {
      if (answer.status === 206 && contentRangeOf(answer.headers)?.from !== 0)
        throw notPlayable(206, 'not from the start');
      const target = new HttpTarget(this.#client, url, answer);
      await target.settleRanges(signal);
      return {
        bytes: new HttpBytes(target, answer.body, this.#random),
        hint: { contentType: contentTypeOf(answer.headers), extension: extensionOf(url.pathname) },
        location: this.#isAsWritten(identifier, url) ? identifier : url.href,
        ...stationOf(answer.headers),
        live: target.live,
      };
    } catch (error) {
      answer.body.close();
      throw error;
    }
  }

  async open(track: Track, signal: AbortSignal): Promise<OpenedMedia> {
    const media = await this.#resolveTwice(track.info.identifier, signal);
    if (media === null) throw new ServerError('PUM_SOURCE_NOT_FOUND');
    return media;
  }

  /** A server's error is asked about once more when it is time to play. */
  async #resolveTwice(identifier: string, signal: AbortSignal): Promise<OpenedMedia | null> {
    try {
      return await this.resolve(identifier, signal);
    } catch (error) {
      const again = error instanceof ServerError && Number(error.parameters['status']) >= 500;
      if (!again) throw error;
      await pause(this.#client.clock, backoff(0, this.#random), signal);
      return this.resolve(identifier, signal);
    }
  }

  /** Whether the URL that answered is the one that was given; icy is never kept, as in Lavalink. */
  #isAsWritten(identifier: string, url: URL): boolean {
    return !/^icy:/i.test(identifier) && this.#client.guard.checkUrl(identifier).href === url.href;
  }
}
