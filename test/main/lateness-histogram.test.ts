// Claims about a histogram over counts that the shards keep.
import t from 'tap';
import { LatenessHistogram } from '../../src/main/lateness-histogram.js';

t.test(
  'buckets add up over shards and over bounds, and the last is the count',
  { timeout: 10_000 },
  async (t) => {
    const histogram = new LatenessHistogram('late', 'help', [1, 2.5, Infinity], () => [
      [5, 1, 0],
      [2, 0, 3],
    ]);
    const { values } = await histogram.get();
    t.strictSame(
      values.map(
        ({ metricName, labels, value }) => `${metricName} ${labels['le'] ?? '-'} ${value.toFixed(4)}`,
      ),
      [
        'late_bucket 0.001 7.0000',
        'late_bucket 0.0025 8.0000',
        'late_bucket +Inf 11.0000',
        'late_sum - 0.0170',
        'late_count - 11.0000',
      ],
    );
  },
);
