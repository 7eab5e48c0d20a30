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
  // The sender's group.
  positionMs: 4,
  positionAt: 5,
  sent: 6,
  nulled: 7,
  /** Position and time once more: the two pairs are written by turns (player-table.ts). */
  otherPositionMs: 8,
  otherPositionAt: 9,
} as const;

export const PlayerFlag = { connected: 1, hasTrack: 2, paused: 4, passthrough: 8 } as const;
