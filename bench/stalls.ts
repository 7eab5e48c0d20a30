// `npm run bench -- stalls [--players N] [--pairs N] [--seconds S] [--shards N] [--out FILE]`: pairs of windows by
// turns with and without faults in one server: 25 ms stalls, five a second in every shard, and a thrashed heap on
// main. `--stall MS` instead: one shard stands still that long, under two leads. JSON; kept in bench/results/.
import { parseArgs } from 'node:util';
import { keep } from './results.js';
import { measureLeads } from './stalls-lead.js';
import { measurePairs } from './stalls-run.js';

const USAGE =
  'usage: stalls [--players N] [--pairs N] [--seconds S] [--shards N] [--out FILE]\n' +
  '       stalls --stall MS [--players N] [--times N] [--shards N] [--out FILE]';

const { values } = parseArgs({
  options: {
    players: { type: 'string', default: '300' },
    pairs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '20' },
    shards: { type: 'string', default: '0' },
    stall: { type: 'string' },
    times: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
});
const players = natural(values.players);
const shards = natural(values.shards, 0);
const { out } = values;
if (values.stall === undefined) {
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 600)) refuse();
  const result = await measurePairs({ players, pairs: natural(values.pairs), seconds, shards });
  await keep({ bench: 'stalls', out }, [result]);
  if (result.verdict !== 'PASS') process.exitCode = 1;
} else {
  const stallMs = natural(values.stall);
  const result = await measureLeads({ players, stallMs, times: natural(values.times), shards });
  await keep({ bench: 'stalls', variant: values.stall, table: 'stalls-lead', out }, [result]);
  if (result.verdict !== 'PASS') process.exitCode = 1;
}

function natural(text: string, least = 1): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= least ? value : refuse();
}

function refuse(): never {
  console.error(USAGE);
  process.exit(1);
}
