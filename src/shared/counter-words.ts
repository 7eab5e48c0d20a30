// Names of the words in the shared counters, grouped by the thread that writes them. With the discordjs
// driver, or without sender threads, the shard writes the sender's group too.

export const ShardWord = {
  // Written by the shard.
  /** Grows with every turn of the fill loop and every heartbeat of the shard: the watchdog reads it. */
  pulse: 0,
  /** Milliseconds spent making frames. */
  busyMs: 1,
  players: 2,
  playing: 3,
  voiceConnections: 4,
  upstreamConnections: 5,
  heapUsed: 6,
  external: 7,
  commands: 8,
  /** Those of `missed` for which the source had brought nothing. */
  starved: 9,
  // The sender's group.
  sentPassthrough: 10,
  sentEncoded: 11,
  sentSilence: 12,
  /** Slots at which a playing player had no frame. */
  missed: 13,
} as const;

/** Offset from sentPassthrough; equals FrameMode of the voice driver. */
export type FrameCounterIndex = 0 | 1 | 2;

export const PlayerWord = {
  // Written by main.
  epoch: 0,
  // Written by the shard.
  /** Bits of PlayerFlag. */
  flags: 1,
  /** Voice gateway round trip in milliseconds, -1 when unknown. */
  pingMs: 2,
  instance: 3,
  /** Frames that carry this number move the position; it changes with every track and every seek. */
  tag: 4,
  /**
   * Source position and monotonic time at which the tag began, or from which on nothing of it was sent; and once
   * more: written by turns (PlayerTable.setBase).
   */
  baseMs: 5,
  baseAt: 6,
  otherTag: 7,
  otherBaseMs: 8,
  otherBaseAt: 9,
  /**
   * Where the last frame ends that lies in the send ring, and its tag: a dead shard's ring is still sent. Not written
   * where the ring ends with its shard.
   */
  sealedMs: 10,
  sealedTag: 11,
  /** Slots of the playing player without a frame, and of those the ones that wanted for … */
  nulled: 12,
  /** … bytes of the source, */
  nulledSource: 13,
  /** … a decoded or encoded frame, */
  nulledDecode: 14,
  /** … a place in the ring, or a DAVE group to encrypt for, */
  nulledRing: 15,
  /** … a socket that takes the packet. */
  nulledSocket: 16,
  // The sender's group.
  sent: 17,
  /** Slots at which the ring was empty and no END had been sent. */
  emptied: 18,
  /** Source position of the last frame that left, its time and tag, and once more. */
  positionMs: 19,
  positionAt: 20,
  positionTag: 21,
  otherPositionMs: 22,
  otherPositionAt: 23,
  otherPositionTag: 24,
  /** Greatest lateness seen, in milliseconds. */
  maxLate: 25,
  /** First of the lateness buckets (LATE_BUCKETS of driver-words.ts): frames. */
  late: 26,
} as const;

/** Words of a row: the last of those above are as many as there are lateness buckets. */
export const PLAYER_WORDS = PlayerWord.late + 9;

export const PlayerFlag = { connected: 1, hasTrack: 2, paused: 4, passthrough: 8 } as const;
