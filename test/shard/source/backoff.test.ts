// The waits between reconnections. Reliability case 35.

import t from 'tap';

import { backoff } from '../../../src/shard/source/backoff.js';

const limit = { timeout: 10_000 };

t.test('waits double from a quarter of a second to ten seconds', limit, async (t) => {
  const even = [0, 1, 2, 3, 4, 5, 6, 20, 2_000].map((attempt) => backoff(attempt, () => 0.5));
  t.same(even, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
});

t.test('chance lengthens a wait as well as shortening it', limit, async (t) => {
  t.equal(
    backoff(2, () => 0),
    750,
  );
  t.ok(backoff(2, () => 0.999) > 1_240);
});
