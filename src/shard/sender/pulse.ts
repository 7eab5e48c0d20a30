// The pulse of a sender thread, which main's watchdog reads from shared memory (reliability.md case 9, decision C11):
// it beats while the thread takes its turns, with work or without. Started by the sender's entry.

import type { Clock, Timer } from '../../shared/clock.js';
import { count } from '../../shared/driver-words.js';
import { SENDER_PULSE } from '../../shared/sender-task.js';

/** An idle sender wakes for nothing else, so no oftener than the watchdog needs. Milliseconds. */
const BEAT_MS = 500;

/** Beats at once, so that main sees that the thread has come up, and then every half second. */
export function startPulse(clock: Clock, counters: Float64Array): Timer {
  count(counters, SENDER_PULSE);
  let timer = clock.after(BEAT_MS, beat);
  function beat(): void {
    count(counters, SENDER_PULSE);
    timer = clock.after(BEAT_MS, beat);
  }
  return {
    cancel: () => {
      timer.cancel();
    },
  };
}
