// What this server does with every request and socket, whichever engine brings it: password, routing, the
// rendering of errors, deadlines, the request log and count. Everything a client can notice follows
// lavalink-v4.md §1 and §2.1. Main thread.
import { ServerError } from '../../shared/errors.js';
import { EDGE } from '../../shared/limits.js';
import type { Node } from '../node.js';
import type { SessionRegistry } from '../session-registry.js';
import type { Metrics } from '../metrics.js';
import { API_VERSION } from '../version.js';
import type { Connection } from '../ws/connection.js';
import type { EngineHandlers, Reply, Request, RequestLine, Socket, UpgradeDecision } from './engine.js';
import { errorReply, type ErrorRendering } from './error-body.js';
import { connectionOf, WEBSOCKET_PATH } from './handlers/websocket.js';
import type { PasswordGuard } from './password.js';
import { empty, text } from './reply.js';
import { isMethod } from './request-ceilings.js';
import { RequestLog } from './request-log.js';
import { Router } from './router.js';
import { createRoutes, type Route } from './routes.js';

export interface HttpServerOptions {
  readonly node: Node;
  readonly sessions: SessionRegistry;
  readonly metrics: Metrics | null;
  readonly password: PasswordGuard;
  readonly errors: ErrorRendering;
}

/** Seconds after which a client that was turned away for load may try again. */
const RETRY_AFTER = 1;

export class HttpServer implements EngineHandlers<Connection> {
  readonly #options: HttpServerOptions;
  readonly #router: Router;
  readonly #log: RequestLog;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#router = new Router(createRoutes(options.node, options.metrics));
    this.#log = new RequestLog(options.node.log, options.node.settings.requestLog);
  }

  request(request: Request): Reply | Promise<Reply> {
    this.#log.before(request);
    const logged = (reply: Reply): Reply => {
      this.#log.after(request, reply.status);
      return reply;
    };
    const reply = this.#answer(request);
    return reply instanceof Promise ? reply.then(logged) : logged(reply);
  }

  #answer(request: Request): Reply | Promise<Reply> {
    try {
      const reply = this.#route(request);
      if (!(reply instanceof Promise)) return marked(reply);
      return reply.then(marked, (error: unknown) => this.failure(error, request));
    } catch (error) {
      return this.failure(error, request);
    }
  }

  failure(thrown: unknown, request: RequestLine): Reply {
    const known = thrown instanceof ServerError;
    const reason = thrown instanceof Error ? thrown.name : 'unknown';
    const error = ServerError.from(thrown, 'PUM_HTTP_INTERNAL', { reason });
    if (!known) {
      this.#options.node.log.error('a request failed unexpectedly', {
        method: request.method,
        route: this.#router.label(request.path),
        chain: error.chain().join(' <- '),
      });
    }
    const reply = errorReply(error, request, this.#options.errors);
    if (error.status !== 429 && error.status !== 503) return marked(reply);
    const seconds = error.code === 'PUM_AUTH_THROTTLED' ? EDGE.guessPenalty / 1_000 : RETRY_AFTER;
    return marked({ ...reply, headers: { ...reply.headers, 'Retry-After': String(seconds) } });
  }

  deadline(request: RequestLine): number {
    const match = this.#router.find(request.method, request.path);
    const { commandDeadline, requestDeadline } = this.#options.node.settings;
    return Math.min(match.kind === 'route' ? match.route.deadline : commandDeadline, requestDeadline);
  }

  finished(request: RequestLine, status: number, ms: number): void {
    const method = isMethod(request.method) ? request.method : 'other';
    const route = this.#router.label(request.path);
    this.#options.node.tallies.httpRequests.add({ method, route, status: String(status) });
    this.#options.node.log.debug('request', { method, path: request.path, status, ms: Math.round(ms) });
  }

  upgrade(request: Request): UpgradeDecision<Connection> {
    if (request.path !== WEBSOCKET_PATH) return this.#elsewhere(request);
    const given = request.header('authorization');
    if (given === null || !this.#options.password.check(given, request.remoteAddress)) {
      return refuse(empty(401));
    }
    const connection = connectionOf(request);
    if ('status' in connection) return refuse(connection);
    this.#options.node.drain.admit();
    const resumed = this.#options.sessions.canResume(connection.resume, connection.user);
    this.#log.after(request, 101);
    return {
      kind: 'accept',
      data: connection,
      headers: { 'Lavalink-Api-Version': API_VERSION, 'Session-Resumed': String(resumed) },
    };
  }

  open(socket: Socket<Connection>): void {
    this.#options.sessions.open(socket);
  }

  /** Version 4 of the protocol has no messages of clients: ignored, counted, and named once a second. */
  message(socket: Socket<Connection>): void {
    const { node } = this.#options;
    node.tallies.messages.add({ direction: 'in', op: 'other' });
    node.log.warn('a client sent a WebSocket message; version 4 of the protocol has none', {
      client: socket.data.clientName,
    });
  }

  pong(socket: Socket<Connection>): void {
    socket.data.session?.pong();
  }

  close(socket: Socket<Connection>, code: number): void {
    this.#options.sessions.closed(socket, code);
  }

  #route(request: Request): Reply | Promise<Reply> {
    const { method, path } = request;
    if (isPreflight(request)) return text('Invalid CORS request', 403);
    const match = this.#router.find(method, path);
    if (match.kind === 'none') throw new ServerError('PUM_HTTP_NOT_FOUND', { method, path });
    if (match.kind === 'method') {
      const allow = { Allow: match.allowed.join(',') };
      if (method === 'OPTIONS') {
        return this.#authorize(request) ?? { status: 200, headers: allow, body: '' };
      }
      const reply = this.failure(new ServerError('PUM_HTTP_METHOD', { method }), request);
      return { ...reply, headers: { ...reply.headers, ...allow } };
    }
    return this.#handle(request, match.route, match.params);
  }

  #handle(request: Request, route: Route, params: Readonly<Record<string, string>>): Reply | Promise<Reply> {
    const refused = route.auth === 'password' ? this.#authorize(request) : null;
    if (refused) return refused;
    const { node, sessions } = this.#options;
    return route.handler({
      request,
      params,
      query: new URLSearchParams(request.query),
      node,
      sessions,
    });
  }

  /** The reply that refuses the request for its password, or null. */
  #authorize(request: Request): Reply | null {
    const given = request.header('authorization');
    if (given === null) return empty(401);
    return this.#options.password.check(given, request.remoteAddress) ? null : empty(403);
  }

  /** An upgrade on a path that has no WebSocket is answered like the plain request would be, where that is known. */
  #elsewhere(request: Request): UpgradeDecision<Connection> {
    const reply = this.request(request);
    if (!(reply instanceof Promise)) return refuse(reply);
    reply.catch(() => undefined);
    const { method, path } = request;
    return refuse(this.failure(new ServerError('PUM_HTTP_NOT_FOUND', { method, path }), request));
  }
}

function refuse(reply: Reply): UpgradeDecision<Connection> {
  return { kind: 'refuse', reply: marked(reply) };
}

/** Every answer bears the version of the protocol. */
function marked(reply: Reply): Reply {
  return { ...reply, headers: { 'Lavalink-Api-Version': API_VERSION, ...reply.headers } };
}

function isPreflight(request: Request): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.header('origin') !== null &&
    request.header('access-control-request-method') !== null
  );
}
