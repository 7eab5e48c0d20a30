// The benches in short, as commands: the shape of their raw results, and counts. Milliseconds depend on the
// machine and are asserted nowhere.
import { tmpdir } from 'node:os';
import t from 'tap';
import type { CapacityResult } from '../../bench/capacity-run.js';
import type { StartupResult } from '../../bench/startup.js';
import { keptBy, runBench } from '../support/run-bench.js';

const LIMIT = { timeout: 90_000 };
const VERDICT = /^(PASS|FAIL|INCONCLUSIVE)$/;

t.test('capacity says what four players of either kind got', LIMIT, async (t) => {
  const args = ['--players', '4', '--seconds', '3', '--shards', '2'];
  const result = await keptBy<CapacityResult>(t, 'capacity', args);
  t.match(result, {
    bench: 'capacity',
    command: 'npm run bench -- capacity --players 4 --seconds 3 --shards 2 --out raw.json',
    date: /^\d{4}-\d\d-\d\d$/,
    node: process.version,
    machine: /^\d+ × /,
  });
  t.match(result.out, 'receiver p50/p99/p99.9');
  t.same(
    result.results.map(({ format }) => format),
    ['opus', 'mp3'],
  );
  for (const run of result.results) {
    t.match(run, { players: 4, seconds: 3, shards: 2, idealPerSecond: 200, verdict: VERDICT });
    t.same([run.missing, run.undecrypted, run.violations], [0, 0, 0], run.format);
    t.ok(run.packets > 400 && run.packets < 800, `${run.format}: ${String(run.packets)} packets`);
    t.ok(run.delivered > 0.7 && run.delivered <= 1, `${run.format}: ${String(run.delivered)} delivered`);
    t.ok(run.sender.frames > 400, `${run.format}: ${String(run.sender.frames)} frames sent`);
    for (const side of [run.receiver, run.floor]) t.ok(side.p50 <= side.p99 && side.p99 <= side.max);
    t.ok(run.cpu > 0 && run.cpu < 8);
    t.ok(run.benchCpu > 0 && run.otherCpu >= 0);
    t.ok('pumice-s0' in run.cpuByThread && 'pumice-s1' in run.cpuByThread);
    t.ok(run.pssIdle > 2 ** 24 && run.pssIdle <= run.pssLoaded + 2 ** 24);
    t.ok(run.why.length > 0);
  }
});

t.test('startup gives its figures beside those of an empty process', LIMIT, async (t) => {
  const args = ['--starts', '2', '--shards', '1'];
  const [run] = (await keptBy<StartupResult>(t, 'startup', args)).results;
  t.match(run, { starts: 2, shards: 1, limitMs: 500, verdict: VERDICT });
  for (const { median, p95, max } of [run!.first200, run!.readyLine, run!.floor]) {
    t.ok(median > 0 && median <= p95 && p95 <= max);
  }
  t.ok(run!.readyLine.max < run!.first200.max);
});

t.test('capacity and startup refuse numbers that mean nothing', LIMIT, async (t) => {
  for (const [bench, args] of [
    ['capacity', ['--players', '0']],
    ['capacity', ['--format', 'wav']],
    ['capacity', ['--seconds', 'x']],
    ['startup', ['--starts', 'many']],
  ] as const) {
    const { code, errors } = await runBench(bench, args, tmpdir());
    t.equal(code, 1);
    t.match(errors, `usage: ${bench}`);
  }
});
