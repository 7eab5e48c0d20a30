// GET /v4/decodetrack and POST /v4/decodetracks: tokens taken apart, each echoed as it was given
// (lavalink-v4.md §1.2, §1.3). Main thread.
import { ServerError } from '../../../shared/errors.js';
import { TRACK } from '../../../shared/limits.js';
import { decodeTrack } from '../../../shared/track-token.js';
import { trackJson } from '../../player-json.js';
import { jsonBody } from '../body.js';
import type { Reply } from '../engine.js';
import { readArray, readString, refuse } from '../json-fields.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function decodeOne({ query }: RouteCall): Reply {
  const given = query.get('encodedTrack') ?? query.get('track');
  if (given === null) {
    throw new ServerError('PUM_HTTP_BAD_REQUEST', { reason: 'No track to decode provided' });
  }
  // A plus sign that the client did not percent-encode arrives as a space, which base64 does not have.
  return json(decoded(given.replaceAll(' ', '+')));
}

export function decodeMany({ request }: RouteCall): Reply {
  const tokens = readArray(jsonBody(request), 'the body').map((token, index) => {
    return readString(token, `[${index}]`);
  });
  if (tokens.length === 0) {
    throw new ServerError('PUM_HTTP_BAD_REQUEST', { reason: 'No tracks to decode provided' });
  }
  if (tokens.length > TRACK.maxTokensPerRequest) {
    throw refuse('the body', `must not hold more than ${TRACK.maxTokensPerRequest} tracks`);
  }
  return json(tokens.map(decoded));
}

function decoded(token: string): object {
  return trackJson(token, decodeTrack(token));
}
