// The part of the configuration that the main thread's own code needs, by names of its own, so that the
// catalogue's paths stand in one file. Made once at start from the checked values.
import type { ConfigValues } from '../shared/config.js';
import type { FilterName } from '../shared/filters.js';
import { FILTER_NAMES } from '../shared/filters.js';
import { enabledSources, type SourceName } from '../shared/sources.js';
import type { RequestLogSettings } from './http/request-log.js';
import type { ResumeLimits } from './ws/resume-queue.js';

/** Times are milliseconds, sizes bytes; a ceiling of 0 means none. */
export interface Settings {
  readonly password: string;
  readonly sources: readonly SourceName[];
  readonly filterSwitches: Readonly<Record<FilterName, boolean>>;
  /** Names of plugin filters that are switched off. */
  readonly pluginFiltersOff: ReadonlySet<string>;
  readonly voiceEndpoints: readonly string[];
  readonly playerUpdateInterval: number;
  readonly maxPlayersPerSession: number;
  readonly maxTotalPlayers: number;
  readonly commandDeadline: number;
  readonly loadDeadline: number;
  /** Outermost deadline of any request. */
  readonly requestDeadline: number;
  readonly resume: ResumeLimits;
  /** Longest time a session may be away, in seconds. */
  readonly maxResumeTimeout: number;
  readonly maxOutbox: number;
  readonly pingInterval: number;
  readonly pongTimeout: number;
  readonly shutdownTimeout: number;
  readonly requestLog: RequestLogSettings;
  readonly metrics: { readonly enabled: boolean; readonly path: string; readonly anonymous: boolean };
}

const DEFAULT_METRICS_PATH = '/metrics';

export function settingsFrom(values: ConfigValues): Settings {
  const endpoint = values['metrics.prometheus.endpoint'];
  return {
    password: values['lavalink.server.password'] ?? '',
    sources: enabledSources({
      local: values['lavalink.server.sources.local'],
      http: values['lavalink.server.sources.http'],
    }),
    filterSwitches: Object.fromEntries(
      FILTER_NAMES.map((name) => [name, values[`lavalink.server.filters.${name}`]]),
    ) as Record<FilterName, boolean>,
    pluginFiltersOff: switchedOff(values['lavalink.server.filters']),
    voiceEndpoints: values['pumice.voice.endpoints'],
    playerUpdateInterval: values['lavalink.server.playerUpdateInterval'],
    maxPlayersPerSession: values['pumice.limits.maxPlayersPerSession'],
    maxTotalPlayers: values['pumice.limits.maxTotalPlayers'],
    commandDeadline: values['pumice.http.commandDeadline'],
    loadDeadline: values['pumice.http.loadDeadline'],
    requestDeadline: values['server.http.requestTimeout'],
    resume: { maxEvents: values['pumice.resume.maxEvents'], maxBytes: values['pumice.resume.maxBytes'] },
    maxResumeTimeout: Math.floor(values['pumice.resume.maxTimeout'] / 1_000),
    maxOutbox: values['pumice.websocket.maxOutbox'],
    pingInterval: values['server.websocket.pingInterval'],
    pongTimeout: values['server.websocket.pongTimeout'],
    shutdownTimeout: values['pumice.shutdown.timeout'],
    requestLog: {
      enabled: values['logging.request.enabled'],
      before: values['logging.request.beforeRequest'],
      client: values['logging.request.includeClientInfo'],
      headers: values['logging.request.includeHeaders'],
      query: values['logging.request.includeQueryString'],
      payload: values['logging.request.includePayload'],
      maxPayload: values['logging.request.maxPayloadLength'],
    },
    metrics: {
      enabled: values['metrics.prometheus.enabled'],
      path: endpoint ?? DEFAULT_METRICS_PATH,
      // Lavalink's rule: without a password only where the path was given explicitly.
      anonymous: endpoint !== null,
    },
  };
}

function switchedOff(tree: unknown): ReadonlySet<string> {
  if (typeof tree !== 'object' || tree === null) return new Set();
  return new Set(
    Object.entries(tree)
      .filter(([, value]) => value === false || value === 'false')
      .map(([name]) => name),
  );
}
