// `npm run bench -- churn [--players N] [--connects N] [--joins N] [--rate N] [--seconds S] [--rounds N] [--shards N]
// [--out FILE]`: while some players play, new guilds connect and listeners join and leave; then one member of every
// call speaks. What each costs, and what the players notice. Prints JSON; kept in bench/results/.
import { parseArgs } from 'node:util';
import { measureChurn } from './churn-run.js';
import { keep } from './results.js';

const { values } = parseArgs({
  options: {
    players: { type: 'string', default: '100' },
    connects: { type: 'string', default: '1000' },
    joins: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '8' },
    shards: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const [players, connects, joins, rounds, shards] = [
  natural(values.players),
  natural(values.connects),
  natural(values.joins),
  natural(values.rounds),
  natural(values.shards, 0),
];
const [rate, seconds] = [Number(values.rate), Number(values.seconds)];
if (!(rate > 0 && rate <= 1_000) || !(seconds >= 1 && seconds <= 600)) refuse();

const result = await measureChurn({ players, connects, joins, rate, seconds, rounds, shards });
await keep({ bench: 'churn', out: values.out }, [result]);
if (result.verdict !== 'PASS') process.exitCode = 1;

function natural(text: string, least = 1): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= least ? value : refuse();
}

function refuse(): never {
  console.error(
    'usage: churn [--players N] [--connects N] [--joins N] [--rate N] [--seconds S] [--rounds N] [--shards N]\n' +
      '             [--out FILE]',
  );
  process.exit(1);
}
