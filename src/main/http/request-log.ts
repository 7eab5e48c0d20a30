// One line of the log for each request, as Lavalink writes it (lavalink-v4.md §5.2, `logging.request.*`). What a
// request may carry of secrets is masked: password headers, voice tokens and voice session ids. Called by
// server.ts on the main thread; it only writes to the log.
import { writeJson } from '../../shared/json.js';
import type { Log } from '../log.js';
import type { Request } from './engine.js';
import { readExactJson } from './exact-json.js';

export interface RequestLogSettings {
  readonly enabled: boolean;
  /** A further line before the request is handled. */
  readonly before: boolean;
  readonly client: boolean;
  readonly headers: boolean;
  readonly query: boolean;
  readonly payload: boolean;
  /** Characters of a payload that are written. */
  readonly maxPayload: number;
}

type Logged = Pick<Request, 'method' | 'path' | 'query' | 'headers' | 'body' | 'remoteAddress'>;

const MASK = '***';
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);
/** Keys of a body, at any depth, whose values are never written. */
const SECRET_KEYS: ReadonlySet<string> = new Set(['token', 'sessionId']);
/** A longer body is not taken apart for the log, so nothing of it is written. Bytes. */
const MAX_MASKED = 64 * 1024;
/** Probes come every few seconds and say nothing. */
const HEALTH = '/pumice/v1/health/';

export class RequestLog {
  readonly #log: Log;
  readonly #settings: RequestLogSettings;

  constructor(log: Log, settings: RequestLogSettings) {
    this.#log = log.child('request');
    this.#settings = settings;
  }

  before(request: Logged): void {
    if (this.#settings.before && this.#isLogged(request)) this.#log.info(`>> ${this.#text(request)}`);
  }

  /** `status` is that of the answer; 101 for one that became a WebSocket. */
  after(request: Logged, status: number): void {
    if (this.#isLogged(request)) this.#log.info(this.#text(request), { status });
  }

  #isLogged({ path }: Logged): boolean {
    return this.#settings.enabled && !path.startsWith(HEALTH);
  }

  #text(request: Logged): string {
    const { client, headers, query, payload, maxPayload } = this.#settings;
    let text = `${request.method} ${request.path}`;
    if (query && request.query !== '') text += `?${request.query}`;
    if (client) text += `, client=${request.remoteAddress}`;
    if (headers) text += `, headers=[${headersText(request.headers)}]`;
    if (payload && maxPayload > 0 && request.body.length > 0) {
      text += `, payload=${payloadText(request.body).slice(0, maxPayload)}`;
    }
    return text;
  }
}

function headersText(headers: ReadonlyMap<string, string>): string {
  return [...headers]
    .map(([name, value]) => `${name}:"${SECRET_HEADERS.has(name) ? MASK : value}"`)
    .join(', ');
}

/** Written again from its parts, so that no spelling of a key hides a secret. */
function payloadText(body: Uint8Array): string {
  if (body.length > MAX_MASKED) return `(${body.length} bytes)`;
  try {
    return writeJson(masked(readExactJson(body)));
  } catch {
    return `(${body.length} bytes that are no JSON)`;
  }
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, SECRET_KEYS.has(key) ? MASK : masked(part)]),
  );
}
