// The HTTP and WebSocket engine as the rest of the server sees it. engine-uws.ts implements it over
// uWebSockets.js; a second engine over node:http follows. One contract suite holds both
// (test/main/http/engine-contract.ts). Main thread only.
import type { Clock } from '../../shared/clock.js';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'TRACE';

/** What is known of every request, even of one that is refused unread; the method as the client wrote it. */
export interface RequestLine {
  readonly method: string;
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  /** Query without the question mark, still percent-encoded. */
  readonly query: string;
}

/** One request, complete: its body has been read, within the ceilings, before a handler sees it. */
export interface Request extends RequestLine {
  readonly method: Method;
  /** The value of a header by its lower-case name, or null; see `headers`. */
  header(name: string): string | null;
  /**
   * Lower-case names. Repeated headers are joined with ", ", except that of `authorization` the first counts.
   * One character of a value is one byte (ISO 8859-1), as in node:http.
   */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** The peer's address in text form, as the socket has it. */
  readonly remoteAddress: string;
  /** Aborted when the client goes away or the deadline passes; its reason is a ServerError for the latter. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  /** Never Content-Length, Connection or Transfer-Encoding: the engine writes those. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes or text; text is sent as UTF-8. Empty for none. */
  readonly body: Uint8Array | string;
}

/** What a handler may answer to an upgrade request. */
export type UpgradeDecision<T> =
  | { readonly kind: 'accept'; readonly data: T; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'refuse'; readonly reply: Reply };

/** The result of every single send, so that none is lost unseen. */
export type SendResult = 'sent' | 'queued' | 'closed';

/** One open WebSocket. */
export interface Socket<T> {
  readonly data: T;
  readonly remoteAddress: string;
  /** Sends one text message. Beyond the outbox ceiling the socket is closed (1008) and 'closed' returned. */
  send(message: string): SendResult;
  /** Bytes accepted by send and not yet handed to the kernel. */
  readonly buffered: number;
  ping(): void;
  /** Closes with a code and a reason; what was sent before still goes out. */
  close(code: number, reason: string): void;
  /** Cuts the connection without a close frame. */
  terminate(): void;
}

/** What the server does with requests; given to the engine once. */
export interface EngineHandlers<T> {
  /**
   * Answers one request. A rejection is answered through `failure`. The engine answers by itself, through
   * `failure` too: 405 for a method that is no `Method`, 413, 414, 431, 400 (a broken length, a path segment
   * over EDGE.maxPathSegment) and 504 at the deadline.
   */
  request(request: Request): Promise<Reply> | Reply;
  /** Renders an error that happened outside or inside `request`. Must not throw. */
  failure(error: unknown, request: RequestLine): Reply;
  /** Deadline of the handler in milliseconds, at most EDGE.requestDeadline; it runs once the body is there. */
  deadline(request: RequestLine): number;
  /**
   * Called once per request that was answered (101: it became a WebSocket) or abandoned (499: the client went
   * away first), `ms` after its header block arrived.
   */
  finished(request: RequestLine, status: number, ms: number): void;
  /** A request for a WebSocket, on any path. Synchronous; what it throws is answered through `failure`. */
  upgrade(request: Request): UpgradeDecision<T>;
  open(socket: Socket<T>): void;
  /** One complete text message of a client, within EDGE.maxMessage (larger: closed 1009; binary: 1003). */
  message(socket: Socket<T>, text: string): void;
  pong(socket: Socket<T>): void;
  /**
   * Last call for a socket, once for each; never made from inside `send`, `close` or `terminate`, but right
   * after the caller's own turn. `clean` is false when there was no close frame (code 1006).
   */
  close(socket: Socket<T>, code: number, reason: string, clean: boolean): void;
}

export interface EngineOptions {
  readonly clock: Clock;
  readonly tls: TlsOptions | null;
  /** Ceilings; defaults are EDGE of src/shared/limits.ts. */
  readonly maxBody: number;
  readonly maxOutbox: number;
  readonly maxMessage: number;
}

export interface TlsOptions {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly passphrase: string | null;
}

export interface Engine {
  /** Name and version for the log. */
  readonly name: string;
  /** Starts to listen, alone on the port; resolves with the port really bound. Rejects: PUM_LISTEN_FAILED. */
  listen(address: string, port: number): Promise<number>;
  /** Requests being handled now. */
  readonly inFlight: number;
  /** Stops accepting; sockets and requests go on. */
  stopListening(): void;
  /** Cuts whatever is left. */
  close(): void;
}

export type EngineFactory = <T>(handlers: EngineHandlers<T>, options: EngineOptions) => Engine;
