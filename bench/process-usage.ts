// What a process costs, from /proc: CPU seconds of all threads and of each, and its proportional share of
// memory; and what all processes cost. Used by demo and benches.
import { readdir, readFile } from 'node:fs/promises';

/** The kernel's clock ticks a second; fixed at 100 on Linux. */
const TICKS = 100;

export interface Cpu {
  /** Seconds of user and system time since the process began. */
  readonly total: number;
  /** The same by thread name; threads of one name are added up. */
  readonly byThread: ReadonlyMap<string, number>;
}

export async function cpuOf(pid: number): Promise<Cpu> {
  const byThread = new Map<string, number>();
  for (const tid of await readdir(`/proc/${String(pid)}/task`)) {
    try {
      const stat = await readFile(`/proc/${String(pid)}/task/${tid}/stat`, 'utf8');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      byThread.set(name, (byThread.get(name) ?? 0) + secondsIn(stat));
    } catch {
      continue; // a thread that has ended meanwhile
    }
  }
  return { total: secondsIn(await readFile(`/proc/${String(pid)}/stat`, 'utf8')), byThread };
}

/** Bytes; shared pages counted by their share. */
export async function pssOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? NaN) * 1_024;
}

/**
 * CPU seconds of every process that can be seen, by its id. Not from /proc/stat, whose ticks miss most of what
 * many short turns cost on a virtual machine.
 */
export async function cpuOfAll(): Promise<ReadonlyMap<number, number>> {
  const found = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      found.set(Number(name), secondsIn(await readFile(`/proc/${name}/stat`, 'utf8')));
    } catch {
      continue; // a process that has ended meanwhile
    }
  }
  return found;
}

function secondsIn(stat: string): number {
  // Behind the name, which may hold anything, the first field is the third of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
