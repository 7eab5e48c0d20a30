// When runs of the benches stalls, churn and memory pass, fail or prove nothing, and the slope of the memory.
import fc from 'fast-check';
import t from 'tap';
import { judgeChurn, type PhaseEvidence, type SpeakingEvidence } from '../../bench/churn-verdict.js';
import { judgeMemory, slope, type KindSlopes } from '../../bench/memory-verdict.js';
import { judgeLeads, judgePairs, type LeadEvidence, type PairEvidence } from '../../bench/stalls-verdict.js';

const LIMIT = { timeout: 10_000 };

const shift = (without: number, withFaults: number) => ({
  without,
  with: withFaults,
  ratio: withFaults / without,
  differenceMs: withFaults - without,
});

const steady: PairEvidence = {
  receiver: shift(2, 2.2),
  sender: shift(1, 1.1),
  floor: shift(0.5, 0.6),
  floorMax: 8,
  otherCpu: 0.02,
  missing: 0,
  undecrypted: 0,
  violations: 0,
  underruns: 0,
};

t.test('faults that move p99 by a fifth or by 0.3 ms are passed', LIMIT, (t) => {
  t.equal(judgePairs(steady).verdict, 'PASS');
  t.equal(judgePairs({ ...steady, sender: shift(5, 6) }).verdict, 'PASS', 'a fifth');
  t.equal(judgePairs({ ...steady, sender: shift(0.1, 0.39) }).verdict, 'PASS', 'less than 0.3 ms');
  t.end();
});

t.test('faults that move p99 more fail where the sender was moved, on a machine that was not', LIMIT, (t) => {
  const moved = { ...steady, sender: shift(1, 1.5), receiver: shift(2, 3) };
  t.same(judgePairs(moved), {
    verdict: 'FAIL',
    why: [
      'p99 at the sender 1.50 times and 0.50 ms more than without faults',
      'p99 at the receiver 1.50 times and 1.00 ms more than without faults',
    ],
  });
  t.equal(judgePairs({ ...moved, floor: shift(0.5, 2) }).verdict, 'INCONCLUSIVE');
  t.equal(judgePairs({ ...moved, otherCpu: 0.4 }).verdict, 'INCONCLUSIVE');
  t.equal(judgePairs({ ...steady, receiver: shift(2, 3) }).verdict, 'INCONCLUSIVE', 'at the receiver only');
  t.equal(judgePairs({ ...steady, sender: shift(1, NaN) }).verdict, 'FAIL');
  t.end();
});

t.test('a ring that runs empty fails, unless the machine stood still for as long', LIMIT, (t) => {
  const empty = { ...steady, underruns: 1 };
  t.same(judgePairs(empty), { verdict: 'FAIL', why: ['1 slots without a frame'] });
  t.equal(judgePairs({ ...empty, floorMax: 250 }).verdict, 'INCONCLUSIVE');
  t.equal(judgePairs({ ...empty, floorMax: 250, missing: 1 }).verdict, 'FAIL');
  t.end();
});

const lead = (leadMs: number, underruns: number): LeadEvidence => ({
  leadMs,
  stallMs: 300,
  times: 5,
  stalls: 5,
  underruns,
  missing: 0,
  undecrypted: 0,
  violations: 0,
  floorMax: 5,
  otherCpu: 0.02,
});

t.test('a long stall passes when it is heard under the short lead only', LIMIT, (t) => {
  t.same(judgeLeads(lead(200, 40), lead(400, 0)), {
    verdict: 'PASS',
    why: ['300 ms: 40 slots without a frame at lead 200, none at 400'],
  });
  t.equal(judgeLeads(lead(200, 40), lead(400, 1)).verdict, 'FAIL');
  t.equal(judgeLeads(lead(200, 0), lead(400, 0)).verdict, 'FAIL', 'nothing was shown');
  t.equal(judgeLeads(lead(200, 40), { ...lead(400, 1), floorMax: 90 }).verdict, 'INCONCLUSIVE');
  t.equal(judgeLeads(lead(200, 40), { ...lead(400, 1), otherCpu: 0.5 }).verdict, 'INCONCLUSIVE');
  t.equal(judgeLeads(lead(200, 40), { ...lead(400, 0), missing: 1 }).verdict, 'FAIL');
  t.equal(judgeLeads(lead(200, 40), { ...lead(400, 0), stalls: 4 }).verdict, 'FAIL');
  t.end();
});

