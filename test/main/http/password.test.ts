// The password check: what is right, and that its time does not depend on how much of a guess is right.
import fc from 'fast-check';
import t from 'tap';

import { PasswordGuard } from '../../../src/main/http/password.js';
import { EDGE } from '../../../src/shared/limits.js';
import { ManualClock } from '../../support/manual-clock.js';

const timeout = 10_000;
const PASSWORD = 'youshallnotpass';

void t.test('only the very password is right', { timeout }, async (t) => {
  const guard = new PasswordGuard(PASSWORD, new ManualClock());
  t.equal(guard.check(PASSWORD, '127.0.0.1'), true);
  const wrong = [
    '',
    'Youshallnotpass',
    'youshallnotpas',
    'youshallnotpass ',
    'x'.repeat(65_536),
    'p\u00e4\u20ac\0',
  ];
  for (const given of wrong) t.equal(guard.check(given, '127.0.0.1'), false);
});

void t.test('any password is right for itself and wrong for any other', { timeout }, async () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (password, other) => {
      const guard = new PasswordGuard(password, new ManualClock());
      return guard.check(password, 'a') && guard.check(other, 'a') === (other === password);
    }),
    { numRuns: 200 },
  );
});

void t.test(
  'a password beyond ASCII is right in UTF-8 and in the form HTTP clients send',
  { timeout },
  async (t) => {
    const guard = new PasswordGuard('p\u00e4ss', new ManualClock());
    t.equal(guard.check('p\u00e4ss', 'a'), true);
    t.equal(guard.check(Buffer.from('p\u00e4ss').toString('latin1'), 'a'), true);
    t.equal(guard.check('p\u00f6ss', 'a'), false);
    const euro = new PasswordGuard('5\u20ac', new ManualClock());
    t.equal(euro.check(Buffer.from('5\u20ac').toString('latin1'), 'a'), true);
    t.equal(euro.check('5\u00ac', 'a'), false, 'its low byte alone is not enough');
  },
);

void t.test('without a password nothing is right', { timeout }, async (t) => {
  const guard = new PasswordGuard('', new ManualClock());
  t.equal(guard.check('', 'a'), false);
  t.equal(guard.check('x', 'b'), false);
});

void t.test(
  'after twenty wrong tries wrong ones are refused, the right one never',
  { timeout },
  async (t) => {
    const clock = new ManualClock();
    const guard = new PasswordGuard(PASSWORD, clock);
    for (let count = 0; count < EDGE.maxGuesses; count++) t.equal(guard.check('wrong', 'mallory'), false);
    t.throws(() => guard.check('wrong', 'mallory'), { code: 'PUM_AUTH_THROTTLED' });
    t.equal(guard.check(PASSWORD, 'mallory'), true);
    t.equal(guard.check('wrong', 'somebody else'), false);
    clock.advance(EDGE.guessPenalty);
    t.equal(guard.check('wrong', 'mallory'), false);
  },
);

void t.test('a guess with the right beginning takes no longer', { timeout: 30_000 }, async (t) => {
  const password = 'p'.repeat(64);
  const guard = new PasswordGuard(password, new ManualClock());
  const guesses = [`x${'p'.repeat(63)}`, `${'p'.repeat(63)}x`] as const;
  const times: [number[], number[]] = [[], []];
  for (let count = 0; count < 20_000; count++) {
    for (const which of [0, 1] as const) {
      const start = performance.now();
      // Each try has an address of its own, so none is throttled.
      guard.check(guesses[which], `${count} ${which}`);
      times[which].push(performance.now() - start);
    }
  }
  const [first, last] = times.map((all) => all.sort((a, b) => a - b)[all.length / 2] ?? NaN);
  // Promised is half a microsecond; threefold slack for a busy machine.
  t.ok(Math.abs((first ?? NaN) - (last ?? NaN)) < 0.0015, `medians ${first} and ${last} ms`);
});
