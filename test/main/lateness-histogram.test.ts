// Claims about a histogram over counts that the senders keep.
import t from 'tap';
import { LatenessHistogram } from '../../src/main/lateness-histogram.js';

t.test(
  'each sender has its series, whose buckets add up and end in the count',
  { timeout: 10_000 },
  async (t) => {
    const histogram = new LatenessHistogram('late', 'help', [1, 2.5, Infinity], () => [
      { sender: 'snd0', counts: [5, 1, 0] },
      { sender: 'snd1', counts: [2, 0, 3] },
    ]);
    const { values } = await histogram.get();
    t.strictSame(
      values.map(({ metricName, labels, value }) => {
        return `${String(labels['sender'])} ${metricName} ${labels['le'] ?? '-'} ${value.toFixed(4)}`;
      }),
      [
        'snd0 late_bucket 0.001 5.0000',
        'snd0 late_bucket 0.0025 6.0000',
        'snd0 late_bucket +Inf 6.0000',
        'snd0 late_sum - 0.0075',
        'snd0 late_count - 6.0000',
        'snd1 late_bucket 0.001 2.0000',
        'snd1 late_bucket 0.0025 2.0000',
        'snd1 late_bucket +Inf 5.0000',
        'snd1 late_sum - 0.0095',
        'snd1 late_count - 5.0000',
      ],
    );
  },
);
