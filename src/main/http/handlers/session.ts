// PATCH /v4/sessions/{session}: whether and how long the session waits for its client's return
// (lavalink-v4.md §1.3). Main thread.
import { jsonBody } from '../body.js';
import type { Reply } from '../engine.js';
import { field, readBoolean, readLong, readObject } from '../json-fields.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function patchSession({ params, request, sessions }: RouteCall): Reply {
  const body = readObject(jsonBody(request), 'the body');
  const resuming = field(body, 'resuming');
  const timeout = field(body, 'timeout');
  const wanted = resuming === undefined ? null : readBoolean(resuming, 'resuming');
  const seconds = timeout === undefined ? null : readLong(timeout, 'timeout');
  const session = sessions.find(params['session'] ?? '');
  if (wanted !== null) session.resuming = wanted;
  if (seconds !== null) session.setTimeout(seconds);
  return json({ resuming: session.resuming, timeout: session.timeout });
}
