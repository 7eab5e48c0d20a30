// Reason phrases of the HTTP statuses this server sends, for the status line and for the `error` field of an
// error body (lavalink-v4.md §1.1). Main thread; a table only.

const PHRASES: Readonly<Record<number, string>> = {
  101: 'Switching Protocols',
  200: 'OK',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** The phrase that belongs to a status, or `Status N` for one this server does not know. */
export function reasonPhrase(status: number): string {
  return PHRASES[status] ?? `Status ${status}`;
}
