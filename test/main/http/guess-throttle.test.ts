// The throttle of password guessing under a clock that is moved by hand.
import t from 'tap';

import { GuessThrottle } from '../../../src/main/http/guess-throttle.js';
import { EDGE } from '../../../src/shared/limits.js';
import { ManualClock } from '../../support/manual-clock.js';

const timeout = 10_000;

function refusals(throttle: GuessThrottle, address: string, tries: number): number {
  let refused = 0;
  for (let count = 0; count < tries; count++) if (throttle.isExcessive(address)) refused++;
  return refused;
}

void t.test('the twenty-first wrong try inside ten seconds is one too many', { timeout }, async (t) => {
  const clock = new ManualClock();
  const throttle = new GuessThrottle(clock);
  t.equal(refusals(throttle, 'a', EDGE.maxGuesses), 0);
  t.equal(refusals(throttle, 'a', 5), 5);
  t.equal(refusals(throttle, 'b', 1), 0);
  clock.advance(EDGE.guessPenalty - 1);
  t.equal(refusals(throttle, 'a', 1), 1);
  clock.advance(1);
  t.equal(refusals(throttle, 'a', 1), 0);
});

void t.test('nineteen wrong tries in every ten seconds are never refused', { timeout }, async (t) => {
  const clock = new ManualClock();
  const throttle = new GuessThrottle(clock);
  for (let round = 0; round < 10; round++) {
    t.equal(refusals(throttle, 'a', EDGE.maxGuesses - 1), 0);
    clock.advance(EDGE.guessWindow);
  }
});

void t.test(
  'the window slides: ten before its middle and ten after it are twenty',
  { timeout },
  async (t) => {
    const clock = new ManualClock();
    const throttle = new GuessThrottle(clock);
    clock.advance(EDGE.guessWindow - 1);
    t.equal(refusals(throttle, 'a', 10), 0);
    clock.advance(EDGE.guessWindow / 2);
    t.equal(refusals(throttle, 'a', 10), 0);
    t.equal(refusals(throttle, 'a', 1), 1);
  },
);

void t.test('the table of addresses has a ceiling and empties by itself', { timeout }, async (t) => {
  const clock = new ManualClock();
  const throttle = new GuessThrottle(clock);
  for (let index = 0; index < EDGE.maxGuessers + 500; index++) throttle.isExcessive(`${index}`);
  t.equal(throttle.size, EDGE.maxGuessers);
  t.equal(refusals(throttle, 'latest', EDGE.maxGuesses + 1), 1, 'a full table still counts');
  clock.advance(EDGE.guessWindow + EDGE.guessPenalty);
  throttle.isExcessive('new');
  t.equal(throttle.size, 1);
});
