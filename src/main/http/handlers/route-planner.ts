// The route planner's endpoints (lavalink-v4.md §1.3). This build has no planner, so they answer as Lavalink
// does without one. Main thread.
import { ServerError } from '../../../shared/errors.js';
import type { Reply } from '../engine.js';
import { empty } from '../reply.js';

export function routePlannerStatus(): Reply {
  return empty(204);
}

export function freeAddress(): Reply {
  throw new ServerError('PUM_ROUTE_PLANNER');
}
