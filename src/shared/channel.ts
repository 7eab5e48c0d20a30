// The typed, byte-encoded channel between two threads: requests with ids, deadlines and a ceiling, and
// one-way notices, in one order. The only file that encodes (msgpackr): what crosses is bytes, never a
// clone, so the same messages can cross a network later. Additive and versioned: unknown fields are
// ignored. No undefined, Map, BigInt, class instance or wall-clock time may be put into a body.
import type { MessagePort } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import type { Clock, Timer } from './clock.js';
import { ServerError, type ErrorShape } from './errors.js';

const VERSION = 1;
const Kind = { request: 0, reply: 1, failure: 2, notice: 3 } as const;

type Wire = [version: number, kind: number, id: number, body: unknown];

/** What crosses as it is. */
interface Handed {
  readonly shared: unknown;
}

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: ServerError) => void;
  readonly timer: Timer;
}

export interface ChannelHandlers {
  /** Answers a request of the other side; a rejection becomes the failure that its caller sees. */
  request(body: unknown): unknown;
  /** A one-way message of the other side. */
  notice(body: unknown): void;
  /** What the other side handed over: shared memory, or something with ports in it. */
  shared?(thing: unknown): void;
  /** A message could not be read, or the other side closed. At most once; everything waiting has failed. */
  broken(error: ServerError): void;
}

export interface ChannelOptions {
  readonly clock: Clock;
  /** Requests of ours that may wait for an answer at once. */
  readonly maxInFlight: number;
  /** Messages taken from the port in one turn of the event loop; the rest follow in later turns. */
  readonly perTurn: number;
}

export class Channel {
  readonly #port: MessagePort;
  readonly #handlers: ChannelHandlers;
  readonly #options: ChannelOptions;
  readonly #packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });
  readonly #waiting = new Map<number, Waiting>();
  #inbox: Uint8Array[] = [];
  #takenThisTurn = 0;
  #turnEnds = false;
  #nextId = 1;
  #closed: ServerError | null = null;

  constructor(port: MessagePort, handlers: ChannelHandlers, options: ChannelOptions) {
    this.#port = port;
    this.#handlers = handlers;
    this.#options = options;
    port.on('message', (message: Uint8Array | Handed) => {
      if (isHanded(message)) {
        this.#handlers.shared?.(message.shared);
        return;
      }
      this.#inbox.push(message);
      this.#takeSome();
    });
    port.on('messageerror', () => this.#break('a message did not arrive whole'));
    port.on('close', () => this.#break('the other side closed'));
  }

  /** Requests of ours that wait for an answer. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Sends a request and waits for its answer.
   * Rejects with the other side's ServerError, PUM_COMMAND_DEADLINE, PUM_SHARD_BUSY or PUM_SHARD_GONE.
   */
  request(body: unknown, deadlineMs: number): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#waiting.size >= this.#options.maxInFlight) {
      return Promise.reject(new ServerError('PUM_SHARD_BUSY', { limit: this.#options.maxInFlight }));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // First, so that a body that cannot be encoded rejects and leaves nothing behind.
      this.#post([VERSION, Kind.request, id, body]);
      const timer = this.#options.clock.after(deadlineMs, () => {
        this.#waiting.delete(id);
        reject(new ServerError('PUM_COMMAND_DEADLINE', { ms: deadlineMs }));
      });
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  /** Sends a one-way message; lost without a word when the channel is closed. */
  notify(body: unknown): void {
    if (!this.#closed) this.#post([VERSION, Kind.notice, 0, body]);
  }

  /**
   * Hands shared memory or ports over, which alone cannot be bytes: heard before everything that is sent later.
   * Main does this only. Of a closed channel the ports are closed.
   */
  share(shared: unknown, ports: readonly MessagePort[] = []): void {
    if (this.#closed) for (const port of ports) port.close();
    else this.#port.postMessage({ shared } satisfies Handed, ports);
  }

  /** Fails everything that waits and lets go of the port. The handlers hear nothing more. */
  close(error: ServerError = new ServerError('PUM_SHARD_GONE')): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#inbox = [];
    for (const waiting of this.#waiting.values()) {
      waiting.timer.cancel();
      waiting.reject(error);
    }
    this.#waiting.clear();
    this.#port.close();
  }

  #post(message: Wire): void {
    // `pack` may hand out a part of a pooled buffer; a copy of its own can be transferred instead of cloned.
    const bytes = Uint8Array.prototype.slice.call(this.#packr.pack(message));
    this.#port.postMessage(bytes, [bytes.buffer]);
  }

  #takeSome(): void {
    while (this.#inbox.length > 0 && this.#takenThisTurn < this.#options.perTurn) {
      this.#takenThisTurn++;
      const bytes = this.#inbox.shift();
      if (bytes) this.#take(bytes);
    }
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#options.clock.soon(() => {
      this.#turnEnds = false;
      this.#takenThisTurn = 0;
      if (this.#inbox.length > 0) this.#takeSome();
    });
  }

  #take(bytes: Uint8Array): void {
    const message = this.#read(bytes);
    if (!message) return;
    const [, kind, id, body] = message;
    switch (kind) {
      case Kind.request:
        void this.#answer(id, body);
        break;
      case Kind.reply:
        this.#settle(id)?.resolve(body);
        break;
      case Kind.failure:
        this.#settle(id)?.reject(ServerError.fromShape(body as ErrorShape));
        break;
      case Kind.notice:
        this.#hear(body);
        break;
      default: // A kind of a later version: not ours to understand.
        break;
    }
  }

  /** What a handler throws is no fault of the channel: the messages behind it are taken, then it surfaces. */
  #hear(body: unknown): void {
    try {
      this.#handlers.notice(body);
    } catch (thrown) {
      this.#options.clock.soon(() => {
        throw thrown;
      });
    }
  }

  #read(bytes: Uint8Array): Wire | null {
    try {
      const message: unknown = this.#packr.unpack(bytes);
      if (Array.isArray(message) && message.length >= 4 && typeof message[1] === 'number')
        return message as Wire;
      this.#break('not a message');
    } catch (error) {
      this.#break(error instanceof Error ? error.message : 'not msgpack');
    }
    return null;
  }

  async #answer(id: number, body: unknown): Promise<void> {
    try {
      const reply = await this.#handlers.request(body);
      if (!this.#closed) this.#post([VERSION, Kind.reply, id, reply ?? null]);
    } catch (thrown) {
      const error = ServerError.from(thrown, 'PUM_HTTP_INTERNAL', { reason: 'the shard failed' });
      if (!this.#closed) this.#post([VERSION, Kind.failure, id, error.toShape()]);
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    return waiting;
  }

  #break(reason: string): void {
    if (this.#closed) return;
    const error = new ServerError('PUM_CHANNEL_BROKEN', { reason });
    this.close(new ServerError('PUM_SHARD_GONE', {}, error));
    this.#handlers.broken(error);
  }
}

function isHanded(message: unknown): message is Handed {
  return typeof message === 'object' && message !== null && 'shared' in message;
}
