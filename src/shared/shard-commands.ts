// Everything main can ask of a shard. Plain data: it crosses the channel as bytes. A command bears the
// player's epoch (its placement) and revision: a shard refuses an old epoch (PUM_COMMAND_STALE), executes no
// command twice and answers one that comes twice as it did the first time. No wall-clock time.

/** Filters as the client gave them, checked and with defaults filled in. */
export type FilterMap = Readonly<Record<string, unknown>>;

/** Voice data of a client, all four strings present. */
export interface VoiceData {
  readonly token: string;
  readonly endpoint: string;
  readonly sessionId: string;
  readonly channelId: string;
}

/** A track to be played; the token is all that a shard gets to know of it. */
export interface PlayBody {
  readonly token: string;
  /** Number of this playing of the track, given by main, unique per player. */
  readonly instance: number;
  readonly startMs: number;
  readonly endTimeMs: number | null;
}

/** What a replacement goes on with. */
export interface PlayingBody {
  /** The rest of the track: `startMs` is the source position that was reached. */
  readonly play: PlayBody;
  /**
   * Milliseconds since a frame of it was last due; those due since then, and until it sounds, are missed. Below 0: so
   * long the last one is still to come, from the ring of the shard before.
   */
  readonly silentMs: number;
}

export interface CreateBody {
  readonly session: string;
  readonly guild: string;
  readonly user: string;
  /** Row in the shard's player tables. */
  readonly row: number;
  /** The sender that sends for it; of no meaning where the shard does. */
  readonly sender: number;
  readonly volume: number;
  readonly filters: FilterMap;
  readonly paused: boolean;
  /** Connects at once without raising an event for success (a replacement takes over); null for a new player. */
  readonly voice: VoiceData | null;
  /** Event number after which this placement goes on counting. */
  readonly seq: number;
}

export interface AdoptBody extends CreateBody {
  /** null when no track is loaded. */
  readonly playing: PlayingBody | null;
}

/** The parts of one PATCH, in the order of lavalink-v4.md §1.4; what is absent stays as it is. */
export interface UpdateBody {
  readonly voice?: VoiceData;
  readonly paused?: boolean;
  readonly volume?: number;
  readonly positionMs?: number;
  readonly endTimeMs?: number;
  readonly filters?: FilterMap;
  /** null stops the current track. */
  readonly track?: PlayBody | null;
}

export type CommandOp =
  | { readonly op: 'create'; readonly body: CreateBody }
  | { readonly op: 'update'; readonly body: UpdateBody }
  /** Ends the track (`stopped`) and the voice connection (1000), with their events. */
  | { readonly op: 'destroy'; readonly body: Record<never, never> }
  /** Takes a player over from a dead placement: no event for what it sets up. */
  | { readonly op: 'adopt'; readonly body: AdoptBody }
  /** Gives a player up without an event. */
  | { readonly op: 'release'; readonly body: Record<never, never> }
  /** Asks what the shard knows of the player; answered with an Inspection. Changes nothing. */
  | { readonly op: 'inspect'; readonly body: Record<never, never> };

export type PlayerCommand = CommandOp & {
  readonly v: 1;
  readonly id: number;
  readonly player: string;
  readonly epoch: number;
  readonly rev: number;
  /** So long somebody waits for the answer: one that comes later is not executed (PUM_COMMAND_DEADLINE). */
  readonly ttlMs: number;
  /**
   * Clock time at which it was sent, which is the same in all threads; whoever takes it to another host puts that
   * host's time less its age. Without it a command is never too late.
   */
  readonly sentAt?: number;
};

/** Commands to the shard itself. */
export interface ShardCommand {
  readonly op: 'drain';
}

/** Answer to `update`: whether voice is connected now. */
export interface UpdateReply {
  readonly connected: boolean;
}
