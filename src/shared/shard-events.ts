// Everything a shard tells main without being asked. `seq` counts per player and goes on across
// placements; main drops an event with an old epoch and counts it.
import type { ErrorShape } from './errors.js';

export type EndReason = 'finished' | 'loadFailed' | 'stopped' | 'replaced' | 'cleanup';

export type PlayerEvent =
  | { readonly type: 'trackStart'; readonly instance: number }
  | {
      readonly type: 'trackEnd';
      readonly instance: number;
      readonly reason: EndReason;
      /** Source position at which it ended. */
      readonly positionMs: number;
    }
  | {
      readonly type: 'trackException';
      readonly instance: number;
      readonly error: ErrorShape;
      readonly positionMs: number;
    }
  | {
      readonly type: 'trackStuck';
      readonly instance: number;
      readonly thresholdMs: number;
      readonly positionMs: number;
    }
  /** The container was opened and told its real length; null when it has none. */
  | { readonly type: 'trackLength'; readonly instance: number; readonly lengthMs: number | null }
  | { readonly type: 'voiceReady' }
  | {
      readonly type: 'voiceClosed';
      readonly code: number;
      readonly reason: string;
      readonly byRemote: boolean;
    };

export interface EventEnvelope {
  readonly v: 1;
  readonly player: string;
  readonly session: string;
  readonly epoch: number;
  readonly seq: number;
  readonly body: PlayerEvent;
}

/** Notices of the shard about itself. */
export type ShardNotice =
  /** First message: the thread is up, its libraries are loaded. */
  | { readonly kind: 'ready'; readonly threadId: number }
  | { readonly kind: 'event'; readonly event: EventEnvelope }
  | { readonly kind: 'log'; readonly level: 'warn' | 'info' | 'debug'; readonly text: string };
