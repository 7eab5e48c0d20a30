// The part of the configuration that concerns the sources, as they take it. Used by a shard's entry and by
// loader-entry.ts; reads nothing by itself.

import { SOURCE } from '../../shared/limits.js';
import type { SourceName } from '../../shared/sources.js';
import type { HttpTimeouts } from './http.js';

/** Which sources are on, where local files lie, how long an origin may take. */
export interface SourceSettings extends Readonly<Record<SourceName, boolean>> {
  /** Folder of the local source; relative to the working directory. */
  readonly localRoot: string;
  readonly timeouts: HttpTimeouts;
}

/** The keys read here; ShardConfig has them all. */
export interface SourceConfig {
  readonly 'lavalink.server.sources.http': boolean;
  readonly 'lavalink.server.sources.local': boolean;
  readonly 'pumice.sources.localRoot': string;
  readonly 'lavalink.server.timeouts.connectTimeoutMs': number;
  readonly 'lavalink.server.timeouts.socketTimeoutMs': number;
}

export const DEFAULT_TIMEOUTS: HttpTimeouts = {
  connect: SOURCE.connectTimeout,
  firstByte: SOURCE.firstByteTimeout,
  idle: SOURCE.idleTimeout,
};

export function sourceSettings(config: SourceConfig): SourceSettings {
  const silence = config['lavalink.server.timeouts.socketTimeoutMs'];
  return {
    http: config['lavalink.server.sources.http'],
    local: config['lavalink.server.sources.local'],
    localRoot: config['pumice.sources.localRoot'],
    // Lavalink's socket timeout is any silence of the origin, before the first byte as well.
    timeouts: {
      connect: config['lavalink.server.timeouts.connectTimeoutMs'],
      firstByte: silence,
      idle: silence,
    },
  };
}
