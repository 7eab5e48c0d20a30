// Claims about the system's clock: a timer never fires early, however long it is.
import t from 'tap';
import { systemClock } from '../../src/shared/clock.js';

t.test('a timer longer than the platform can count does not fire at once', { timeout: 10_000 }, async (t) => {
  let fired = 0;
  // A session may be resumable for thirty days (pumice.resume.maxTimeout).
  const month = systemClock.after(30 * 86_400_000, () => fired++);
  const gone = systemClock.after(1, () => fired++);
  gone.cancel();
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  t.equal(fired, 0);
  month.cancel();
});
