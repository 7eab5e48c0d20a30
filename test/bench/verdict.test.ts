// When a run of the capacity bench passes, fails or proves nothing; and what is read from the metrics page.
import t from 'tap';
import { senderCounts, senderLateness, since } from '../../bench/sender-counts.js';
import { judge, type Evidence } from '../../bench/verdict.js';

const LIMIT = { timeout: 10_000 };

const good: Evidence = {
  players: 50,
  seconds: 20,
  packets: 50_000,
  missing: 0,
  undecrypted: 0,
  violations: 0,
  receiver: { p99: 2 },
  sender: { p99: 2.5 },
  floor: { p99: 0.5 },
  otherCpu: 0.02,
};

t.test('a run with every packet in time passes', LIMIT, (t) => {
  t.equal(judge(good).verdict, 'PASS');
  t.equal(judge({ ...good, packets: 49_951 }).verdict, 'PASS', 'less than a packet a player short');
  t.equal(judge({ ...good, floor: { p99: 9 }, otherCpu: 1 }).verdict, 'PASS', 'on a busy machine too');
  t.end();
});

t.test('lost and damaged packets fail on any machine', LIMIT, (t) => {
  const busy = { floor: { p99: 9 }, otherCpu: 1 };
  for (const fault of [{ missing: 1 }, { undecrypted: 1 }, { violations: 1 }]) {
    t.equal(judge({ ...good, ...busy, ...fault }).verdict, 'FAIL');
  }
  t.end();
});

t.test('too few packets fail on a quiet machine and prove nothing on a busy one', LIMIT, (t) => {
  const few = { ...good, packets: 49_900 };
  t.same(judge(few), { verdict: 'FAIL', why: ['99.80 % of the packets'] });
  t.equal(judge({ ...few, floor: { p99: 3 } }).verdict, 'INCONCLUSIVE');
  t.equal(judge({ ...few, otherCpu: 0.5 }).verdict, 'INCONCLUSIVE');
  t.end();
});

t.test('late packets fail only where the sender was late', LIMIT, (t) => {
  const late = { ...good, receiver: { p99: 6 } };
  t.equal(judge({ ...late, sender: { p99: 10 } }).verdict, 'FAIL');
  t.equal(judge({ ...late, sender: { p99: 10 }, otherCpu: 0.5 }).verdict, 'INCONCLUSIVE');
  const { verdict, why } = judge(late);
  t.equal(verdict, 'INCONCLUSIVE');
  t.match(why[0], 'it left the sender within 2.5 ms');
  t.equal(judge({ ...good, receiver: { p99: NaN }, sender: { p99: NaN } }).verdict, 'FAIL');
  t.end();
});

t.test('lateness of a window is the difference of two pages', LIMIT, (t) => {
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
  const window = since(read([1_995, 2_095, 2_100], 7), read([1_000, 1_095, 1_100], 4));
  t.equal(window.nulled, 3);
  t.same(senderLateness(window), { frames: 1_000, p50: 1, p99: 1, p999: 2.5, max: 2.5 });
  t.equal(senderLateness(since(read([5, 5, 6], 0), read([5, 5, 5], 0))).max, Infinity);
  t.throws(() => senderCounts('# nothing'), /nothing about lateness/);
  t.end();
});
