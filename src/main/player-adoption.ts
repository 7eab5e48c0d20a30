// What a shard is told of a player that it is to take over, made from the player's snapshot alone: whatever
// process the snapshot comes from, the player goes on in the same way. Pure; used on the main thread.
import type { AdoptBody, PlayingBody } from '../shared/shard-commands.js';
import type { PlayerSnapshot, SnapshotTrack } from '../shared/snapshot.js';
import { decodeTrack } from '../shared/track-token.js';

/** Milliseconds: a marker this close before the position is the one at which the track was about to end. */
const ONE_FRAME = 20;

export interface Adoption {
  /** The session's id. */
  readonly session: string;
  /** Snowflake of the bot's user. */
  readonly user: string;
  /** The player's row on its new shard. */
  readonly row: number;
  /** The sender that sends for it. */
  readonly sender: number;
  /** Whether its voice connection is to be made again. */
  readonly withVoice: boolean;
}

/** Throws PUM_TOKEN_INVALID or PUM_TOKEN_SOURCE for a track that cannot be read. */
export function adoptBody(snapshot: PlayerSnapshot, adoption: Adoption): AdoptBody {
  const { guild, track, paused, volume, filters, seq, voice } = snapshot;
  const { session, user, row, sender, withVoice } = adoption;
  return {
    session,
    guild,
    user,
    row,
    sender,
    volume,
    filters,
    paused,
    voice: withVoice ? voice : null,
    seq,
    playing: track === null ? null : playingBody(track),
  };
}

function playingBody({ token, instance, position, endTimeMs }: SnapshotTrack): PlayingBody {
  // A stream is taken up where it is now.
  const startMs = decodeTrack(token).info.isStream ? 0 : position.sourceMs;
  const play = { token, instance, startMs, endTimeMs: markerFrom(startMs, endTimeMs) };
  return { play, silentMs: position.ageMs };
}

/**
 * A marker at or before the start does nothing (lavalink-v4.md §6.2), but one that the position has just reached
 * was about to end the track: then the first frame ends it.
 */
function markerFrom(startMs: number, endTimeMs: number | null): number | null {
  if (endTimeMs === null || endTimeMs > startMs || startMs - endTimeMs >= ONE_FRAME) return endTimeMs;
  return startMs + 1;
}
