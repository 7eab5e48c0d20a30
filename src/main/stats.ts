// The node's statistics: one sampler for `/v4/stats`, the WebSocket message and the metrics (lavalink-v4.md
// §1.3). Counts come from the sessions, memory and load from the machine and the shards' counters; no shard
// is asked. Main thread.
import type { Clock } from '../shared/clock.js';
import type { ShardReport } from './dispatch/fleet.js';
import type { FrameStats } from './frame-stats.js';
import type { Machine } from './machine.js';

/** Loads are measured anew at most this often, in milliseconds, as in Lavalink. */
const LOAD_PERIOD = 30_000;

export interface PlayerCounts {
  readonly players: number;
  readonly playingPlayers: number;
}

export interface MemoryStats {
  readonly free: number;
  readonly used: number;
  readonly allocated: number;
  readonly reservable: number;
}

export interface CpuStats {
  readonly cores: number;
  readonly systemLoad: number;
  readonly lavalinkLoad: number;
}

/** Field order is the protocol's. */
export interface StatsReport {
  readonly frameStats: FrameStats | null;
  readonly players: number;
  readonly playingPlayers: number;
  readonly uptime: number;
  readonly memory: MemoryStats;
  readonly cpu: CpuStats;
}

export interface StatsSources {
  readonly clock: Clock;
  readonly machine: Machine;
  /** Players of connected sessions. */
  counts(): PlayerCounts;
  shards(): readonly ShardReport[];
}

export class Stats {
  readonly #sources: StatsSources;
  #load = { systemLoad: 0, lavalinkLoad: 0 };
  #measured: { at: number; process: number; busy: number; total: number } | null = null;

  constructor(sources: StatsSources) {
    this.#sources = sources;
  }

  /** `frameStats` are one session's; null for the node as a whole. */
  report(frameStats: FrameStats | null): StatsReport {
    const { players, playingPlayers } = this.#sources.counts();
    return {
      frameStats,
      players,
      playingPlayers,
      uptime: this.uptime(),
      memory: this.memory(),
      cpu: this.cpu(),
    };
  }

  /** Milliseconds since the process started. */
  uptime(): number {
    return Math.floor(this.#sources.clock.now());
  }

  memory(): MemoryStats {
    const own = this.#sources.machine.memory();
    const shards = this.#sources.shards().reduce((sum, shard) => sum + shard.heapUsed + shard.external, 0);
    const allocated = own.resident;
    const used = Math.min(own.used + shards, allocated);
    return { free: allocated - used, used, allocated, reservable: this.#sources.machine.memoryLimit() };
  }

  cpu(): CpuStats {
    this.#measure();
    return { cores: this.#sources.machine.cores, ...this.#load };
  }

  #measure(): void {
    const { clock, machine } = this.#sources;
    const at = clock.now();
    const before = this.#measured;
    if (before !== null && at - before.at < LOAD_PERIOD) return;
    const process = machine.processTime();
    const { busy, total } = machine.systemTime() ?? { busy: 0, total: 0 };
    this.#measured = { at, process, busy, total };
    if (before === null) return;
    this.#load = {
      systemLoad: share(busy - before.busy, total - before.total),
      lavalinkLoad: share(process - before.process, (at - before.at) * machine.cores),
    };
  }
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}
