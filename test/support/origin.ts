// An HTTP origin on 127.0.0.1 for tests, well-behaved or not, path by path: ranges, lies about length, deaths
// at byte n, drips, silence, redirects, radios, bombs. It counts requests, bytes and sockets. Used by the tests
// of the sources and by whoever plays from a URL; everything ends with close().

import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface OriginFile {
  readonly body: Uint8Array;
  /** audio/mpeg where absent. */
  readonly contentType?: string;
  /**
   * `yes` (default): Accept-Ranges: bytes and 206. `no`: Accept-Ranges: none. `ignored`: no header, always 200.
   * `unsaid`: no header, but 206. `lie`: Accept-Ranges: bytes, but always 200.
   */
  readonly range?: 'yes' | 'no' | 'ignored' | 'unsaid' | 'lie';
  /** If-Range is obeyed. */
  readonly etag?: string;
  /** No Content-Length. */
  readonly chunked?: boolean;
  /** A false Content-Length. */
  readonly declaredLength?: number;
  /** Body bytes after which answer i of this path is cut; later answers live. */
  readonly dieAt?: readonly number[];
  /** `reset` where absent. */
  readonly dieWith?: 'reset' | 'end';
  /** Body bytes after which answer i falls silent with its connection open. */
  readonly stallAt?: readonly number[];
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  /** Instead of 200 and 206. */
  readonly status?: number;
  /** The status of answer i; `status` from then on. */
  readonly statuses?: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface OriginRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** performance.now() of the request. */
  readonly startedAt: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Written to a socket at once. */
const PIECE = 16 * 1024;

export class Origin {
  readonly requests: OriginRequest[] = [];
  /** Body bytes handed to sockets. */
  bytesSent = 0;
  /** Connections accepted since the start. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #handlers = new Map<string, Handler>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.keepAliveTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<Origin> {
    const origin = new Origin();
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  requestsFor(path: string): readonly OriginRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Resolves once no socket is open; rejects after `ms`. */
  async socketsGone(ms = 2_000): Promise<void> {
    const end = performance.now() + ms;
    while (this.#sockets.size > 0) {
      if (performance.now() > end) throw new Error(`${this.#sockets.size} sockets are still open`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  file(path: string, file: Uint8Array | OriginFile): void {
    const whole = file instanceof Uint8Array ? { body: file } : file;
    let answers = 0;
    this.handle(path, (request, response) => this.#serve(whole, answers++, request, response));
  }

  redirect(path: string, location: string, status = 302): void {
    this.handle(path, (_request, response) => {
      response.writeHead(status, { location, 'content-length': '0' }).end();
    });
  }

  status(path: string, code: number): void {
    this.handle(path, (_request, response) => {
      response.writeHead(code, { 'content-length': '0' }).end();
    });
  }

  /** Takes the request and never answers. */
  silent(path: string): void {
    this.handle(path, () => {});
  }

  /** Zeros without a length until the client goes away. */
  endless(path: string, headers: Readonly<Record<string, string>> = {}): void {
    this.handle(path, (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg', ...headers });
      const zeros = Buffer.alloc(PIECE);
      const pour = (): void => {
        while (!response.destroyed) {
          this.bytesSent += zeros.length;
          if (!response.write(zeros)) return void response.once('drain', pour);
        }
      };
      pour();
    });
  }

  /** A SHOUTcast answer: its own status line, the body until the connection closes. */
  icy(path: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {}): void {
    this.handle(path, ({ socket }) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`ICY 200 OK\r\n${lines.join('')}\r\n`);
      this.bytesSent += body.length;
      socket.end(body);
    });
  }

  /** Anything else. */
  handle(path: string, handler: Handler): void {
    this.#handlers.set(path, handler);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '/', method = 'GET', headers } = request;
    this.requests.push({ path: url, method, headers, startedAt: performance.now() });
    response.on('error', () => {});
    const handler = this.#handlers.get(url);
    if (handler === undefined) response.writeHead(404, { 'content-length': '0' }).end();
    else handler(request, response);
  }

  #serve(file: OriginFile, answer: number, request: IncomingMessage, response: ServerResponse): void {
    const ranges = file.range ?? 'yes';
    const from = rangeStart(file, ranges, request);
    const { length } = file.body;
    const headers: Record<string, string> = { 'content-type': file.contentType ?? 'audio/mpeg' };
    if (ranges === 'yes' || ranges === 'lie') headers['accept-ranges'] = 'bytes';
    if (ranges === 'no') headers['accept-ranges'] = 'none';
    if (file.etag !== undefined) headers['etag'] = file.etag;
    if (from !== null && from >= length) {
      response.writeHead(416, { 'content-range': `bytes */${length}`, 'content-length': '0' }).end();
      return;
    }
    if (from !== null) headers['content-range'] = `bytes ${from}-${length - 1}/${length}`;
    if (file.chunked !== true)
      headers['content-length'] = String(file.declaredLength ?? length - (from ?? 0));
    const status = file.statuses?.[answer] ?? file.status ?? (from === null ? 200 : 206);
    response.writeHead(status, { ...headers, ...file.headers });
    response.flushHeaders();
    this.#pour(file, answer, file.body.subarray(from ?? 0), response);
  }

  /** Writes the body as fast as it is taken, as far as this answer lives. */
  #pour(file: OriginFile, answer: number, body: Uint8Array, response: ServerResponse): void {
    const dies = file.dieAt?.[answer];
    const stalls = file.stallAt?.[answer];
    const last = Math.min(body.length, dies ?? Infinity, stalls ?? Infinity);
    let at = 0;
    const next = (): void => {
      while (at < last && !response.destroyed) {
        const piece = body.subarray(at, Math.min(last, at + (file.drip?.bytes ?? PIECE)));
        at += piece.length;
        this.bytesSent += piece.length;
        const room = response.write(piece);
        if (file.drip !== undefined) return this.#later(file.drip.everyMs, next);
        if (!room) return void response.once('drain', next);
      }
      if (response.destroyed || stalls !== undefined) return;
      if (dies === undefined) return void response.end();
      // What was written goes out first; a reset would throw it away.
      response.socket?.write('', () => this.#kill(file, response));
    };
    next();
  }

  #kill(file: OriginFile, response: ServerResponse): void {
    if (file.dieWith === 'end') response.socket?.end();
    // Leaves the far end a moment to read: a reset discards what its kernel still holds.
    else this.#later(20, () => response.socket?.resetAndDestroy());
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }
}

/** The first byte asked for, or null when the whole is answered. */
function rangeStart(file: OriginFile, ranges: string, request: IncomingMessage): number | null {
  if (ranges !== 'yes' && ranges !== 'unsaid') return null;
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== file.etag) return null;
  const match = /^bytes=(\d+)-/.exec(request.headers.range ?? '');
  return match === null ? null : Number(match[1]);
}
