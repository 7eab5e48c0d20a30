// The table of close codes against decision D8, and the waits between tries.

import t from 'tap';
import { VOICE } from '../../../src/shared/limits.js';
import { closeRule, resumeDelay } from '../../../src/shard/voice/close-rules.js';
import type { CloseRule } from '../../../src/shard/voice/close-rules.js';

const EXPECTED: Readonly<Record<CloseRule, readonly number[]>> = {
  end: [1000, 4004, 4006, 4011, 4014, 4017, 4021, 4022],
  resume: [1001, 1005, 1006, 4000, 4013, 4015],
  resumeOnce: [4009],
  identify: [4001, 4002, 4003, 4005, 4012, 4016, 4020],
};

for (const [rule, codes] of Object.entries(EXPECTED)) {
  t.test(`${codes.join(', ')}: ${rule}`, { timeout: 5_000 }, async (t) => {
    for (const code of codes) t.equal(closeRule(code), rule, `${code}`);
  });
}

t.test('a code that nobody knows ends the connection', { timeout: 5_000 }, async (t) => {
  t.equal(closeRule(4999), 'end');
});

t.test('the waits double up to the last one and are spread by a quarter', { timeout: 5_000 }, async (t) => {
  const middle = [1, 2, 3, 4, 5, 6, 7].map((attempt) => resumeDelay(attempt, VOICE.resumeFirstDelay, 0.5));
  t.same(middle, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  t.equal(resumeDelay(1, 250, 0), 187.5);
  t.ok(resumeDelay(1, 250, 0.999) < 312.5);
});
