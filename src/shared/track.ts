// What a track is on every thread. Numbers that the protocol prints as int64 are bigints here: the length
// of a stream, 9223372036854775807, does not fit a JavaScript number. A Track never crosses a thread; its
// token does (src/shared/track-token.ts).

/** Java's Long.MAX_VALUE: the length of a stream, and of anything whose length is not known. */
export const UNKNOWN_LENGTH = 9_223_372_036_854_775_807n;

export interface TrackInfo {
  readonly identifier: string;
  readonly isSeekable: boolean;
  readonly author: string;
  /** Milliseconds, or UNKNOWN_LENGTH. */
  readonly length: bigint;
  readonly isStream: boolean;
  /** Milliseconds. */
  readonly position: bigint;
  readonly title: string;
  readonly uri: string | null;
  readonly sourceName: string;
  readonly artworkUrl: string | null;
  readonly isrc: string | null;
}

export interface Track {
  readonly info: TrackInfo;
  /** The bytes a source adds between its name and the position; for http and local one Java string. */
  readonly trailer: Uint8Array;
}

export const UNKNOWN_TITLE = 'Unknown title';
export const UNKNOWN_AUTHOR = 'Unknown artist';
