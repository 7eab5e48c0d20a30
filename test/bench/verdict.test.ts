// When a run of capacity or soak passes, fails or proves nothing; and what is read from the metrics page.
import fc from 'fast-check';
import t from 'tap';
import { senderCounts, senderLateness, since, within } from '../../bench/sender-counts.js';
import { conclude, judge, soakLimits, type Evidence, type Verdict } from '../../bench/verdict.js';

const LIMIT = { timeout: 10_000 };

/** Both quantiles of a side. */
const at = (p99: number, p999 = p99) => ({ p99, p999 });

const good: Evidence = {
  players: 50,
  seconds: 20,
  packets: 50_000,
  missing: 0,
  undecrypted: 0,
  violations: 0,
  receiver: at(2),
  sender: at(2.5),
  floor: at(0.5),
  cpu: 0.2,
  otherCpu: 0.02,
};

t.test('a run with every packet in time passes', LIMIT, (t) => {
  t.equal(judge(good).verdict, 'PASS');
  t.equal(judge({ ...good, packets: 49_951 }).verdict, 'PASS', 'less than a packet a player short');
  t.equal(judge({ ...good, floor: at(9), otherCpu: 1 }).verdict, 'PASS', 'on a busy machine too');
  t.equal(judge({ ...good, receiver: at(2, 90), sender: at(2.5, 100), cpu: 2 }).verdict, 'PASS', 'not asked');
  t.end();
});

t.test('lost and damaged packets fail on any machine', LIMIT, (t) => {
  const busy = { floor: at(9), otherCpu: 1 };
  for (const fault of [{ missing: 1 }, { undecrypted: 1 }, { violations: 1 }]) {
    t.equal(judge({ ...good, ...busy, ...fault }).verdict, 'FAIL');
  }
  t.end();
});

t.test('too few packets fail on a quiet machine and prove nothing on a busy one', LIMIT, (t) => {
  const few = { ...good, packets: 49_900 };
  t.same(judge(few), { verdict: 'FAIL', why: ['99.80 % of the packets'] });
  t.equal(judge({ ...few, floor: at(3) }).verdict, 'INCONCLUSIVE');
  t.equal(judge({ ...few, otherCpu: 0.5 }).verdict, 'INCONCLUSIVE');
  t.end();
});

t.test('late packets fail only where the sender was late', LIMIT, (t) => {
  const late = { ...good, receiver: at(6) };
  t.equal(judge({ ...late, sender: at(10) }).verdict, 'FAIL');
  t.equal(judge({ ...late, sender: at(10), otherCpu: 0.5 }).verdict, 'INCONCLUSIVE');
  const { verdict, why } = judge(late);
  t.equal(verdict, 'INCONCLUSIVE');
  t.match(why[0], 'it left the sender within 2.5 ms');
  t.equal(judge({ ...good, receiver: at(NaN), sender: at(NaN) }).verdict, 'FAIL');
  t.end();
});

t.test('a soak of 500 is held to two milliseconds, five, and half a core', LIMIT, (t) => {
  const limits = soakLimits(500);
  const soaked: Evidence = {
    ...good,
    players: 500,
    seconds: 300,
    packets: 7_500_000,
    receiver: at(2.5, 5.5),
    sender: at(2.5, 5),
    cpu: 0.5,
  };
  t.equal(judge(soaked, limits).verdict, 'PASS', 'at the limits, above the floor');
  t.same(judge({ ...soaked, cpu: 0.501 }, limits).why, ['0.501 cores; 0.5 are allowed']);
  t.equal(judge({ ...soaked, cpu: NaN }, limits).verdict, 'FAIL');
  t.equal(judge({ ...soaked, receiver: at(2.6, 5.5) }, limits).verdict, 'FAIL');
  t.equal(judge({ ...soaked, receiver: at(2.5, 5.6), sender: at(2.5, 10) }, limits).verdict, 'FAIL');
  const excused = judge({ ...soaked, receiver: at(2.5, 5.6) }, limits);
  t.equal(excused.verdict, 'INCONCLUSIVE');
  t.match(excused.why[0], /^p99\.9 5\.60 ms .* within 5 ms$/);
  const few = { ...soaked, packets: 7_500_000 * 0.99985 };
  t.equal(judge(few, limits).verdict, 'FAIL');
  t.equal(judge(few, soakLimits(1_000)).verdict, 'PASS');
  t.end();
});

t.test('a soak of 1,000 is held to four milliseconds and a core', LIMIT, (t) => {
  const limits = soakLimits(1_000);
  const soaked: Evidence = {
    ...good,
    players: 1_000,
    packets: 1_000_000,
    receiver: at(4.5, 30),
    sender: at(5, 40),
    cpu: 1,
  };
  t.equal(judge(soaked, limits).verdict, 'PASS');
  t.equal(judge({ ...soaked, receiver: at(4.6) }, limits).verdict, 'FAIL');
  t.equal(judge({ ...soaked, cpu: 1.01 }, limits).verdict, 'FAIL');
  t.equal(judge({ ...soaked, packets: 998_000 }, limits).verdict, 'FAIL');
  t.end();
});

