// The shards as the rest of main sees them: place a player, command it, read its row. shard-fleet.ts
// implements it over piscina; tests put a fake in its place. Main thread only.
import type { PositionReading } from '../../shared/player-table.js';
import type { LoadService } from '../../shared/load.js';
import type { CommandOp } from '../../shared/shard-commands.js';
import type { EventEnvelope } from '../../shared/shard-events.js';

/** Where a player lives. The epoch grows with every (re)placement, a shard's death included. */
export interface Placement {
  readonly node: string;
  readonly shard: number;
  readonly epoch: number;
  readonly row: number;
  /** The sender thread that sends for it, chosen once and kept; 0 where the shards send by themselves. */
  readonly sender: number;
}

export interface FleetListener {
  /** In the order in which the shard sent them, before the answer of the command that caused them. */
  event(event: EventEnvelope): void;
  /** A shard is gone, and every event that it raised has been told: what was placed on it is lost with it. */
  shardDied(shard: number): void;
  /** Its replacement answers: the players of that shard may be placed again with `replace`. */
  shardReady(shard: number): void;
}

/** What one shard's counters say, as plain numbers. */
export interface ShardReport {
  readonly shard: number;
  readonly up: boolean;
  readonly restarts: number;
  readonly inFlight: number;
  /** Share of one core spent making frames, 0 to 1, smoothed. */
  readonly busy: number;
  readonly players: number;
  readonly playing: number;
  readonly voiceConnections: number;
  readonly sent: { readonly passthrough: number; readonly encoded: number; readonly silence: number };
  readonly missed: number;
  readonly starved: number;
  readonly heapUsed: number;
  readonly external: number;
  /** Frames per bucket of LATE_BUCKETS (src/shared/driver-words.ts). */
  readonly lateness: readonly number[];
  readonly maxLatenessMs: number;
}

/** What one sender thread's counters say. */
export interface SenderReport {
  readonly sender: number;
  /** Whether its present thread has shown life. */
  readonly up: boolean;
  readonly restarts: number;
  /** Players that were placed on it. */
  readonly players: number;
  /** Frames of players that left, and silence frames behind them. */
  readonly sent: number;
  readonly silence: number;
  /** Slots that found an empty ring. */
  readonly missed: number;
  /** Packets per bucket of LATE_BUCKETS (src/shared/driver-words.ts). */
  readonly lateness: readonly number[];
  readonly maxLatenessMs: number;
}

export interface Fleet {
  readonly loader: LoadService;
  /** Whether at least one shard answers. */
  readonly ready: boolean;
  /** Whether that shard answers; one that died does again once its replacement is ready. */
  isUp(shard: number): boolean;
  /** Chooses the cheapest shard and gives the player a row there. Throws PUM_NO_SHARD. */
  place(player: string): Placement;
  /** A new placement with a grown epoch for a player whose shard died; the same shard's replacement. */
  replace(player: string, old: Placement): Placement;
  /** Gives the row back. Events of the placement that still arrive are dropped and counted. */
  release(player: string, placement: Placement): void;
  /**
   * Sends a command; commands of one player reach the shard in order.
   * Rejects with a ServerError: the shard's own, PUM_COMMAND_DEADLINE, PUM_SHARD_BUSY, PUM_SHARD_GONE.
   */
  command(player: string, placement: Placement, command: CommandOp, ttlMs: number): Promise<unknown>;
  position(placement: Placement): PositionReading;
  /** Of a dead shard: source position at which the last frame ends that its sender still sends; 0 for none. */
  sealed(placement: Placement): number;
  /** A word of the player's row (PlayerWord of src/shared/counter-words.ts). */
  word(placement: Placement, word: number): number;
  /** Milliseconds for which the shard's pulse has been seen to stand still; null while it does not answer. */
  pulseAge(shard: number): number | null;
  reports(): readonly ShardReport[];
  /** None where the shards send by themselves. */
  senders(): readonly SenderReport[];
  /** Lets every shard end by itself, then ends what is left. Resolves when all threads are gone. */
  drain(timeoutMs: number): Promise<void>;
}
