// GET /version, and the endpoints of Lavalink before version 4 (lavalink-v4.md §1.2). Main thread.
import { LAVALINK_VERSION } from '../../version.js';
import type { Reply } from '../engine.js';
import { empty, text } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function version(): Reply {
  return text(LAVALINK_VERSION.semver);
}

/** Answers like Lavalink and tells the operator which client is too old. */
export function oldEndpoint({ node, request }: RouteCall): Reply {
  node.log.warn('a client asked for an endpoint of an older protocol; it has to use /v4/websocket', {
    path: request.path,
  });
  return empty(200);
}
