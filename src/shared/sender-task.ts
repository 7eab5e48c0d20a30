// What main gives a sender thread when it starts it, and tells it afterwards. A sender reads no file, no
// environment and no configuration.
import type { MessagePort } from 'node:worker_threads';
import type { SlabLayout } from './send-ring.js';

/** What main starts a sender thread with, as its `workerData`. */
export interface SenderTask {
  readonly index: number;
  /** DRIVER_WORDS Float64 words that only this sender writes. */
  readonly counters: SharedArrayBuffer;
}

/**
 * What main tells a sender thread. `attach` comes once for each life of a shard: when `port` closes, what the
 * shard had sealed is sent and its rings are forgotten. After `close` the thread ends by itself.
 */
export type SenderOrder =
  { readonly op: 'attach'; readonly port: MessagePort; readonly slab: SlabLayout } | { readonly op: 'close' };
