// `npm run bench -- startup [--starts N] [--shards N] [--out FILE]`: from the start of the process to its first
// answer with a password, when every shard is up, beside what an empty Node process takes. A configuration file
// as an operator has it; nothing is listening to or playing anything. Starts take turns with the empty process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { PumiceProcess, TEST_PASSWORD } from '../test/support/pumice-process.js';
import { keep } from './results.js';

/** Milliseconds. */
export interface Spread {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

export interface StartupResult {
  readonly starts: number;
  /** Shards; 0 for one per core. */
  readonly shards: number;
  readonly first200: Spread;
  readonly readyLine: Spread;
  /** `node -e 0`, from its start to its exit. */
  readonly floor: Spread;
  readonly limitMs: number;
  readonly verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
}

const LIMIT_MS = 500;
/** An empty process that takes longer than that is on a machine too busy to tell. */
const QUIET_FLOOR_MS = 80;

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '20' },
    shards: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
const starts = Number(values.starts);
const shards = Number(values.shards);
if (!(Number.isInteger(starts) && starts >= 1) || !(Number.isInteger(shards) && shards >= 0)) {
  console.error('usage: startup [--starts N] [--shards N] [--out FILE]');
  process.exit(1);
}
const result = await measureStarts();
await keep({ bench: 'startup', out: values.out }, [result]);
if (result.verdict !== 'PASS') process.exitCode = 1;

async function measureStarts(): Promise<StartupResult> {
  const ready: number[] = [];
  const answered: number[] = [];
  const empty: number[] = [];
  for (let n = 0; n < starts; n++) {
    empty.push(await emptyProcess());
    const server = await PumiceProcess.start({ config: { 'pumice.performance.workerThreads': shards } });
    ready.push(server.startMs);
    answered.push(server.startMs + (await firstAnswer(server)));
    await server.stop();
  }
  const first200 = spread(answered);
  const floor = spread(empty);
  const slow = floor.median > QUIET_FLOOR_MS ? 'INCONCLUSIVE' : 'FAIL';
  return {
    starts,
    shards,
    first200,
    readyLine: spread(ready),
    floor,
    limitMs: LIMIT_MS,
    verdict: first200.median <= LIMIT_MS ? 'PASS' : slow,
  };
}

/** Milliseconds; rejects when the answer is no 200 or a shard is not up. */
async function firstAnswer(server: PumiceProcess): Promise<number> {
  const began = performance.now();
  const answer = await ask(server, '/v4/info');
  await answer.arrayBuffer();
  const ms = performance.now() - began;
  const metrics = await (await ask(server, '/metrics?name[]=lavalink_shards')).text();
  if (answer.status !== 200 || !/^lavalink_shards\{state="down"\} 0$/m.test(metrics)) {
    throw new Error(`not ready when it said so: ${String(answer.status)}\n${metrics}`);
  }
  return ms;
}

function ask(server: PumiceProcess, path: string): Promise<Response> {
  return fetch(server.origin + path, { headers: { Authorization: TEST_PASSWORD } });
}

async function emptyProcess(): Promise<number> {
  const began = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - began;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
  return { median: at(0.5), p95: at(0.95), max: at(1) };
}
