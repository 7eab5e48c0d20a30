// The benches stalls, churn, memory and soak in short, as commands: the shape of their raw results, and counts.
// Milliseconds and bytes depend on the machine and are asserted nowhere.
import { tmpdir } from 'node:os';
import t from 'tap';
import type { ChurnResult } from '../../bench/churn-run.js';
import type { MemoryResult } from '../../bench/memory-run.js';
import type { SoakResult } from '../../bench/soak.js';
import type { LeadResult } from '../../bench/stalls-lead.js';
import type { StallsResult } from '../../bench/stalls-run.js';
import { keptBy, runBench } from '../support/run-bench.js';

const LIMIT = { timeout: 180_000 };
const VERDICT = /^(PASS|FAIL|INCONCLUSIVE)$/;

t.test('stalls makes its faults in every other window, and nothing is lost', LIMIT, async (t) => {
  const args = ['--players', '4', '--pairs', '2', '--seconds', '2', '--shards', '2'];
  const [run] = (await keptBy<StallsResult>(t, 'stalls', args)).results;
  t.match(run, { players: 4, pairs: 2, seconds: 2, stallMs: 25, stallsPerSecond: 5, verdict: VERDICT });
  t.equal(run!.missingOrFaulty, 0);
  t.same(
    run!.each.map(({ first }) => first),
    ['with', 'without'],
  );
  for (const pair of run!.each) {
    t.ok(pair.with.stalls >= 10, `${pair.with.stalls} stalls of two shards in four seconds`);
    t.ok(pair.with.collections > 0, 'main collected');
    // One stall of a shard may have been on its way when it was called off.
    t.ok(pair.without.stalls <= 2, `${pair.without.stalls} stalls without`);
    t.equal(pair.without.collections, 0);
    for (const half of [pair.with, pair.without]) t.ok(half.packets > 200, `${half.packets} packets`);
  }
});

t.test('a long stall is heard under a short lead', LIMIT, async (t) => {
  const args = ['--stall', '300', '--players', '4', '--times', '2', '--shards', '2'];
  const kept = await keptBy<LeadResult>(t, 'stalls', args);
  const [run] = kept.results;
  t.match(kept, { bench: 'stalls', table: 'stalls-lead' });
  t.match(run, { players: 4, stallMs: 300, times: 2, verdict: VERDICT });
  t.match(run!.leads, [
    { leadMs: 200, stalls: 2, missingOrFaulty: 0 },
    { leadMs: 400, stalls: 2, missingOrFaulty: 0 },
  ]);
  t.ok(run!.leads[0]!.underruns > 0, 'slots without a frame under the short one');
});

t.test('churn counts what connected, joined and left while others played', LIMIT, async (t) => {
  const load = ['--players', '3', '--connects', '4', '--joins', '6', '--seconds', '1', '--rounds', '2'];
  const [run] = (await keptBy<ChurnResult>(t, 'churn', [...load, '--shards', '2'])).results;
  t.match(run, { players: 3, connects: 4, joins: 6, rounds: 2, verdict: VERDICT });
  t.same(
    run!.phases.map(({ name, count }) => [name, count]),
    [
      ['connects', 4],
      ['joins', 6],
      ['leaves', 6],
    ],
  );
  for (const { name, quietWindow, busyWindow } of run!.phases) {
    for (const window of [quietWindow, busyWindow]) {
      t.same([window.missing, window.undecrypted, window.violations], [0, 0, 0], name);
      t.ok(window.packets > 0, name);
    }
  }
  t.equal(run!.speaking.silentCores.length, 2);
  t.equal(run!.speaking.speakingCores.length, 2);
  t.equal(run!.speaking.memberFrames, 0, 'the server has said that it wants none');
});

t.test('memory looks at every count of every kind, start by start', LIMIT, async (t) => {
  const args = ['--counts', '0,4', '--starts', '1', '--window', '500', '--collections', '1', '--shards', '2'];
  const [run] = (await keptBy<MemoryResult>(t, 'memory', args)).results;
  t.match(run, { counts: [0, 4], starts: 1, windowMs: 500, collections: 1, verdict: VERDICT });
  for (const [kind, [start, ...others]] of Object.entries(run!.points)) {
    t.same(others, [], 'one start');
    t.same(
      start!.map(({ players }) => players),
      [0, 4],
      kind,
    );
    for (const { pss, heapUsed, heapTotal } of start!)
      t.ok(heapUsed > 0 && heapUsed <= heapTotal && pss > 2 ** 24);
  }
  t.ok(
    ['pumice', 'pumice-s0', 'pumice-s1'].every((name) => hasThread(run!, name)),
    'thread by thread',
  );
  t.equal(run!.byStart.length, 1);
  t.ok(Object.values(run!.perPlayer).every(Number.isFinite));
  t.ok(run!.split.ring > 8_000 && run!.split.window > 0);
});

t.test('soak has listeners come and go in every call', LIMIT, async (t) => {
  const args = ['--players', '3', '--seconds', '4', '--listeners', '2', '--shards', '2'];
  const [run] = (await keptBy<SoakResult>(t, 'soak', args)).results;
  t.match(run, { players: 3, seconds: 4, listenerSeconds: 2, limits: { cores: 0.5 }, verdict: VERDICT });
  t.same([run!.missing, run!.undecrypted, run!.violations], [0, 0, 0]);
  t.ok(run!.packets > 400, `${run!.packets} packets`);
  t.ok(run!.joins >= 3 && run!.leaves >= 3, `${run!.joins} joins and ${run!.leaves} leaves`);
  t.ok(run!.joins - run!.leaves <= 3, 'each comes before it goes');
});

t.test('the benches under load refuse numbers that mean nothing', LIMIT, async (t) => {
  for (const [bench, ...args] of [
    ['stalls', '--pairs', '0'],
    ['stalls', '--stall', 'long'],
    ['churn', '--rate', '0'],
    ['churn', '--joins', '1.5'],
    ['memory', '--counts', '100'],
    ['memory', '--counts', '100,0'],
    ['soak', '--players', 'many'],
    ['soak', '--listeners', '0'],
  ] as const) {
    const { code, errors } = await runBench(bench, args, tmpdir());
    t.equal(code, 1);
    t.match(errors, `usage: ${bench}`);
  }
});

/** In every look of every kind. */
function hasThread({ points }: MemoryResult, name: string): boolean {
  return Object.values(points)
    .flat(2)
    .every(({ threads }) => threads.some(({ thread }) => thread === name));
}
