// When a run of the packet bench passes, fails or proves nothing, and the median that it is made of.
import t from 'tap';
import { judgePackets, median, type PacketEvidence } from '../../bench/packet-verdict.js';

const LIMIT = { timeout: 10_000 };

const good: PacketEvidence = {
  dave: [2.5, 2.6, 2.4],
  whole: [5, 5.1, 4.9],
  inC: [3, 3.1, 2.9],
};

t.test('the median is the middle of the values in order', LIMIT, (t) => {
  t.equal(median([9, 1, 10]), 9);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([7]), 7);
  t.ok(Number.isNaN(median([])));
  t.end();
});

t.test('what keeps both limits passes, on a restless machine too', LIMIT, (t) => {
  t.same(judgePackets(good), { verdict: 'PASS', why: ['1.67 times the C program'] });
  t.equal(judgePackets({ ...good, whole: [6, 6, 6], dave: [5, 5, 5] }).verdict, 'PASS', 'at the limits');
  t.equal(judgePackets({ ...good, inC: [1, 3, 5] }).verdict, 'PASS');
  t.end();
});

t.test('what misses a limit in steady rounds fails', LIMIT, (t) => {
  const slow = { ...good, whole: [6.1, 6.1, 6.1] };
  t.same(judgePackets(slow), { verdict: 'FAIL', why: ['2.03 times the C program; 2 are allowed'] });
  const heavy = judgePackets({ ...good, dave: [5.1, 5.1, 5.1] });
  t.same(heavy, { verdict: 'FAIL', why: ['DAVE took 5.10 µs a packet; 5 are allowed'] });
  t.equal(judgePackets({ ...slow, dave: [6, 6, 6] }).why.length, 2);
  t.equal(judgePackets({ ...good, whole: [NaN] }).verdict, 'FAIL');
  t.equal(judgePackets({ ...good, dave: [] }).verdict, 'FAIL');
  t.end();
});

t.test('what misses a limit in rounds that differ proves nothing', LIMIT, (t) => {
  t.equal(judgePackets({ ...good, whole: [4, 7, 7] }).verdict, 'INCONCLUSIVE');
  t.equal(judgePackets({ ...good, whole: [7, 7, 7], inC: [2, 3, 3] }).verdict, 'INCONCLUSIVE');
  t.equal(judgePackets({ ...good, dave: [3, 6, 6] }).verdict, 'INCONCLUSIVE');
  t.end();
});

t.test('without the C program there is no pass, but DAVE can fail', LIMIT, (t) => {
  const alone = { ...good, inC: 'there is no C compiler (cc)' };
  t.same(judgePackets(alone), {
    verdict: 'INCONCLUSIVE',
    why: ['nothing to compare with: there is no C compiler (cc)'],
  });
  t.equal(judgePackets({ ...alone, dave: [6, 6, 6] }).verdict, 'FAIL');
  t.equal(judgePackets({ ...alone, dave: [3, 6, 6] }).verdict, 'INCONCLUSIVE');
  t.end();
});
