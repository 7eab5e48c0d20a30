// The kernel's priority of single threads (`pumice.performance.priorityScheduling`): senders before shards,
// shards before the main thread, and all of them before what can wait. Called by each thread for itself, once;
// main plans it. Linux only, where a nice value belongs to a thread; elsewhere it does nothing. Never throws.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Nice values by kind of thread. */
export interface ThreadPriorities {
  readonly sender: number;
  readonly shard: number;
  readonly main: number;
  /** Loaders, and the threads on which collectors and compilers work beside the others. */
  readonly background: number;
}

const LOWEST = 19;
/** Bit of CAP_SYS_NICE in a thread's capabilities. */
const MAY_NICE = 1n << 23n;
/** What Node calls the threads of its platform, by version; a thread without a name of its own bears the program's. */
const PLATFORM_THREADS = /^(?:node|V8Worker|DelayedTaskSche)/;

/** From the priority that the process was started with; null where threads have none of their own. */
export function planPriorities(): ThreadPriorities | null {
  if (process.platform !== 'linux') return null;
  const base = getPriority();
  // A thread that main starts later has main's value, and without the right to raise it keeps that.
  const [shard, main] = mayRaiseTo(base) ? [2, 5] : [0, 1];
  const by = (steps: number): number => Math.min(LOWEST, base + steps);
  return { sender: base, shard: by(shard), main: by(main), background: by(10) };
}

/** For the thread that calls. Null changes nothing. */
export function setThreadPriority(nice: number | null): void {
  if (nice === null) return;
  try {
    // "PID/task/TID": the process's own id would be the main thread's.
    setPriority(Number(readlinkSync('/proc/thread-self').split('/')[2]), nice);
  } catch {
    // No /proc, or no right to it: everything runs as it would have.
  }
}

/** For the threads that Node and V8 have started for themselves. Null changes nothing. */
export function setPlatformPriority(nice: number | null): void {
  if (nice === null) return;
  for (const tid of listed('/proc/self/task')) {
    try {
      const name = readFileSync(`/proc/self/task/${tid}/comm`, 'utf8');
      if (Number(tid) !== process.pid && PLATFORM_THREADS.test(name)) setPriority(Number(tid), nice);
    } catch {
      continue; // One that has ended meanwhile.
    }
  }
}

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Whether a thread that was lowered may go back: LimitNICE= of the unit, or the capability. */
function mayRaiseTo(nice: number): boolean {
  try {
    const limit = /^Max nice priority\s+(\d+|unlimited)/m.exec(
      readFileSync('/proc/self/limits', 'utf8'),
    )?.[1];
    const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    // The limit counts from the other end: 40 is nice -20.
    const allowed = limit === 'unlimited' ? -20 : 20 - Number(limit ?? 0);
    return allowed <= nice || (BigInt(`0x${capabilities ?? '0'}`) & MAY_NICE) !== 0n;
  } catch {
    return false;
  }
}
