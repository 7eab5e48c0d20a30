// The bench on which the contract suite puts an engine: an engine on a loopback port with handlers that record
// what reached them and whose answers a test can replace. Used by the files of the suite only.
import type { Test } from 'tap';
import { WebSocket, type ClientOptions } from 'ws';

import type {
  Engine,
  EngineFactory,
  EngineHandlers,
  EngineOptions,
  Reply,
  Request,
  RequestLine,
  Socket,
  UpgradeDecision,
} from '../../../src/main/http/engine.js';
import { systemClock } from '../../../src/shared/clock.js';
import { ServerError } from '../../../src/shared/errors.js';
import { EDGE } from '../../../src/shared/limits.js';
import { RawConnection } from '../../support/raw-http.js';

/** What an engine cannot do by the nature of its library; the suite then holds it to failing visibly. */
export interface EngineTraits {
  /** It answers 405 to a method that HTTP does not know; else it cuts the connection. */
  readonly answersUnknownMethods: boolean;
  /** It answers a request that arrives before the one in front is answered; else it cuts the connection. */
  readonly queuesPipelined: boolean;
  /** It answers 400 to a Content-Length that is no number; else it cuts the connection. */
  readonly answersBrokenLengths: boolean;
  /** It ends a socket whose client sends a frame without a mask; else it reads the frame as if it had one. */
  readonly checksMasks: boolean;
  /** Header fields it can read. */
  readonly maxHeaderCount: number;
}

export interface SocketClose {
  readonly code: number;
  readonly reason: string;
  readonly clean: boolean;
}

export class Bench implements EngineHandlers<string> {
  readonly requests: Request[] = [];
  readonly failures: { error: unknown; line: RequestLine }[] = [];
  readonly finishedWith: { path: string; status: number; ms: number }[] = [];
  readonly sockets: Socket<string>[] = [];
  readonly messages: string[] = [];
  readonly closes: SocketClose[] = [];
  pongs = 0;

  onRequest: (request: Request) => Promise<Reply> | Reply = (request) => text(request.path);
  onUpgrade: (request: Request) => UpgradeDecision<string> = () => ({
    kind: 'accept',
    data: '',
    headers: {},
  });
  onOpen: (socket: Socket<string>) => void = () => undefined;
  onMessage: (socket: Socket<string>, message: string) => void = () => undefined;
  deadlineMs = 5_000;

  readonly engine: Engine;
  port = 0;
  #changed: (() => void)[] = [];

  private constructor(factory: EngineFactory, options: Partial<EngineOptions>) {
    this.engine = factory<string>(this, {
      clock: systemClock,
      tls: null,
      maxBody: EDGE.maxBody,
      maxOutbox: EDGE.maxOutbox,
      maxMessage: EDGE.maxMessage,
      ...options,
    });
  }

  /** Starts an engine that is closed when the test ends. */
  static async start(
    t: Test,
    factory: EngineFactory,
    options: Partial<EngineOptions> = {},
    address = '127.0.0.1',
  ): Promise<Bench> {
    const bench = new Bench(factory, options);
    bench.port = await bench.engine.listen(address, 0);
    t.teardown(() => bench.engine.close());
    return bench;
  }

  async connect(t: Test, host = '127.0.0.1'): Promise<RawConnection> {
    const connection = await RawConnection.open(this.port, host);
    t.teardown(() => connection.destroy());
    return connection;
  }

  /** A WebSocket client; `base` is scheme and host. */
  dial(t: Test, path = '/', options: ClientOptions = {}, base = 'ws://127.0.0.1'): WebSocket {
    const client = new WebSocket(`${base}:${this.port}${path}`, options);
    // A socket that is cut reports that as an error as well as by its close.
    client.on('error', () => undefined);
    t.teardown(() => client.terminate());
    return client;
  }

  /** Resolves when `condition` holds, looked at after each call into a handler. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  request(request: Request): Promise<Reply> | Reply {
    this.requests.push(request);
    this.#note();
    return this.onRequest(request);
  }

  failure(error: unknown, line: RequestLine): Reply {
    this.failures.push({ error, line });
    this.#note();
    const known = ServerError.from(error, 'PUM_HTTP_INTERNAL', { reason: 'test' });
    return { status: known.status, headers: { 'X-Failure': known.code }, body: known.code };
  }

  deadline(): number {
    return this.deadlineMs;
  }

  finished({ path }: RequestLine, status: number, ms: number): void {
    this.finishedWith.push({ path, status, ms });
    this.#note();
  }

  upgrade(request: Request): UpgradeDecision<string> {
    this.requests.push(request);
    return this.onUpgrade(request);
  }

  open(socket: Socket<string>): void {
    this.sockets.push(socket);
    this.onOpen(socket);
    this.#note();
  }

  message(socket: Socket<string>, message: string): void {
    this.messages.push(message);
    this.onMessage(socket, message);
    this.#note();
  }

  pong(): void {
    this.pongs++;
    this.#note();
  }

  close(_socket: Socket<string>, code: number, reason: string, clean: boolean): void {
    this.closes.push({ code, reason, clean });
    this.#note();
  }

  #note(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const wake of waiting) wake();
  }
}

export function text(body: string, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'text/plain' }, body };
}

/** A reply that a test gives when it likes, and how to give it. */
export function later(): { reply: Promise<Reply>; resolve: (reply: Reply) => void } {
  let resolve: (reply: Reply) => void = () => undefined;
  const reply = new Promise<Reply>((done) => (resolve = done));
  return { reply, resolve };
}
