// Every ceiling of the server in one place (docs/limits.md is made from it). Reaching one is always visible:
// a coded error, a closed socket or a counter. Imported by every thread; changes nothing by itself.

const KIB = 1024;
const MIB = 1024 * KIB;

/** HTTP and WebSocket edge. Sizes in bytes, times in milliseconds. */
export const EDGE = {
  /** Largest request body, decoded. */
  maxBody: MIB,
  /** Largest header block and request target. */
  maxHeaders: 8 * KIB,
  maxHeaderCount: 100,
  maxUrl: 8 * KIB,
  maxPathSegment: 256,
  /** Largest message from a client. */
  maxMessage: 16 * KIB,
  /** Unsent bytes per WebSocket; beyond it the socket is closed. */
  maxOutbox: MIB,
  /** Outermost deadline of any handler. */
  requestDeadline: 120_000,
  commandDeadline: 5_000,
  loadDeadline: 10_000,
} as const;

/** Main thread ↔ shards. */
export const DISPATCH = {
  maxInFlightPerShard: 1_024,
  maxInFlightPerSession: 256,
  /** Commands a shard takes from its port before it looks at the frame deadlines again. */
  commandsPerTurn: 31,
  /** A shard's restarts: at most this many in the window, then the process ends with 70. */
  maxRestarts: 5,
  restartWindow: 30_000,
  restartDelays: [250, 500, 1_000, 2_000, 4_000],
  maxSnapshotBytes: 64 * KIB,
} as const;

export const SESSION = {
  maxResumeEvents: 4_096,
  maxResumeBytes: 4 * MIB,
  maxResumeTimeout: 3_600,
} as const;

/** Outgoing connections and what comes back over them. */
export const SOURCE = {
  connectTimeout: 3_000,
  firstByteTimeout: 5_000,
  idleTimeout: 10_000,
  maxRedirects: 5,
  maxAddresses: 16,
  resolveTimeout: 3_000,
  maxUrl: 8 * KIB,
  /** Bytes a probe may read before it gives up. */
  maxProbe: MIB,
  maxTags: 256 * KIB,
  /** Reconnections in a row without a byte between them. */
  maxReconnects: 5,
} as const;

/** Audio. Sizes in bytes, times in milliseconds. */
export const AUDIO = {
  /** Compressed bytes a reader keeps ahead and behind. */
  maxWindowBytes: 256 * KIB,
  maxPacket: 64 * KIB,
  maxOpusPacket: 1_275,
  /** Packets in a row that no decoder accepts before the track fails. */
  maxBadPackets: 25,
} as const;

export const TRACK = {
  /** Base64 characters of a track token. */
  maxToken: 16 * KIB,
  maxTokensPerRequest: 1_000,
} as const;

export const VOICE = {
  connectDeadline: 10_000,
  /** A PATCH with voice answers after this long even when the connection is not ready (decision D14). */
  answerDeadline: 5_000,
  /** Connections of the discordjs driver in one shard. */
  maxDiscordjsConnections: 150,
  discoveryInterval: 1_000,
} as const;

/** Playback rules that Lavalink fixes as well, in milliseconds. */
export const PLAYBACK = {
  /** A track that nobody has asked for frames for this long ends with `cleanup`. */
  cleanupAfter: 60_000,
  cleanupInterval: 10_000,
  /** Frames that may leave back to back after a stall, the due one included (decision C8). */
  maxBurst: 3,
} as const;
