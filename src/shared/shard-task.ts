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
  /** The sender thread that empties the shard's rings; null where the shard sends by itself. */
  readonly sender: SenderLink | null;
}

export interface SenderLink {
  readonly slab: SlabLayout;
  readonly port: MessagePort;
  /** Brings a port to another thread, `{ port }`, when the one before has died. */
  readonly moves: MessagePort;
}

export interface LoadTask {
  readonly identifier: string;
  /** Milliseconds after which the load ends by itself with PUM_LOAD_DEADLINE. */
  readonly deadlineMs: number;
  readonly config: ShardConfig;
  /** Any message, or the port's closing, cancels the load. The loader sends its thread id over it first. */
  readonly cancel: MessagePort;
}
