// `npm run bench -- memory [--counts N,N,…] [--starts N] [--window MS] [--collections N] [--shards N] [--out FILE]`:
// bytes of PSS per player that is idle, connected without and with DAVE, and playing: the slope over the counts after
// forced collection, median of several starts. Without --window at the defaults. JSON; kept in bench/results/.
import { parseArgs } from 'node:util';
import { measureMemory } from './memory-run.js';
import { keep } from './results.js';

const { values } = parseArgs({
  options: {
    counts: { type: 'string', default: '0,100,500,1000' },
    starts: { type: 'string', default: '3' },
    window: { type: 'string', default: '5000' },
    collections: { type: 'string', default: '12' },
    shards: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const counts = values.counts.split(',').map(Number);
const [starts, windowMs, collections, shards] = [
  Number(values.starts),
  Number(values.window),
  Number(values.collections),
  Number(values.shards),
];
if (
  counts.length < 2 ||
  counts.some((count, n) => !(Number.isInteger(count) && count >= 0 && count > (counts[n - 1] ?? -1))) ||
  !(Number.isInteger(starts) && starts >= 1) ||
  !(Number.isInteger(collections) && collections >= 1 && collections <= 60) ||
  !(windowMs >= 200 && windowMs <= 60_000) ||
  !(Number.isInteger(shards) && shards >= 0)
) {
  console.error(
    'usage: memory [--counts N,N,…] [--starts N] [--window MS] [--collections N] [--shards N] [--out FILE]',
  );
  console.error('counts grow, two at least');
  process.exit(1);
}
const result = await measureMemory({ counts, starts, windowMs, collections, shards });
await keep({ bench: 'memory', variant: String(windowMs), out: values.out }, [result]);
if (result.verdict !== 'PASS') process.exitCode = 1;
