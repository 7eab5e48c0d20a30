// Keys that pages of naoNao89/Lavalink-rust name and that no program ever read (settings-and-metrics.md §1.5).
// They are unknown here too; the message says where they come from. Main thread, at start only.
import { fold } from './raw.js';

const INVENTED = [
  'rust.audio',
  'rust.debug',
  'rust.docker',
  'rust.filters',
  'rust.logging',
  'rust.metrics',
  'rust.monitoring',
  'rust.platform',
  'rust.ratelimit',
  'rust.storage',
  'rust.testing',
  'rust.memory.maxTrackCache',
  'rust.memory.cacheTtl',
  'rust.memory.cleanupInterval',
  'rust.memory.cleanupThreshold',
  'rust.memory.audioBufferPoolSize',
  'rust.memory.metadataCacheSize',
  'rust.memory.allocationStrategy',
  'rust.memory.deallocationBatchSize',
  'rust.network.connectionPoolSize',
  'rust.network.connectionTimeout',
  'rust.network.requestTimeout',
  'rust.network.keepAlive',
  'rust.network.keepAliveTimeout',
  'rust.network.socketBufferSize',
  'rust.performance.maxBlockingThreads',
  'rust.performance.threadParking',
  'rust.performance.cpuAffinity',
  'server.http2.maxConcurrentStreams',
  'metrics.prometheus.auth',
  'metrics.prometheus.cacheSize',
  'metrics.prometheus.collectionTimeout',
  'metrics.prometheus.labels',
  'logging.async',
  'logging.bufferSize',
  'logging.format',
  'logging.loggers',
  'logging.file.enabled',
  'logging.file.maxFiles',
  'logging.file.compression',
  'health',
].map((path) => path.split('.').map(fold));

/** Whether an unknown path is one of theirs, or lies below one. */
export function isInvented(segments: readonly string[]): boolean {
  const folded = segments.map(fold);
  return INVENTED.some((path) => path.every((segment, index) => folded[index] === segment));
}
