// Gives the calling thread a name that `top -H`, `ps -L` and a debugger show. Called once by each worker's
// entry at its start, so its synchronous file calls delay nothing. Linux only; elsewhere it does nothing.

import { readlinkSync, writeFileSync } from 'node:fs';

/** The kernel keeps 15 bytes and the terminating zero. */
const MAX_BYTES = 15;

/** Names the thread that calls it; ASCII, cut to 15 characters. Never throws. */
export function nameThread(name: string): void {
  try {
    // "PID/task/TID": Node tells a worker its threadId, which is not the kernel's.
    const tid = readlinkSync('/proc/thread-self').split('/')[2];
    if (tid === undefined) return;
    writeFileSync(`/proc/self/task/${tid}/comm`, name.slice(0, MAX_BYTES));
  } catch {
    // No /proc, or one that is mounted read-only: a missing name hurts nobody.
  }
}
