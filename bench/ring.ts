// `npm run bench -- ring [--flushes N]`: the torture of the send ring at length: two threads, 10⁶ flushes, threads
// killed, every packet looked at; then every planted mistake, which has to be seen. Prints JSON; kept in
// bench/results/.
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RING_FAULTS } from '../test/support/ring-faults.js';
import { torture } from '../test/support/ring-torture.js';

const { values } = parseArgs({ options: { flushes: { type: 'string', default: '1000000' } } });
const flushes = Number(values.flushes);
const started = performance.now();
const report = await torture({ flushes, kills: 100, operations: 20_000, ceiling: 600_000 });
const seconds = Math.round((performance.now() - started) / 100) / 10;

const faults: Record<string, string> = {};
let missed = 0;
for (const fault of RING_FAULTS) {
  const { wrong } = await torture({ flushes: 200_000, kills: 0, operations: 5_000, ceiling: 60_000, fault });
  if (wrong === null || wrong.startsWith('not done')) missed++;
  faults[fault] = wrong ?? 'not seen';
}

const verdict = report.wrong === null && report.openClaims > 0 && missed === 0 ? 'PASS' : 'FAIL';
const result = { seconds, ...report, faults, verdict };
console.log(JSON.stringify(result, null, 2));
await mkdir('bench/results', { recursive: true });
await writeFile('bench/results/ring.json', `${JSON.stringify(result, null, 2)}\n`);
if (verdict !== 'PASS') process.exitCode = 1;
