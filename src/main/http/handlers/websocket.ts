// The WebSocket's path: what an upgrade request has to bring (lavalink-v4.md §2.1), and what a plain request
// for the path gets. Nothing here has an effect: a session begins only when the socket is open. Main thread.
import type { Reply, Request } from '../engine.js';
import { snowflake } from '../path-values.js';
import { empty, text } from '../reply.js';
import type { Connection } from '../../ws/connection.js';

export const WEBSOCKET_PATH = '/v4/websocket';

/** Longest Client-Name that is kept, for the log. */
const MAX_CLIENT_NAME = 128;

export function plainWebSocketRequest(): Reply {
  return text('Can "Upgrade" only to "WebSocket".', 400);
}

/** Who the client says it is, or the reply that refuses it. The password has been checked before. */
export function connectionOf(request: Pick<Request, 'header'>): Connection | Reply {
  const user = request.header('user-id')?.trim() ?? '';
  const id = snowflake(user);
  if (user === '' || id === '0') return empty(400);
  if (isForeign(request.header('origin'), request.header('host'))) return empty(403);
  return {
    user: id,
    clientName: (request.header('client-name') ?? 'unknown').slice(0, MAX_CLIENT_NAME),
    resume: request.header('session-id'),
    session: null,
  };
}

/** A browser's page of another host must not open a session with a password it was given. */
function isForeign(origin: string | null, host: string | null): boolean {
  if (origin === null) return false;
  try {
    return new URL(origin).host !== new URL(`${new URL(origin).protocol}//${host ?? ''}`).host;
  } catch {
    return true;
  }
}
