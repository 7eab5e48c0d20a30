// Takes a request's JSON body, as Spring does before a controller runs (lavalink-v4.md §1.1): a wrong or
// missing Content-Type is 415, an empty or broken body 400. Pure; called by the handlers on the main thread.
import { ServerError } from '../../shared/errors.js';
import type { Request } from './engine.js';
import { readExactJson } from './exact-json.js';

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/i;

/** Throws PUM_HTTP_MEDIA_TYPE or PUM_HTTP_BAD_REQUEST. */
export function jsonBody(request: Pick<Request, 'header' | 'body'>): unknown {
  const type = request.header('content-type') ?? '';
  if (!JSON_TYPE.test(type.split(';', 1)[0]?.trim() ?? '')) {
    throw new ServerError('PUM_HTTP_MEDIA_TYPE', { type: type.replace(/[^\x20-\x7e]/g, '?') });
  }
  if (request.body.length === 0) throw new ServerError('PUM_HTTP_BAD_REQUEST', { reason: 'Bad Request' });
  return readExactJson(request.body);
}
