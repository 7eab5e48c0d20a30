// What main gives a sender thread when it starts it, and sends it afterwards. A sender reads no file, no
// environment and no configuration.
import type { MessagePort } from 'node:worker_threads';
import { DRIVER_WORDS } from './driver-words.js';
import type { SlabLayout } from './send-ring.js';

/** Behind the words of DRIVER: grows every half second at least while the thread turns. The watchdog reads it. */
export const SENDER_PULSE = DRIVER_WORDS;

export const SENDER_WORDS = DRIVER_WORDS + 1;

/** What main starts a sender thread with, as its `workerData`. */
export interface SenderTask {
  readonly index: number;
  /** SENDER_WORDS Float64 words that only this sender writes: those of DRIVER, then its pulse. */
  readonly counters: SharedArrayBuffer;
  /** Its priority; null for that of the main thread. */
  readonly nice: number | null;
}

/**
 * The rings of one life of a shard. When `port` closes, the shard is gone: what it had sealed is sent, and its rings
 * are forgotten.
 */
export interface SenderOrder {
  readonly op: 'attach';
  readonly port: MessagePort;
  readonly slab: SlabLayout;
}
