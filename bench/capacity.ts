// `npm run bench -- capacity [--players N] [--seconds S] [--format opus|mp3|both] [--shards N] [--out FILE]`:
// distinct tracks, end-to-end encrypted, everything on this machine. Without --players it looks for the number
// at which the receiver's p99 passes 5 ms. Prints JSON and a table, and keeps the raw result in bench/results/.
import { parseArgs } from 'node:util';
import { measure, type CapacityResult } from './capacity-run.js';
import { keep } from './results.js';
import type { TrackFormat } from './tracks.js';
import { CAPACITY } from './verdict.js';

const FIRST = 50;
const MAX_RUNS = 8;
/** The search goes no further: the load itself would fill the machine. */
const MOST = 1_600;
/** The search ends when the bounds are this close. */
const STEP = 25;
const USAGE =
  'usage: capacity [--players N] [--seconds S] [--format opus|mp3|both] [--shards N] [--out FILE]';

const { values } = parseArgs({
  options: {
    players: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    format: { type: 'string', default: 'both' },
    shards: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const players = values.players === undefined ? null : Number(values.players);
const seconds = Number(values.seconds);
const shards = Number(values.shards);
if (
  !['opus', 'mp3', 'both'].includes(values.format) ||
  !(seconds >= 1 && seconds <= 3_600) ||
  !(Number.isInteger(shards) && shards >= 0) ||
  !(players === null || (Number.isInteger(players) && players >= 1))
) {
  console.error(USAGE);
  process.exit(1);
}
const formats = values.format === 'both' ? (['opus', 'mp3'] as const) : [values.format as TrackFormat];

const results: CapacityResult[] = [];
const findings: string[] = [];
for (const format of formats) {
  if (players === null) await search(format);
  else results.push(await measure({ format, players, seconds, shards }));
}
const variant = [players ?? 'search', ...(values.format === 'both' ? [] : [values.format])].join('-');
await keep({ bench: 'capacity', variant, out: values.out }, results);
console.table(results.map(row));
for (const finding of findings) console.log(finding);
if (results.some(({ verdict }) => verdict !== 'PASS') && players !== null) process.exitCode = 1;

/** Doubles until it is too much, then halves the difference. */
async function search(format: TrackFormat): Promise<void> {
  let good = 0;
  let bad = MOST + STEP;
  let tried = FIRST;
  for (let run = 0; run < MAX_RUNS && bad - good > STEP; run++) {
    const result = await measure({ format, players: tried, seconds, shards });
    results.push(result);
    if (result.verdict === 'PASS') good = tried;
    else bad = tried;
    const middle = Math.round((good + bad) / 2 / STEP) * STEP;
    tried = bad > MOST ? Math.min(MOST, good * 2) : Math.max(1, middle);
  }
  const limit = bad > MOST ? 'more were not tried' : `${String(bad)} did not pass`;
  findings.push(`${format}: ${String(good)} players with p99 within ${String(CAPACITY.p99)} ms; ${limit}`);
}

function row(result: CapacityResult): Record<string, string | number> {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const { receiver, sender } = result;
  return {
    format: result.format,
    players: result.players,
    'packets/s': `${result.packetsPerSecond.toFixed(0)} of ${String(result.idealPerSecond)}`,
    missing: result.missing,
    nulled: result.nulled,
    'receiver p50/p99/p99.9': [receiver.p50, receiver.p99, receiver.p999]
      .map((ms) => ms.toFixed(1))
      .join('/'),
    'sender p99/p99.9 ≤': [sender.p99, sender.p999].join('/'),
    'floor p99': result.floor.p99.toFixed(2),
    'CPU %': (result.cpu * 100).toFixed(1),
    'other CPU %': (result.otherCpu * 100).toFixed(0),
    'ms/audio s': result.cpuMsPerAudioSecond.toFixed(2),
    idle: mib(result.pssIdle),
    loaded: mib(result.pssLoaded),
    'KiB/player': (result.pssPerPlayer / 1_024).toFixed(0),
    verdict: result.verdict,
  };
}
