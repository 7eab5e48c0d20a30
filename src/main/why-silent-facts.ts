// Everything that the question why a player is silent is judged by: gathered by why-silent-question.ts, judged by
// why-silent.ts, both on the main thread. Plain data; nothing secret may stand in it, for all of it is answered.
import type { ErrorCode } from '../shared/errors.js';
import type { Inspection } from '../shared/inspection.js';

/** What main knows by itself: its record of the player, and counters. */
export interface SilenceFacts {
  readonly player: {
    readonly track: boolean;
    /** A track is on its way to the shard. */
    readonly coming: boolean;
    readonly paused: boolean;
    readonly volume: number;
    /** Of the filter of that name; 1 without. */
    readonly filterVolume: number;
    readonly positionMs: number;
    readonly endTimeMs: number | null;
    /** Why the track before ended; null without one. */
    readonly lastEnd: string | null;
  };
  readonly shard: {
    readonly index: number;
    readonly up: boolean;
    /** It died, and its replacement has not taken the player over. */
    readonly lost: boolean;
    readonly restarts: number;
    readonly pulseAgeMs: number | null;
    /** Why it has not said what it knows; null when it has. */
    readonly failure: ErrorCode | null;
  };
  readonly voice: {
    /** The client has given voice data. */
    readonly given: boolean;
    readonly pingMs: number;
  };
  readonly sender: {
    /** Sender threads; 0 where the shards send by themselves. */
    readonly threads: number;
    readonly restarts: number;
    /** Of this player since it has its place: frames sent, slots with an empty ring, slots with a full socket. */
    readonly sent: number;
    readonly emptied: number;
    readonly socketFull: number;
  };
  /** What the shard says; null when it has not answered. */
  readonly inside: Inspection | null;
}
