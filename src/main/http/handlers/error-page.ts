// GET /error, the path Spring forwards its own failures to; asked directly it says that there was none
// (lavalink-v4.md §1.5). Main thread.
import type { Reply } from '../engine.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function errorPage({ node }: RouteCall): Reply {
  const timestamp = node.clock.wall();
  return json({ timestamp, status: 999, error: 'None', message: 'No message available' }, 500);
}
