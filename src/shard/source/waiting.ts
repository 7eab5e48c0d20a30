// Waiting that can be given up at once: a pause on the clock, a promise of somebody else, and one signal made
// of two. Used by the sources; leaves no timer and no listener behind.

import type { Clock } from '../../shared/clock.js';

/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The outcome of `work`, or the signal's reason if that comes first; `work` is then left to itself. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const settled = (action: () => void) => {
      signal.removeEventListener('abort', onAbort);
      action();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => settled(() => resolve(value)),
      (error: unknown) => settled(() => reject(error)),
    );
  });
}

/** Runs `action` with a signal that follows two others. AbortSignal.any would keep a trace on both. */
export async function underBoth<T>(
  one: AbortSignal,
  other: AbortSignal,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const onOne = (): void => both.abort(one.reason);
  const onOther = (): void => both.abort(other.reason);
  if (one.aborted) onOne();
  else if (other.aborted) onOther();
  one.addEventListener('abort', onOne, { once: true });
  other.addEventListener('abort', onOther, { once: true });
  try {
    return await action(both.signal);
  } finally {
    one.removeEventListener('abort', onOne);
    other.removeEventListener('abort', onOther);
  }
}
