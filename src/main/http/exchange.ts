// The life of one request from its header block to its answer, the same for every engine: it is answered
// exactly once, by the handler, by a failure or by the deadline, or abandoned by the client; nothing is
// written afterwards. Main thread; knows no sockets, the engine gives it the way to write.
import type { Clock, Timer } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { EDGE } from '../../shared/limits.js';
import type { EngineHandlers, Method, Reply, Request, RequestLine } from './engine.js';

type RequestHandlers = Pick<EngineHandlers<never>, 'request' | 'failure' | 'deadline' | 'finished'>;

/** Status by which `finished` tells that the client went away first. */
const ABANDONED = 499;

export interface ExchangeOutput {
  /** Writes the whole reply; with `close` the connection ends behind it. */
  write(reply: Reply, close: boolean): void;
  /** The exchange is over, answered or not; called once. */
  release(): void;
}

export class Exchange {
  readonly line: RequestLine;
  readonly #handlers: RequestHandlers;
  readonly #clock: Clock;
  readonly #output: ExchangeOutput;
  readonly #started: number;
  #over = false;
  #deadline: Timer | null = null;
  #controller: AbortController | null = null;
  /** Why work on the request shall stop; null while it shall not. */
  #stopped: { readonly reason: ServerError | undefined } | null = null;

  constructor(handlers: RequestHandlers, clock: Clock, line: RequestLine, output: ExchangeOutput) {
    this.line = line;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#output = output;
    this.#started = clock.now();
  }

  get over(): boolean {
    return this.#over;
  }

  /** Made at the first look, since most handlers never wait for anything that could be stopped. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#stopped !== null) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }

  /** The request as a handler sees it; its method has passed the ceilings. */
  request(headers: ReadonlyMap<string, string>, body: Uint8Array, remoteAddress: string): Request {
    const signal = () => this.signal;
    return {
      ...this.line,
      method: this.line.method as Method,
      headers,
      header: (name) => headers.get(name) ?? null,
      body,
      remoteAddress,
      get signal() {
        return signal();
      },
    };
  }

  /** Runs the handler under its deadline. An answer that is there at once is written at once. */
  handle(request: Request): void {
    try {
      const outcome = this.#handlers.request(request);
      if (!(outcome instanceof Promise)) {
        this.answer(outcome, false);
        return;
      }
      this.#startDeadline();
      outcome.then(
        (reply) => this.answer(reply, false),
        (error: unknown) => this.fail(error, false),
      );
    } catch (error) {
      this.fail(error, false);
    }
  }

  answer(reply: Reply, close: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#output.write(reply, close);
    this.#end(reply.status);
  }

  fail(error: unknown, close: boolean): void {
    if (this.#over) return;
    this.answer(this.#handlers.failure(error, this.line), close);
  }

  /** The request became a WebSocket. */
  upgraded(): void {
    if (!this.#over) this.#end(101);
  }

  /** The client went away. */
  abandon(): void {
    if (this.#over) return;
    this.#stop(undefined);
    this.#end(ABANDONED);
  }

  #startDeadline(): void {
    if (this.#over) return;
    const ms = Math.min(this.#handlers.deadline(this.line), EDGE.requestDeadline);
    this.#deadline = this.#clock.after(ms, () => {
      const error = new ServerError('PUM_HTTP_DEADLINE', { ms });
      this.fail(error, false);
      this.#stop(error);
    });
  }

  #stop(reason: ServerError | undefined): void {
    this.#stopped = { reason };
    this.#controller?.abort(reason);
  }

  #end(status: number): void {
    this.#over = true;
    this.#deadline?.cancel();
    this.#deadline = null;
    this.#output.release();
    this.#handlers.finished(this.line, status, this.#clock.now() - this.#started);
  }
}