const side: PhaseEvidence['quiet'] = {
  receiverP99: 2,
  senderP99: 1,
  floorP99: 0.5,
  underruns: 0,
  missing: 0,
  undecrypted: 0,
  violations: 0,
  otherCpu: 0.02,
};
const phase: PhaseEvidence = {
  name: 'joins',
  count: 1_000,
  cpuMsEach: 8,
  quiet: side,
  busy: { ...side, receiverP99: 3, senderP99: 1.5 },
};
const speaking: SpeakingEvidence = {
  silentCores: [0.2, 0.201, 0.199],
  speakingCores: [0.203, 0.204, 0.202],
  underruns: 0,
  otherCpu: 0.02,
};

t.test('players that do not notice the others pass, and speakers that cost two in a hundred', LIMIT, (t) => {
  t.same(judgeChurn([phase, phase], speaking), {
    verdict: 'PASS',
    why: ['speaking members cost 1.5 % more'],
  });
  t.end();
});

t.test('players that notice the others fail where the sender was late', LIMIT, (t) => {
  const busy = (more: Partial<PhaseEvidence['busy']>) =>
    judgeChurn([{ ...phase, busy: { ...phase.busy, ...more } }], speaking);
  t.equal(busy({ senderP99: 1.6 }).verdict, 'FAIL');
  t.equal(busy({ receiverP99: 3.2 }).verdict, 'INCONCLUSIVE');
  t.equal(busy({ senderP99: 1.6, floorP99: 4 }).verdict, 'INCONCLUSIVE');
  t.equal(busy({ senderP99: 1.6, floorP99: 1 }).verdict, 'FAIL', 'a floor that is low is no excuse');
  t.same(busy({ underruns: 2, floorP99: 4 }), { verdict: 'FAIL', why: ['joins: 2 slots without a frame'] });
  t.equal(busy({ undecrypted: 1 }).verdict, 'FAIL');
  t.equal(busy({ receiverP99: NaN, senderP99: NaN }).verdict, 'FAIL');
  t.end();
});

t.test('speakers that cost more fail where silent windows are alike', LIMIT, (t) => {
  const dear = { ...speaking, speakingCores: [0.21, 0.21, 0.21] };
  t.same(judgeChurn([phase], dear), { verdict: 'FAIL', why: ['speaking members cost 5.0 % more'] });
  const restless = { ...dear, silentCores: [0.19, 0.195, 0.2, 0.205, 0.21] };
  t.equal(judgeChurn([phase], restless).verdict, 'INCONCLUSIVE');
  t.equal(judgeChurn([phase], { ...dear, otherCpu: 0.4 }).verdict, 'INCONCLUSIVE');
  t.equal(judgeChurn([phase], { ...speaking, underruns: 1 }).verdict, 'FAIL');
  t.end();
});

t.test('a slope is that of the line, whatever its height and whoever scatters round it', LIMIT, (t) => {
  t.equal(
    slope([
      [0, 100],
      [10, 200],
    ]),
    10,
  );
  t.equal(
    slope([
      [0, 1],
      [1, 0],
      [2, 1],
    ]),
    0,
  );
  t.ok(
    Number.isNaN(
      slope([
        [5, 1],
        [5, 9],
      ]),
    ),
  );
  t.ok(Number.isNaN(slope([])));
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.integer({ min: -1_000, max: 1_000_000 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 2_000 }), { minLength: 2, maxLength: 8 }),
      (height, steep, counts) => {
        const found = slope(counts.map((count) => [count, height + steep * count] as const));
        return Math.abs(found - steep) <= 1e-6 * Math.max(1, Math.abs(steep), Math.abs(height));
      },
    ),
    { numRuns: 300 },
  );
  t.end();
});

const slopes = (idle: number, playing: number): KindSlopes => ({
  idle: idle * 1_000,
  gateway: 40_000,
  connected: 60_000,
  playing: playing * 1_000,
});

t.test('memory is held to 20 and 260 KB, and with a short window to 150', LIMIT, (t) => {
  const kept = [slopes(19, 259), slopes(20, 260), slopes(21, 261)];
  t.same(judgeMemory(kept, 5_000), { verdict: 'PASS', why: ['260 KB a player that is playing'] });
  t.same(judgeMemory([slopes(19, 261)], 5_000).why, ['261 KB a player that is playing; 260 KB are allowed']);
  t.equal(judgeMemory([slopes(21, 200)], 5_000).verdict, 'FAIL');
  t.equal(judgeMemory([slopes(19, 151)], 1_000).verdict, 'FAIL');
  t.equal(judgeMemory([slopes(19, 150)], 1_000).verdict, 'PASS');
  t.equal(judgeMemory([slopes(19, 255), slopes(19, 270), slopes(19, 271)], 5_000).verdict, 'INCONCLUSIVE');
  t.equal(judgeMemory([slopes(NaN, 100)], 5_000).verdict, 'FAIL');
  t.equal(judgeMemory([], 5_000).verdict, 'FAIL');
  t.end();
});