t.test('nothing that gets worse makes a verdict better', LIMIT, (t) => {
  const rank: Record<Verdict, number> = { PASS: 0, INCONCLUSIVE: 1, FAIL: 2 };
  const some = fc.record({
    packets: fc.integer({ min: 0, max: 50_000 }),
    missing: fc.integer({ min: 0, max: 1 }),
    receiver: fc.record({ p99: fc.double({ min: 0, max: 20 }), p999: fc.double({ min: 0, max: 20 }) }),
    sender: fc.constantFrom(at(1), at(2.5), at(5), at(10)),
    floor: fc.constantFrom(at(0.5), at(3)),
    cpu: fc.double({ min: 0, max: 2, noNaN: true }),
    otherCpu: fc.constantFrom(0, 0.5),
    players: fc.constantFrom(50, 500, 1_000),
  });
  fc.assert(
    fc.property(some, (facts) => {
      const limits = soakLimits(facts.players);
      const evidence = { ...good, ...facts, players: 50 };
      const { verdict } = judge(evidence, limits);
      const { receiver, cpu } = facts;
      for (const worse of [
        { packets: facts.packets - 5_000 },
        { missing: facts.missing + 1 },
        { violations: 1 },
        { receiver: { p99: receiver.p99 + 5, p999: receiver.p999 + 5 } },
        { cpu: cpu + 1 },
      ]) {
        const after = judge({ ...evidence, ...worse }, limits);
        if (rank[after.verdict] < rank[verdict] || after.why.length === 0) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('hard faults outweigh doubts, doubts outweigh soft ones, and an excuse is neither', LIMIT, (t) => {
  const none = { hard: [], soft: [], doubts: [] };
  const praise = () => ['good'];
  t.same(conclude(none, [], praise), { verdict: 'PASS', why: ['good'] });
  t.same(conclude({ ...none, doubts: ['busy'] }, [], praise), { verdict: 'PASS', why: ['good'] });
  t.same(conclude({ ...none, soft: ['late'] }, [], praise), { verdict: 'FAIL', why: ['late'] });
  t.equal(conclude({ ...none, soft: ['late'], doubts: ['busy'] }, [], praise).verdict, 'INCONCLUSIVE');
  t.same(conclude(none, ['late elsewhere'], praise), { verdict: 'INCONCLUSIVE', why: ['late elsewhere'] });
  t.same(conclude({ ...none, soft: ['few'] }, ['late'], praise), { verdict: 'FAIL', why: ['few', 'late'] });
  t.equal(conclude({ hard: ['lost'], soft: [], doubts: ['busy'] }, ['late'], praise).verdict, 'FAIL');
  t.end();
});

const page = (counts: readonly number[], nulled: number): string =>
  [
    '# HELP lavalink_frame_lateness_seconds How much later than due a frame left',
    // Two senders: half of it each.
    ...['0.001', '0.0025', '+Inf'].flatMap((le, n) =>
      ['snd0', 'snd1'].map((sender) => {
        const labels = `sender="${sender}",le="${le}"`;
        return `lavalink_frame_lateness_seconds_bucket{${labels}} ${String((counts[n] ?? NaN) / 2)}`;
      }),
    ),
    `lavalink_frame_lateness_seconds_count ${String(counts[2])}`,
    `lavalink_audio_frames_nulled_total ${String(nulled)}`,
  ].join('\n');
const read = (...of: Parameters<typeof page>) => senderCounts(page(...of));

t.test('lateness of a window is the difference of two pages', LIMIT, (t) => {
  const window = since(read([1_995, 2_095, 2_100], 7), read([1_000, 1_095, 1_100], 4));
  t.equal(window.nulled, 3);
  t.same(senderLateness(window), { frames: 1_000, p50: 1, p99: 1, p999: 2.5, max: 2.5 });
  t.equal(senderLateness(since(read([5, 5, 6], 0), read([5, 5, 5], 0))).max, Infinity);
  t.throws(() => senderCounts('# nothing'), /nothing about lateness/);
  t.end();
});

t.test('between the bounds of a bucket lateness is taken to be spread evenly', LIMIT, (t) => {
  t.equal(within(read([980, 1_000, 1_000], 0), 0.99), 1.75);
  t.equal(within(read([1_000, 1_000, 1_000], 0), 0.5), 0.5);
  t.equal(within(read([0, 0, 10], 0), 0.99), 2.5, 'what has no end begins there');
  t.ok(Number.isNaN(within(read([0, 0, 0], 0), 0.99)));
  t.end();
});
