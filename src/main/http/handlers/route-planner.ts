// The route planner's endpoints (lavalink-v4.md §1.3). This build has no planner, so they answer as Lavalink
// does without one. Main thread.
import { ServerError } from '../../../shared/errors.js';
import { jsonBody } from '../body.js';
import type { Reply } from '../engine.js';
import { field, readObject, readString } from '../json-fields.js';
import { empty } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function routePlannerStatus(): Reply {
  return empty(204);
}

/** The body is read first, as in Lavalink: a malformed one is 400. */
export function freeAddress({ request }: RouteCall): Reply {
  readString(field(readObject(jsonBody(request), 'the body'), 'address'), 'address');
  return freeAll();
}

export function freeAll(): Reply {
  throw new ServerError('PUM_ROUTE_PLANNER');
}
