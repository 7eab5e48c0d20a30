// Outgoing HTTP: the only file that imports undici. One exchange is one request on one connection of its own,
// to the address the guard has judged; redirects, ranges and retries are its callers' business (http-follow.ts,
// http-target.ts). Runs in shards and in loaders. Never decodes a body and never keeps a connection: a stream
// that is left early costs its connection in HTTP/1.1 anyway, and so close() is exact.

import type { Socket } from 'node:net';

import { Client, type Dispatcher } from 'undici';

import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import { dialAddress, openConnection, type Dial } from './dial.js';
import { errorCode } from './error-code.js';
import { hostOf, type Guard } from './guard.js';
import type { HeldSocket } from './held-socket.js';
import { HttpBody } from './http-body.js';
import type { HttpHeaders } from './http-headers.js';

/** Milliseconds (`lavalink.server.timeouts.*`). */
export interface HttpTimeouts {
  readonly connect: number;
  /** From the request to the end of the answer's headers. */
  readonly firstByte: number;
  /** Silence in the body while somebody waits for it. */
  readonly idle: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Must be read to its end or closed. */
  readonly body: HttpBody;
}

const REQUEST_HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Pumice' } as const;

export class HttpClient {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly #timeouts: HttpTimeouts;
  readonly #dial: Dial;

  constructor(guard: Guard, clock: Clock, timeouts: HttpTimeouts, dial: Dial = dialAddress) {
    this.guard = guard;
    this.clock = clock;
    this.#timeouts = timeouts;
    this.#dial = dial;
  }

  /**
   * GETs one URL (from Guard.checkUrl) and resolves with whatever is answered, once its headers are there.
   * Rejects with a PUM_SOURCE_* error, or with the signal's reason; the signal ends only this wait, the body is
   * read under signals of its own.
   */
  exchange(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const life = new AbortController();
      let body: HttpBody | null = null;
      let socket: HeldSocket | null = null;
      let silence = { cancel(): void {} };

      const settled = (): void => {
        silence.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const release = (): void => {
        life.abort();
        // Destroying closes the socket; that its requests fail is what is wanted.
        client.destroy().catch(() => {});
      };
      const fail = (error: ServerError): void => {
        settled();
        if (body === null) reject(error);
        else body.fail(error);
        release();
      };
      const onAbort = (): void => {
        settled();
        reject(signal.reason);
        release();
      };

      const client = new Client(url.origin, {
        connect: (_options, callback) => {
          this.#connect(url, life.signal)
            .then(
              (opened) => {
                socket = opened;
                // A duplex stream is all undici needs; its type says Socket.
                callback(null, opened as unknown as Socket);
              },
              (error: unknown) => callback(ServerError.from(error, 'PUM_SOURCE_CONNECT'), null),
            )
            .catch((error: unknown) => fail(ServerError.from(error, 'PUM_SOURCE_BROKEN')));
        },
        maxHeaderSize: SOURCE.maxHeaders,
        // Every wait is timed by our clock; undici's coarse timers are off.
        headersTimeout: 0,
        bodyTimeout: 0,
        pipelining: 0,
      });
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: () => {
          const { firstByte } = this.#timeouts;
          silence = this.clock.after(firstByte, () =>
            fail(new ServerError('PUM_SOURCE_TIMEOUT', { ms: firstByte })),
          );
        },
        onResponseStart: (controller, status, answered) => {
          // Views of the first read, which undici would keep for as long as the body is open.
          controller.rawHeaders = null;
          // 103 and its like come before the answer.
          if (status < 200) return;
          settled();
          const control = { pause: () => socket?.hold(), resume: () => socket?.release(), abort: release };
          body = new HttpBody(control, this.clock, this.#timeouts.idle);
          resolve({ status, headers: answered, body });
        },
        onResponseData: (_controller, chunk) => body?.push(chunk),
        onResponseEnd: () => {
          body?.end();
          release();
        },
        onResponseError: (_controller, error) => fail(describeFailure(error, body === null)),
      };
      signal.addEventListener('abort', onAbort, { once: true });
      client.dispatch(
        { path: url.pathname + url.search, method: 'GET', headers: { ...REQUEST_HEADERS, ...headers } },
        handler,
      );
    });
  }

  /** The guard's one address for the host, connected to; undici resolves and dials nothing itself. */
  async #connect(url: URL, life: AbortSignal): Promise<HeldSocket> {
    const address = await this.guard.resolve(hostOf(url), life);
    const options = { clock: this.clock, timeout: this.#timeouts.connect, dial: this.#dial };
    return openConnection(url, address, options, life);
  }
}

/** An error of undici's as one of ours. */
function describeFailure(error: Error, beforeAnswer: boolean): ServerError {
  if (error instanceof ServerError) return error;
  const cause = errorCode(error);
  const malformed = error.name === 'HTTPParserError' || cause === 'UND_ERR_HEADERS_OVERFLOW';
  return new ServerError(beforeAnswer && !malformed ? 'PUM_SOURCE_CONNECT' : 'PUM_SOURCE_BROKEN', {}, cause);
}
