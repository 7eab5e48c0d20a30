// The checks a request has to pass before its body is read or a handler sees it, the same for every engine:
// method, target, path segments, header block, announced length (reliability.md cases 22 and 24). Main
// thread; looks at what the engine parsed and changes nothing.
import { ServerError } from '../../shared/errors.js';
import { EDGE } from '../../shared/limits.js';
import type { Method, RequestLine } from './engine.js';

const METHODS: ReadonlySet<string> = new Set<Method>([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);

export function isMethod(method: string): method is Method {
  return METHODS.has(method);
}

/** Header fields as the engine collects them. */
export class HeaderBlock {
  readonly fields = new Map<string, string>();
  #bytes = 0;
  #count = 0;
  #lengths: string | null = null;
  #lengthsDiffer = false;

  /** Takes one field; `name` in lower case. Joins repeated ones, but keeps the first `authorization`. */
  add(name: string, value: string): void {
    this.#count++;
    this.#bytes += name.length + value.length + 4; // ": " and CRLF
    if (name === 'content-length') {
      this.#lengthsDiffer ||= this.#lengths !== null && this.#lengths !== value;
      this.#lengths = value;
    }
    const before = this.fields.get(name);
    if (before === undefined) this.fields.set(name, value);
    else if (name !== 'authorization' && name !== 'content-length')
      this.fields.set(name, `${before}, ${value}`);
  }

  get tooLarge(): boolean {
    return this.#bytes > EDGE.maxHeaders || this.#count > EDGE.maxHeaderCount;
  }

  /** Announced length of the body; 0 when there is none, null when it comes in chunks, NaN when broken. */
  get bodyLength(): number | null {
    if (this.#lengthsDiffer) return NaN;
    if (this.#lengths !== null) return /^\d{1,15}$/.test(this.#lengths) ? Number(this.#lengths) : NaN;
    return this.fields.has('transfer-encoding') ? null : 0;
  }
}

/** What is wrong with a request as far as its header block tells, or null. */
export function refusal(line: RequestLine, headers: HeaderBlock, maxBody: number): ServerError | null {
  const target = line.path.length + (line.query === '' ? 0 : 1 + line.query.length);
  if (target > EDGE.maxUrl) return new ServerError('PUM_HTTP_URL_TOO_LONG', { limit: EDGE.maxUrl });
  if (headers.tooLarge) return new ServerError('PUM_HTTP_HEADERS_TOO_LARGE');
  if (!isMethod(line.method)) return new ServerError('PUM_HTTP_METHOD', { method: line.method });
  if (hasLongSegment(line.path)) {
    return badRequest(`A path segment is longer than ${EDGE.maxPathSegment} bytes`);
  }
  const length = headers.bodyLength;
  if (Number.isNaN(length)) return badRequest('Content-Length is not a single whole number');
  if (length !== null && length > maxBody)
    return new ServerError('PUM_HTTP_BODY_TOO_LARGE', { limit: maxBody });
  return null;
}

/** What is wrong with a request for a WebSocket, or null; it has no body (RFC 6455 §4.2.1). */
export function upgradeRefusal(line: RequestLine, headers: HeaderBlock): ServerError | null {
  const refused = refusal(line, headers, 0);
  if (refused !== null) return refused;
  return headers.fields.get('sec-websocket-version') === '13'
    ? null
    : badRequest('Sec-WebSocket-Version must be 13');
}

function badRequest(reason: string): ServerError {
  return new ServerError('PUM_HTTP_BAD_REQUEST', { reason });
}

function hasLongSegment(path: string): boolean {
  for (let start = 0; start < path.length;) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    if (end - start > EDGE.maxPathSegment) return true;
    start = end + 1;
  }
  return false;
}
