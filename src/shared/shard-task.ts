// What main gives a worker thread when it starts it: ports, shared memory and plain configuration. Threads
// read no file and no environment.
import type { MessagePort } from 'node:worker_threads';
import type { ShardConfig } from './config.js';
import type { SlabLayout } from './send-ring.js';

export interface ShardTask {
  readonly index: number;
  readonly port: MessagePort;
  readonly counters: SharedArrayBuffer;
  readonly tables: readonly SharedArrayBuffer[];
  readonly config: ShardConfig;
  /** Extra certificate authorities for the voice gateway, PEM, or null. */
  readonly ca: string | null;
  /** False where the shard sends by itself. Else the channel brings a SenderLink for each sender, before any command. */
  readonly hasSenders: boolean;
  /** Its priority; null for that of the main thread. */
  readonly nice: number | null;
}

/** A sender thread, as main hands it to a shard: over the shard's channel, so that no command that needs it is earlier. */
export interface SenderLink {
  readonly sender: number;
  readonly port: MessagePort;
  /** The rings between the two; null when the shard has them, and another thread empties them from now on. */
  readonly slab: SlabLayout | null;
}

export interface LoadTask {
  readonly identifier: string;
  /** Milliseconds after which the load ends by itself with PUM_LOAD_DEADLINE. */
  readonly deadlineMs: number;
  readonly config: ShardConfig;
  /** Any message, or the port's closing, cancels the load. The loader sends its thread id over it first. */
  readonly cancel: MessagePort;
  /** The loader's priority; null for that of the main thread. */
  readonly nice: number | null;
}
