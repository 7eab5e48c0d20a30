// The HTTP and WebSocket engine over uWebSockets.js, and the only file that loads that library. Main thread.
// It loads the native binary itself and never the JavaScript twin that the package falls back to. What the
// library's parser does with malformed input is out of reach here and listed in SECURITY.md.
import { createRequire } from 'node:module';

import type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
} from 'uWebSockets.js';

import { ServerError } from '../../shared/errors.js';
import { BodyBuffer } from './body-buffer.js';
import type { Engine, EngineFactory, EngineHandlers, EngineOptions, Reply } from './engine.js';
import type { RequestLine, TlsOptions } from './engine.js';
import { Exchange } from './exchange.js';
import { peerAddress } from './peer-address.js';
import { HeaderBlock, refusal, upgradeRefusal } from './request-ceilings.js';
import { reasonPhrase } from './status.js';
import { UwsSocket } from './uws-socket.js';

type Library = typeof import('uWebSockets.js') & {
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
};

interface NativeLibrary {
  readonly library: Library;
  readonly version: string;
}

/** What the library keeps with a WebSocket for us. */
interface SocketRecord<T> {
  readonly data: T;
  readonly remoteAddress: string;
  socket: UwsSocket<T> | null;
}

const EMPTY = new Uint8Array(0);

/** The package that brings the binaries of the 20.30 release, and with them the twin. */
const UNOFFICIAL = '@trufflesuite/uws-js-unofficial';

let loaded: NativeLibrary | null = null;

/** Whether the native library can be used here. */
export function nativeEngineAvailable(): boolean {
  try {
    loaded ??= loadNativeLibrary();
    return true;
  } catch {
    return false;
  }
}

/**
 * Loads the native library: the binary of the unofficial package by its own path, since that package's main
 * file falls back to its twin; an official release installed in its place by its main file, which throws.
 * Throws PUM_ENGINE_MISSING. `require` is given by the test alone.
 */
export function loadNativeLibrary(
  require: (id: string) => unknown = createRequire(import.meta.url),
): NativeLibrary {
  const target = `${process.platform}_${process.arch}_${process.versions.modules}`;
  try {
    const manifest = require('uWebSockets.js/package.json') as { name: string; version: string };
    const entry =
      manifest.name === UNOFFICIAL ? `uWebSockets.js/binaries/uws_${target}.node` : 'uWebSockets.js';
    return { library: require(entry) as Library, version: manifest.version };
  } catch (error) {
    throw new ServerError('PUM_ENGINE_MISSING', { target }, error);
  }
}

/** Throws PUM_ENGINE_MISSING without a native library, PUM_CONFIG_INVALID when the TLS files are no good. */
export const createUwsEngine: EngineFactory = (handlers, options) => {
  loaded ??= loadNativeLibrary();
  return new UwsEngine(loaded, handlers, options);
};

class UwsEngine<T> implements Engine {
  readonly name: string;
  readonly #library: Library;
  readonly #app: TemplatedApp;
  readonly #handlers: EngineHandlers<T>;
  readonly #options: EngineOptions;
  readonly #active = new Set<HttpResponse>();
  readonly #sockets = new Set<UwsSocket<T>>();
  #listening: us_listen_socket | null = null;

  constructor({ library, version }: NativeLibrary, handlers: EngineHandlers<T>, options: EngineOptions) {
    this.name = `uWebSockets.js ${version}`;
    this.#library = library;
    this.#handlers = handlers;
    this.#options = options;
    this.#app = createApp(library, options.tls);
    this.#routeSockets();
    this.#app.any('/*', (res, req) => this.#onRequest(res, req));
  }

  get inFlight(): number {
    return this.#active.size;
  }

