// Follows redirects ourselves, so that every hop passes the guard like the first URL. Used by http-target.ts
// and http-source.ts. Nothing secret is ever sent (no cookies, no Authorization), so crossing to another
// origin has nothing to drop.

import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import type { HttpAnswer, HttpClient } from './http.js';
import { headerOf } from './http-headers.js';

export interface Located {
  readonly answer: HttpAnswer;
  /** Where the answer really came from. */
  readonly url: URL;
}

/** 308 is an error in Lavalink; it is meant like 307, so it is followed here. */
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * The first answer that is no redirect, whatever its status. Rejects with PUM_SOURCE_REDIRECTS after too many
 * hops or in a circle, as the guard does for a hop it refuses, or as HttpClient.exchange does.
 */
export async function follow(
  client: HttpClient,
  from: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Located> {
  const visited = new Set<string>();
  let url = client.guard.checkUrl(from);
  for (;;) {
    visited.add(url.href);
    const answer = await client.exchange(url, headers, signal);
    const location = REDIRECTS.includes(answer.status) ? headerOf(answer.headers, 'location') : null;
    if (location === null) return { answer, url };
    answer.body.close();
    if (!URL.canParse(location, url.href)) throw new ServerError('PUM_SOURCE_URL');
    url = client.guard.checkUrl(new URL(location, url).href);
    // The fragment is the browser's business and never sent.
    url.hash = '';
    if (visited.has(url.href)) throw tooMany(`circle back to hop ${[...visited].indexOf(url.href) + 1}`);
    if (visited.size > SOURCE.maxRedirects) throw tooMany(`${visited.size} hops`);
  }
}

function tooMany(what: string): ServerError {
  return new ServerError('PUM_SOURCE_REDIRECTS', { limit: SOURCE.maxRedirects }, what);
}
