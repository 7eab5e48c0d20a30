// Where a new player goes: the shard that is expected to need the least of its core. Pure.

export interface Candidate {
  readonly index: number;
  readonly up: boolean;
  readonly players: number;
  /** Share of a core in use, 0 to 1, measured. */
  readonly busy: number;
  cost(perPlayer: number): number;
}

/** What a player is taken to cost before anything was measured: passed through, 0.05 % of a core. */
const LEAST_PER_PLAYER = 0.0005;

/** The cheapest shard that is up, of equal ones the one with the fewest players; null when none is up. */
export function cheapest<T extends Candidate>(shards: readonly T[], maxPlayers: number): T | null {
  let players = 0;
  let busy = 0;
  for (const shard of shards) {
    players += shard.players;
    busy += shard.busy;
  }
  const perPlayer = Math.max(LEAST_PER_PLAYER, players > 0 ? busy / players : 0);
  let best: T | null = null;
  let bestCost = Infinity;
  for (const shard of shards) {
    if (!shard.up) continue;
    // A full shard is taken only when all are: its driver then refuses with a code of its own.
    const cost = shard.cost(perPlayer) + (shard.players >= maxPlayers ? FULL : 0);
    if (cost < bestCost - TIE || (best && Math.abs(cost - bestCost) <= TIE && shard.players < best.players)) {
      best = shard;
      bestCost = cost;
    }
  }
  return best;
}

const FULL = 1_000;
/** Costs closer than this are the noise of the measurement. */
const TIE = 0.02;