  listen(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      // The declaration lacks this overload; without the flag a second server would share the port in silence.
      const listen = this.#app.listen.bind(this.#app) as unknown as (
        host: string,
        port: number,
        options: number,
        done: (socket: us_listen_socket | false) => void,
      ) => void;
      listen(address, port, this.#library.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
        if (socket === false) {
          reject(new ServerError('PUM_LISTEN_FAILED', { address, port }));
          return;
        }
        this.#listening = socket;
        resolve(this.#library.us_socket_local_port(socket));
      });
    });
  }

  stopListening(): void {
    if (this.#listening !== null) this.#library.us_listen_socket_close(this.#listening);
    this.#listening = null;
  }

  close(): void {
    this.stopListening();
    for (const res of [...this.#active]) res.close();
    for (const socket of [...this.#sockets]) socket.terminate();
  }

  #onRequest(res: HttpResponse, req: HttpRequest): void {
    const line = requestLine(req);
    const headers = headerBlock(req);
    const exchange = this.#exchange(res, line);
    // Binding: without it the library ends the process when a handler does not answer at once.
    res.onAborted(() => exchange.abandon());
    const refused = refusal(line, headers, this.#options.maxBody);
    if (refused !== null) {
      exchange.fail(refused, headers.bodyLength !== 0);
      return;
    }
    const remoteAddress = peerAddress(new Uint8Array(res.getRemoteAddress()));
    if (headers.bodyLength === 0) {
      exchange.handle(exchange.request(headers.fields, EMPTY, remoteAddress));
      return;
    }
    const body = new BodyBuffer(this.#options.maxBody);
    res.onData((chunk, isLast) => {
      if (exchange.over) return;
      if (!body.append(new Uint8Array(chunk))) {
        exchange.fail(new ServerError('PUM_HTTP_BODY_TOO_LARGE', { limit: this.#options.maxBody }), true);
      } else if (isLast) {
        exchange.handle(exchange.request(headers.fields, body.bytes(), remoteAddress));
      }
    });
  }

  #exchange(res: HttpResponse, line: RequestLine): Exchange {
    this.#active.add(res);
    return new Exchange(this.#handlers, this.#options.clock, line, {
      write: (reply, close) => res.cork(() => writeReply(res, reply, line.method === 'HEAD', close)),
      release: () => this.#active.delete(res),
    });
  }

  #routeSockets(): void {
    const { maxMessage, maxOutbox } = this.#options;
    this.#app.ws<SocketRecord<T>>('/*', {
      // A message above the library's ceiling is cut without a close frame; between the two it gets 1009.
      maxPayloadLength: maxMessage * 2,
      // Ours is kept by UwsSocket; what reaches this one as well must not be dropped in silence.
      maxBackpressure: maxOutbox * 2,
      closeOnBackpressureLimit: 1,
      compression: this.#library.DISABLED,
      // The session layer pings and decides who is gone.
      idleTimeout: 0,
      sendPingsAutomatically: false,
      maxLifetime: 0,
      upgrade: (res, req, context) => this.#onUpgrade(res, req, context),
      open: (ws) => {
        const record = ws.getUserData();
        record.socket = new UwsSocket(ws, record.data, record.remoteAddress, maxOutbox);
        this.#sockets.add(record.socket);
        this.#handlers.open(record.socket);
      },
      message: (ws, message, isBinary) => {
        const { socket } = ws.getUserData();
        if (socket === null || !socket.isOpen) return;
        if (isBinary) socket.close(1003, 'text messages only');
        else if (message.byteLength > maxMessage) socket.close(1009, `more than ${maxMessage} bytes`);
        else this.#handlers.message(socket, Buffer.from(message).toString('utf8'));
      },
      pong: (ws) => {
        const { socket } = ws.getUserData();
        if (socket?.isOpen === true) this.#handlers.pong(socket);
      },
      close: (ws, code, message) =>
        this.#onClose(ws.getUserData(), code, Buffer.from(message).toString('utf8')),
    });
  }

  #onUpgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    if (req.getHeader('upgrade').toLowerCase() !== 'websocket') {
      req.setYield(true);
      return;
    }
    const line = requestLine(req);
    const headers = headerBlock(req);
    const exchange = this.#exchange(res, line);
    const remoteAddress = peerAddress(new Uint8Array(res.getRemoteAddress()));
    try {
      const refused = upgradeRefusal(line, headers);
      if (refused !== null) throw refused;
      const decision = this.#handlers.upgrade(exchange.request(headers.fields, EMPTY, remoteAddress));
      if (decision.kind === 'refuse') {
        exchange.answer(decision.reply, false);
        return;
      }
      exchange.upgraded();
      // The status has to be written before the first header, or the library begins a 200.
      res.writeStatus('101 Switching Protocols');
      for (const [name, value] of Object.entries(decision.headers)) res.writeHeader(name, value);
      const record: SocketRecord<T> = { data: decision.data, remoteAddress, socket: null };
      // No subprotocol and no extension (so no compression) is agreed on.
      res.upgrade(record, req.getHeader('sec-websocket-key'), '', '', context);
    } catch (error) {
      if (exchange.over) throw error;
      exchange.fail(error, headers.bodyLength !== 0);
    }
  }

  #onClose({ socket }: SocketRecord<T>, code: number, reason: string): void {
    if (socket === null) return;
    this.#sockets.delete(socket);
    const report = () => this.#handlers.close(socket, code, reason, code !== 1006);
    // The library reports from inside our own end() and close().
    if (socket.ended()) report();
    else queueMicrotask(report);
  }
}

function createApp(library: Library, tls: TlsOptions | null): TemplatedApp {
  if (tls === null) return library.App();
  try {
    return library.SSLApp({
      cert_file_name: tls.certificateFile,
      key_file_name: tls.keyFile,
      ...(tls.passphrase === null ? {} : { passphrase: tls.passphrase }),
    });
  } catch (error) {
    const reason = `The certificate ${tls.certificateFile} and key ${tls.keyFile} cannot be used`;
    throw new ServerError('PUM_CONFIG_INVALID', { reason }, error);
  }
}

function requestLine(req: HttpRequest): RequestLine {
  // Without a question mark the query is undefined, whatever the declaration says.
  const query = req.getQuery() as string | undefined;
  return { method: req.getCaseSensitiveMethod(), path: req.getUrl(), query: query ?? '' };
}

function headerBlock(req: HttpRequest): HeaderBlock {
  const block = new HeaderBlock();
  req.forEach((name, value) => block.add(name, inBytes(req, block, name, value)));
  return block;
}

const NOT_ASCII = /[^\0-\x7f]/;

/** A header value with one character for each byte; forEach decodes UTF-8, getHeader does not. */
function inBytes(req: HttpRequest, block: HeaderBlock, name: string, value: string): string {
  if (!NOT_ASCII.test(value)) return value;
  // getHeader knows the first field of a name only.
  return block.fields.has(name) ? Buffer.from(value, 'utf8').toString('latin1') : req.getHeader(name);
}

function writeReply(res: HttpResponse, reply: Reply, isHead: boolean, close: boolean): void {
  res.writeStatus(`${reply.status} ${reasonPhrase(reply.status)}`);
  for (const [name, value] of Object.entries(reply.headers)) res.writeHeader(name, value);
  if (reply.status === 204) {
    res.endWithoutBody();
  } else if (isHead) {
    // A length given to endWithoutBody leaves the library waiting for the body.
    res.writeHeader('Content-Length', String(Buffer.byteLength(reply.body)));
    res.endWithoutBody();
  } else {
    res.end(reply.body, close);
  }
}
