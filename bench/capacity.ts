// `npm run bench -- capacity [--players N] [--seconds S] [--format opus|mp3|both] [--shards N]`: distinct tracks,
// end-to-end encrypted, everything on this machine. Without --players it looks for the number at which the
// receiver's p99 passes 5 ms. Prints JSON and a table, and keeps the raw result in bench/results/.
import { parseArgs } from 'node:util';
import { measure, type CapacityResult } from './capacity-run.js';
import { keep } from './results.js';
import type { TrackFormat } from './tracks.js';

const MAX_P99_MS = 5;
const MAX_RUNS = 10;
/** The search ends when the bounds are this close. */
const STEP = 25;

const { values } = parseArgs({
  options: {
    players: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    format: { type: 'string', default: 'both' },
    shards: { type: 'string', default: '0' },
  },
});
const formats = values.format === 'both' ? (['opus', 'mp3'] as const) : [values.format as TrackFormat];
const seconds = Number(values.seconds);
const shards = Number(values.shards);
if (!formats.every((format) => format === 'opus' || format === 'mp3') || !(seconds > 0) || !(shards >= 0)) {
  console.error('usage: capacity [--players N] [--seconds S] [--format opus|mp3|both] [--shards N]');
  process.exit(1);
}

const results: CapacityResult[] = [];
for (const format of formats) {
  if (values.players === undefined) await search(format);
  else results.push(await measure({ format, players: Number(values.players), seconds, shards }));
}
console.log(JSON.stringify(results, null, 2));
console.table(results.map(row));
await keep('capacity', results);
if (results.some(({ verdict }) => verdict !== 'PASS')) process.exitCode = 1;

/** Doubles until it is too much, then halves the difference. */
async function search(format: TrackFormat): Promise<void> {
  let good = 0;
  let bad = Infinity;
  for (let run = 0, players = 50; run < MAX_RUNS && bad - good > STEP; run++) {
    const result = await measure({ format, players, seconds, shards });
    results.push(result);
    if (result.verdict === 'PASS' && result.receiver.p99 <= MAX_P99_MS) good = players;
    else bad = players;
    players =
      bad === Infinity
        ? good * 2
        : Math.round((good + bad) / 2 / STEP) * STEP || Math.round((good + bad) / 2);
  }
  console.log(`${format}: ${String(good)} players within p99 ${String(MAX_P99_MS)} ms, ${String(bad)} not`);
}

function row(result: CapacityResult): Record<string, string | number> {
  const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`;
  return {
    format: result.format,
    players: result.players,
    'packets/s': `${result.packetsPerSecond.toFixed(0)} of ${String(result.idealPerSecond)}`,
    missing: result.missing,
    'p50 ms': result.receiver.p50.toFixed(2),
    'p99 ms': result.receiver.p99.toFixed(2),
    'floor p99': result.floor.p99.toFixed(2),
    'CPU %': (result.cpu * 100).toFixed(1),
    'ms/audio s': result.cpuMsPerAudioSecond.toFixed(2),
    idle: mib(result.pssIdle),
    loaded: mib(result.pssLoaded),
    'KiB/player': (result.pssPerPlayer / 1_024).toFixed(0),
    verdict: result.verdict,
  };
}
