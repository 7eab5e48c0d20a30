// The one table of what this server answers over HTTP (lavalink-v4.md §1.2), and the search in it. The
// template of a route is also its label in the metrics. Handlers are in handlers/; main thread.
import { VOICE } from '../../shared/limits.js';
import type { Node } from '../node.js';
import type { SessionRegistry } from '../session-registry.js';
import type { Metrics } from '../metrics.js';
import type { Method, Reply, Request } from './engine.js';
import { decodeOne, decodeMany } from './handlers/decode-tracks.js';
import { getQuality, getWhySilent } from './handlers/diagnosis.js';
import { errorPage } from './handlers/error-page.js';
import { live, ready } from './handlers/health.js';
import { info } from './handlers/info.js';
import { loadTracks } from './handlers/load-tracks.js';
import { metricsPage } from './handlers/metrics.js';
import { deletePlayer, getPlayer, listPlayers, patchPlayerRoute } from './handlers/players.js';
import { freeAddress, freeAll, routePlannerStatus } from './handlers/route-planner.js';
import { patchSession } from './handlers/session.js';
import { stats } from './handlers/stats.js';
import { oldEndpoint, version } from './handlers/version.js';
import { WEBSOCKET_PATH, plainWebSocketRequest } from './handlers/websocket.js';

/** What a handler is given: the request taken apart, and the node. */
export interface RouteCall {
  readonly request: Request;
  /** Path parameters by name, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly node: Node;
  readonly sessions: SessionRegistry;
}

export type Handler = (call: RouteCall) => Reply | Promise<Reply>;

export interface Route {
  readonly method: Method;
  /** Path with `{name}` for a parameter. */
  readonly template: string;
  readonly auth: 'password' | 'none';
  /** Milliseconds for the handler as a whole. */
  readonly deadline: number;
  readonly handler: Handler;
}

/** What the outermost deadline allows beyond those of the parts, so that theirs speak first. */
const SLACK = 200;

/** `metrics` is null where they are switched off: their path is then not there. */
export function createRoutes(node: Node, metrics: Metrics | null): readonly Route[] {
  const { commandDeadline, loadDeadline, metrics: page } = node.settings;
  const command = commandDeadline + SLACK;
  const load = loadDeadline + SLACK;
  // Voice, then a load, then the play command; or a player of that guild on its way out before it.
  const change = VOICE.answerDeadline + loadDeadline + 2 * commandDeadline + SLACK;
  const route = (method: Method, template: string, handler: Handler, deadline = command): Route => {
    return { method, template, handler, deadline, auth: 'password' };
  };
  const open = (template: string, handler: Handler): Route => {
    return { method: 'GET', template, handler, deadline: command, auth: 'none' };
  };
  const sessions = '/v4/sessions/{session}';
  const ours = '/pumice/v1/sessions/{session}/players/{guild}';
  const table = [
    route('GET', '/version', version),
    route('GET', '/', oldEndpoint),
    route('GET', '/v3/websocket', oldEndpoint),
    route('GET', WEBSOCKET_PATH, plainWebSocketRequest),
    route('GET', '/v4/info', info(node)),
    route('GET', '/v4/stats', stats),
    route('GET', '/v4/loadtracks', loadTracks, load),
    route('GET', '/v4/decodetrack', decodeOne),
    route('POST', '/v4/decodetracks', decodeMany),
    route('PATCH', sessions, patchSession),
    route('GET', `${sessions}/players`, listPlayers),
    route('GET', `${sessions}/players/{guild}`, getPlayer),
    route('PATCH', `${sessions}/players/{guild}`, patchPlayerRoute, change),
    route('DELETE', `${sessions}/players/{guild}`, deletePlayer, command + commandDeadline),
    route('GET', '/v4/routeplanner/status', routePlannerStatus),
    route('POST', '/v4/routeplanner/free/address', freeAddress),
    route('POST', '/v4/routeplanner/free/all', freeAll),
    route('GET', `${ours}/quality`, getQuality),
    route('GET', `${ours}/why-silent`, getWhySilent),
    open('/pumice/v1/health/live', live),
    open('/pumice/v1/health/ready', ready),
    open('/error', errorPage),
  ];
  if (metrics !== null) {
    const handler = metricsPage(metrics);
    table.push(page.anonymous ? open(page.path, handler) : route('GET', page.path, handler));
  }
  return table;
}
