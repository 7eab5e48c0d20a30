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
  /** Nesting of a JSON body. */
  maxJsonDepth: 64,
  /** Largest message from a client. */
  maxMessage: 16 * KIB,
  /** Unsent bytes per WebSocket; beyond it the socket is closed. */
  maxOutbox: MIB,
  /** Wrong passwords from one address in the window after which wrong ones are refused for the penalty (D6). */
  maxGuesses: 20,
  guessWindow: 10_000,
  guessPenalty: 60_000,
  /** Addresses remembered for it. */
  maxGuessers: 10_000,
  /** Outermost deadline of any handler. */
  requestDeadline: 120_000,
  commandDeadline: 5_000,
  loadDeadline: 10_000,
} as const;

/** Main thread ↔ shards. */
export const DISPATCH = {
  maxInFlightPerShard: 1_024,
  maxInFlightPerSession: 256,
  /** Loads of all clients that run or wait for a loader thread. */
  maxLoads: 1_024,
  /** Commands a shard takes from its port before it looks at the frame deadlines again. */
  commandsPerTurn: 31,
  /** A shard's restarts: at most this many in the window, then the process ends with 70. */
  maxRestarts: 5,
  restartWindow: 30_000,
  restartDelays: [250, 500, 1_000, 2_000, 4_000],
  /** A shard that has not answered so long after its start counts as dead. */
  startDeadline: 15_000,
  /** A shard whose pulse has stood still so long is wedged: its thread is ended. */
  wedgedAfter: 2_000,
  /** A thread that has not ended so long after it was told to never will; the process ends with 70. */
  terminateDeadline: 2_000,
  /** Answers that a shard keeps of each player, for commands that come twice. */
  repliesPerPlayer: 64,
  /** Players that are gone and of which it keeps them still. */
  repliesOfGone: 64,
  /** Players for each sender thread that is started of itself; never more threads of it than shards. */
  playersPerSender: 1_000,
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
  /** Milliseconds before the first of them; doubled from one to the next, a quarter more or less by chance. */
  reconnectDelay: 250,
  /** The longest of them, in milliseconds. */
  maxReconnectDelay: 10_000,
  /** Header block of an answer. */
  maxHeaders: 16 * KIB,
  /** Taken from a socket at once. */
  socketRead: 16 * KIB,
  /** Body bytes kept unread before the far end is held back; one `socketRead` may come on top of them. */
  readAhead: 8 * KIB,
  /** Bytes of a stream's beginning, kept until that many have come: who opens a file goes to and fro in it. */
  keepBeginning: 64 * KIB,
  /** Bytes kept behind the reader, for a demuxer's small steps back. */
  keepBehind: 16 * KIB,
  /** The same for a demuxer that has been seen to step back further. */
  maxKeepBehind: 128 * KIB,
  /** A skip forward up to this long is read through instead of asked for anew (lavalink-v4.md §6.5). */
  maxSkip: 512 * KIB,
} as const;

/** Audio. Sizes in bytes, times in milliseconds. */
export const AUDIO = {
  /** Compressed bytes a reader keeps ahead and behind. */
  maxWindowBytes: 256 * KIB,
  /** The same where less would hold no frame, or the packets' times mean nothing; then the track fails. */
  maxWindowBytesEver: 4 * MIB,
  maxWindowPackets: 65_536,
  maxPacket: 64 * KIB,
  /** One element of a container (an index, a cover) that the demuxer reads whole. */
  maxContainerRead: 16 * MIB,
  /** Everything in front of the sound of a container that has been recognised. */
  maxContainerHead: 32 * MIB,
  /** What a demuxer library keeps of an open container's bytes; ours are kept in front of it. */
  maxContainerCache: 16 * KIB,
  maxOpusPacket: 1_275,
  /** Packets in a row that no decoder accepts before the track fails. */
  maxBadPackets: 25,
} as const;

export const TRACK = {
  /** Base64 characters of a track token. */
  maxToken: 16 * KIB,
  maxTokensPerRequest: 1_000,
  /** Bytes of a client's userData, as JSON: every event of the track repeats it. */
  maxUserData: 32 * KIB,
} as const;

export const VOICE = {
  /** Characters of each text of a client's voice data. */
  maxText: KIB,
  connectDeadline: 10_000,
  /** A PATCH with voice answers after this long even when the connection is not ready (decision D14). */
  answerDeadline: 5_000,
  /** Connections of the discordjs driver in one shard. */
  maxDiscordjsConnections: 150,
  /** The same of the native driver. */
  maxNativeConnections: 2_000,
  /** Send rings of a shard beyond those, for connections that the sender is still closing. */
  spareRings: 64,
  /** Packets after which a session is exchanged for one with another key: 2^32 would use a nonce twice (case 6). */
  renewAfter: 2 ** 32 - 2 ** 20,
  discoveryInterval: 1_000,
  /** Largest message taken from a voice gateway, and the most that may wait to be sent to one. Bytes. */
  maxGatewayMessage: MIB,
  /** Heartbeats without an acknowledgement after which the gateway counts as lost. */
  maxMissedHeartbeats: 2,
  /** Waits between tries to resume double from the first to the last (decision D8). */
  resumeFirstDelay: 250,
  resumeLastDelay: 5_000,
  maxResumes: 5,
  resumeWindow: 60_000,
  /** How long a player's clock stands while others are in the call and the DAVE group is not ready. */
  daveHold: 3_000,
  /** DAVE messages of one connection that wait for their turn, and the bytes in them. */
  maxDaveWaiting: 256,
  maxDaveWaitingBytes: 2 * MIB,
  /** Largest external sender of a DAVE group; it has 71 bytes. */
  maxExternalSender: KIB,
  /** Transitions of one call that are announced and not executed; the oldest is forgotten. */
  maxDaveTransitions: 64,
  /** Others in one call that are remembered. */
  maxCallMembers: 16_384,
  /** Waits before a new key package when one message after another could not be used; doubled from first to last. */
  daveRetryFirst: 250,
  daveRetryLast: 5_000,
  /** The same when others are in the call and nothing has brought the group about. */
  daveRenewFirst: 5_000,
  daveRenewLast: 60_000,
  /** Frames that a connection of the discordjs driver queues. */
  discordjsQueue: 2,
} as const;

/** Looking into a player: the quality of its tracks, and why it is silent. Times in milliseconds. */
export const DIAGNOSIS = {
  /** Tracks of a player that have ended and whose quality is still told; the oldest is forgotten. */
  maxReports: 16,
  /** Characters kept of such a track's identifier, title and source. */
  maxText: 256,
  /** A shard that has not said by then what it knows of a player is the broken link. */
  inspectDeadline: 1_000,
  /** A source that has brought no packet for so long, or a ring from which none has left, is a broken link. */
  silentAfter: 500,
} as const;

/** Playback rules that Lavalink fixes as well, in milliseconds. */
export const PLAYBACK = {
  /** A track that nobody has asked for frames for this long ends with `cleanup`. */
  cleanupAfter: 60_000,
  cleanupInterval: 10_000,
  /** A track paused for this long and the length of its window lets go of its source until it goes on. */
  parkAfter: 30_000,
  /** Frames that may leave back to back after a stall, the due one included (decision C8). */
  maxBurst: 3,
} as const;
