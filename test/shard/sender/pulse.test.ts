// The pulse of a sender thread, on a clock moved by hand.
import t from 'tap';
import { SENDER_PULSE, SENDER_WORDS } from '../../../src/shared/sender-task.js';
import { startPulse } from '../../../src/shard/sender/pulse.js';
import { ManualClock } from '../../support/manual-clock.js';

t.test('a sender beats at once, then twice a second and no oftener', { timeout: 5_000 }, (t) => {
  const clock = new ManualClock();
  const counters = new Float64Array(SENDER_WORDS);
  const pulse = startPulse(clock, counters);
  t.equal(counters[SENDER_PULSE], 1);
  clock.advance(499);
  t.equal(counters[SENDER_PULSE], 1);
  clock.advance(9_501);
  t.equal(counters[SENDER_PULSE], 21);
  t.equal(clock.pending, 1, 'one timer');
  pulse.cancel();
  t.equal(clock.pending, 0);
  t.end();
});
