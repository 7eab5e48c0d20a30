// How long to wait before a reconnection. Used by http-stream.ts and http-source.ts; pure.

import { SOURCE } from '../../shared/limits.js';

/** A number from 0 (included) to 1 (not included); Math.random, or a seeded one in tests. */
export type Random = () => number;

/** Share of the wait that chance may add or take away, so that a thousand players do not come back at once. */
const JITTER = 0.25;

/** Milliseconds before reconnection `attempt`, counted from 0. */
export function backoff(attempt: number, random: Random): number {
  const even = Math.min(SOURCE.reconnectDelay * 2 ** attempt, SOURCE.maxReconnectDelay);
  return even * (1 - JITTER + 2 * JITTER * random());
}
