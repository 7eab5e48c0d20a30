// GET /v4/stats: the node as a whole, so without frame statistics (lavalink-v4.md §1.3). Main thread.
import type { Reply } from '../engine.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function stats({ node }: RouteCall): Reply {
  return json(node.stats.report(null));
}
