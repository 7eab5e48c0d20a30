// One playing of a track as main knows it: the token it was started from, its decoded form, the client's
// userData and the end marker. Owned by main's player record; rendered by the messages and the Player object.
import type { PlayBody } from '../shared/shard-commands.js';
import { decodeTrack } from '../shared/track-token.js';
import type { Track } from '../shared/track.js';

/** The client's own object, with numbers as they were read. */
export type UserData = Readonly<Record<string, unknown>>;

export interface NewTrack {
  readonly token: string;
  /** null: where the token says, since a token bears a position too. */
  readonly startMs: number | null;
  readonly endTimeMs: number | null;
}

export class TrackInstance {
  readonly number: number;
  readonly token: string;
  readonly startMs: number;
  endTimeMs: number | null;
  userData: UserData;
  /** The last position known, in milliseconds. */
  seenMs: number;
  /** Monotonic milliseconds at which the source stands there, perhaps to come; null until the shard has said so. */
  seenAt: number | null = null;
  #track: Track;

  /** Throws PUM_TOKEN_INVALID or PUM_TOKEN_SOURCE for a token that cannot be read. */
  constructor(number: number, body: NewTrack, userData: UserData) {
    this.number = number;
    this.token = body.token;
    this.endTimeMs = body.endTimeMs;
    this.userData = userData;
    this.#track = decodeTrack(body.token);
    const { isStream, position } = this.#track.info;
    // A stream cannot be sought in, so it begins where it is.
    this.startMs = isStream ? 0 : (body.startMs ?? milliseconds(position));
    this.seenMs = this.startMs;
  }

  get track(): Track {
    return this.#track;
  }

  get body(): PlayBody {
    return {
      token: this.token,
      instance: this.number,
      startMs: this.startMs,
      endTimeMs: this.endTimeMs,
    };
  }

  /** The real length in milliseconds, known once the container was opened. */
  setLength(lengthMs: number): void {
    const length = BigInt(Math.max(0, Math.round(lengthMs)));
    this.#track = { ...this.#track, info: { ...this.#track.info, length } };
  }
}

function milliseconds(position: bigint): number {
  return position > 0n && position <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(position) : 0;
}
