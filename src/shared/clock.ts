// The only file that reads a clock. Pacing, deadlines and ages use `now` (monotonic, one origin in all
// threads of the process); `wall` is only for what a client is shown. Every loop takes a Clock, so that a
// test can tick it by hand.

export interface Timer {
  /** Ends the timer; harmless when it has fired already. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the process started, fractional, monotonic, the same origin in every thread. */
  now(): number;
  /** Epoch milliseconds, whole. */
  wall(): number;
  /** Calls `action` once after `ms` milliseconds. */
  after(ms: number, action: () => void): Timer;
  /** Calls `action` in the next turn of the event loop, after pending input and output. */
  soon(action: () => void): void;
}

/** A longer one fires at once: the platform counts in 32 bits. Milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, action) {
    if (ms > LONGEST_TIMER) {
      let next = systemClock.after(LONGEST_TIMER, () => {
        next = systemClock.after(ms - LONGEST_TIMER, action);
      });
      return { cancel: () => next.cancel() };
    }
    const handle = setTimeout(action, ms);
    return { cancel: () => clearTimeout(handle) };
  },
  soon(action) {
    setImmediate(action);
  },
};
