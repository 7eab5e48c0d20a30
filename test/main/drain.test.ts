// Claims about the drain as a state that only moves on.
import t from 'tap';
import { Drain } from '../../src/main/drain.js';
import { ManualClock } from '../support/manual-clock.js';

t.test('work is admitted while serving only', { timeout: 10_000 }, (t) => {
  const clock = new ManualClock();
  const drain = new Drain();
  drain.admit();
  t.equal(
    drain.begin(clock, 1_000, () => undefined),
    true,
  );
  t.equal(drain.kind, 'draining');
  t.throws(() => drain.admit(), { code: 'PUM_HTTP_SHUTTING_DOWN' });
  t.equal(
    drain.begin(clock, 1_000, () => undefined),
    false,
    'a drain begins once',
  );
  drain.stop();
  t.equal(drain.kind, 'stopped');
  t.equal(clock.pending, 0, 'its deadline is gone');
  t.end();
});

t.test('the deadline expires when nothing stops it', { timeout: 10_000 }, (t) => {
  const clock = new ManualClock();
  let expired = false;
  new Drain().begin(clock, 1_000, () => {
    expired = true;
  });
  clock.advance(1_000);
  t.equal(expired, true);
  t.end();
});
