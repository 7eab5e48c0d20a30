// `npm run bench -- soak [--players N] [--seconds S] [--listeners S] [--shards N] [--out FILE]`: capacity's
// measurement at length, with a listener coming and going in every call once in so many seconds (60), held to the
// figures for 500 players (up to 500) or for 1,000. Prints JSON; kept in bench/results/.
import { parseArgs } from 'node:util';
import { measure, type CapacityResult } from './capacity-run.js';
import { keep } from './results.js';
import { soakLimits, type Limits } from './verdict.js';

export interface SoakResult extends CapacityResult {
  /** Seconds in which a listener comes and goes in each call. */
  readonly listenerSeconds: number;
  readonly limits: Limits;
}

const { values } = parseArgs({
  options: {
    players: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '300' },
    listeners: { type: 'string', default: '60' },
    shards: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const [players, seconds, listenerSeconds, shards] = [
  Number(values.players),
  Number(values.seconds),
  Number(values.listeners),
  Number(values.shards),
];
if (
  !(Number.isInteger(players) && players >= 1) ||
  !(seconds >= 1 && seconds <= 3_600) ||
  !(listenerSeconds >= 1) ||
  !(Number.isInteger(shards) && shards >= 0)
) {
  console.error('usage: soak [--players N] [--seconds S] [--listeners S] [--shards N] [--out FILE]');
  process.exit(1);
}
const limits = soakLimits(players);
const figures = await measure({ format: 'opus', players, seconds, shards, listenerSeconds, limits });
const result: SoakResult = { ...figures, listenerSeconds, limits };
await keep({ bench: 'soak', variant: String(players), out: values.out }, [result]);
if (result.verdict !== 'PASS') process.exitCode = 1;
