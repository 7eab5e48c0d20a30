// What every part of the main thread is given: the shards, time, the log and the node's own counters. Made
// once by app.ts; holds nothing that changes hands.
import type { Clock } from '../shared/clock.js';
import type { Fleet } from './dispatch/fleet.js';
import type { Drain } from './drain.js';
import type { LoadGate } from './load-gate.js';
import type { Log } from './log.js';
import type { Settings } from './settings.js';
import type { Stats } from './stats.js';
import type { Tallies } from './tallies.js';

export interface Node {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: Settings;
  readonly stats: Stats;
  readonly tallies: Tallies;
  readonly loads: LoadGate;
  readonly drain: Drain;
}
