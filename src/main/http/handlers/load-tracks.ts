// GET /v4/loadtracks: what an identifier stands for. A failed load is an answer, not an error status
// (lavalink-v4.md §1.3). Main thread; the loading itself happens in the loader pool.
import { ServerError } from '../../../shared/errors.js';
import type { LoadOutcome } from '../../../shared/load.js';
import { decodeTrack } from '../../../shared/track-token.js';
import { loadIdentifier } from '../../load.js';
import { trackJson } from '../../player-json.js';
import { exceptionJson } from '../../ws/exception.js';
import type { Reply } from '../engine.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export async function loadTracks({ node, query, request }: RouteCall): Promise<Reply> {
  const identifier = query.get('identifier');
  if (identifier === null) throw new ServerError('PUM_HTTP_PARAMETER', { name: 'identifier' });
  return json(await resultOf(() => loadIdentifier(node, identifier, request.signal)));
}

async function resultOf(load: () => Promise<LoadOutcome>): Promise<object> {
  try {
    return resultJson(await load());
  } catch (error) {
    if (error instanceof ServerError && error.code === 'PUM_LOAD_DEADLINE') return failed(error);
    throw error;
  }
}

/** Field order is the protocol's. */
export function resultJson(outcome: LoadOutcome): object {
  switch (outcome.kind) {
    case 'track':
      return { loadType: 'track', data: trackOf(outcome.token) };
    case 'playlist':
      return {
        loadType: 'playlist',
        data: {
          info: { name: outcome.name, selectedTrack: outcome.selected },
          pluginInfo: {},
          tracks: outcome.tokens.map(trackOf),
        },
      };
    case 'search':
      // A search without a result is `empty`, never a search of nothing.
      if (outcome.tokens.length === 0) return { loadType: 'empty', data: null };
      return { loadType: 'search', data: outcome.tokens.map(trackOf) };
    case 'empty':
      return { loadType: 'empty', data: null };
    case 'error':
      return failed(ServerError.fromShape(outcome.error));
  }
}

/** Lavalink wraps every failure in one text; what it was stands in `cause` and `causeStackTrace`. */
function failed(cause: ServerError): object {
  return { loadType: 'error', data: exceptionJson(new ServerError('PUM_LOAD_FAILED', {}, cause)) };
}

function trackOf(token: string): object {
  return trackJson(token, decodeTrack(token));
}
