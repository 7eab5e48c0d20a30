// What the machine and the process say about themselves: memory, processor time, cores and their limits
// (cgroup v2 and v1). Reads small files of /proc and /sys only. Main thread; tests put fixed readings in its
// place. A file that is not there or says nothing sensible counts as "no limit".
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** Busy and total time of all processors since boot, in one and the same unit. */
export interface SystemTime {
  readonly busy: number;
  readonly total: number;
}

export interface ProcessMemory {
  /** Heap, external memory and array buffers of this thread, in bytes. */
  readonly used: number;
  /** Resident set of the whole process, in bytes. */
  readonly resident: number;
}

export interface Machine {
  /** Cores this process may use, at least 1. */
  readonly cores: number;
  /** Bytes this process may use: the memory limit, or all there is. */
  memoryLimit(): number;
  memory(): ProcessMemory;
  /** Milliseconds of processor time of the whole process. */
  processTime(): number;
  /** null where the system does not tell. */
  systemTime(): SystemTime | null;
}

export type ReadText = (path: string) => string | null;

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

export function localMachine(read: ReadText = readText): Machine {
  return {
    cores: coresOf(read, availableParallelism()),
    memoryLimit: () => Math.min(limitOf(read) ?? Infinity, totalmem()),
    memory() {
      const usage = process.memoryUsage();
      return { used: usage.heapUsed + usage.external, resident: usage.rss };
    },
    processTime() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    systemTime: () => systemTimeOf(read('/proc/stat')),
  };
}

/** Whole cores of the quota, rounded up, and never more than there are. */
export function coresOf(read: ReadText, present: number): number {
  const quota = quotaV2(read) ?? quotaV1(read);
  return quota === null ? present : Math.max(1, Math.min(present, Math.ceil(quota)));
}

function quotaV2(read: ReadText): number | null {
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').trim().split(/\s+/).map(Number);
  return ratio(quota, period);
}

function quotaV1(read: ReadText): number | null {
  const quota = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? NaN);
  return ratio(quota, Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? NaN));
}

function ratio(quota: number | undefined, period: number | undefined): number | null {
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : null;
}

/** The memory limit of the control group in bytes, or null. */
export function limitOf(read: ReadText): number | null {
  const text = read('/sys/fs/cgroup/memory.max') ?? read('/sys/fs/cgroup/memory/memory.limit_in_bytes');
  const limit = Number(text?.trim() || NaN);
  return Number.isFinite(limit) && limit > 0 ? limit : null;
}

/** Reads the first line of /proc/stat: user nice system idle iowait irq softirq steal …. */
export function systemTimeOf(text: string | null): SystemTime | null {
  const line = text?.split('\n', 1)[0] ?? '';
  if (!line.startsWith('cpu ')) return null;
  // Guest time (the ninth and tenth) is part of user time already.
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = times.reduce((sum, time) => sum + time, 0);
  if (!Number.isFinite(total) || times.length < 5) return null;
  return { busy: total - (times[3] ?? 0) - (times[4] ?? 0), total };
}
