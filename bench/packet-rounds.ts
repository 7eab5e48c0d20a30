// What the packet bench measures its steps with: CPU time, which other programs on the machine hardly touch, and
// the bytes that a step leaves to be collected. Used by packet.ts and packet-demux.ts; it knows none of the steps.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from './packet-verdict.js';

/** Something that is done for a number of packets at once. */
export interface Step<Name extends string> {
  readonly name: Name;
  run(): void | Promise<void>;
  /** Undoes what the next step must not find. Not measured. */
  readonly after?: () => void;
}

/** Bytes that one packet leaves to be collected. */
export interface Garbage {
  readonly heap: number;
  /** Memory of buffers, outside the heap. */
  readonly outside: number;
}

const SAMPLES = 9;

/** Microseconds of CPU time that this process has used, in all its threads. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds a packet, of every step; the steps take turns `ticks` times. */
export async function round<Name extends string>(
  steps: readonly Step<Name>[],
  packets: number,
  ticks: number,
): Promise<Record<Name, number>> {
  const micros = new Map<Name, number>();
  for (let tick = 0; tick < ticks; tick++) {
    for (const step of steps) {
      const before = cpuMicros();
      const running = step.run();
      if (running !== undefined) await running;
      micros.set(step.name, (micros.get(step.name) ?? 0) + cpuMicros() - before);
      step.after?.();
    }
    await new Promise(setImmediate);
  }
  return byName(steps, ({ name }) => (micros.get(name) ?? NaN) / ticks / packets);
}

/** The median of a few runs: each is too short for a collection of its own, which would hide what it is about. */
export async function garbageOf<Name extends string>(
  steps: readonly Step<Name>[],
  packets: number,
): Promise<Record<Name, Garbage>> {
  const collect = collector();
  const samples = new Map<Name | '', Garbage[]>();
  const nothing: Step<''> = { name: '', run: () => undefined };
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (const step of [nothing, ...steps]) {
      collect();
      const before = process.memoryUsage();
      const running = step.run();
      if (running !== undefined) await running;
      const now = process.memoryUsage();
      step.after?.();
      const left = { heap: now.heapUsed - before.heapUsed, outside: now.external - before.external };
      samples.set(step.name, [...(samples.get(step.name) ?? []), left]);
    }
  }
  const of = (name: Name | '', part: keyof Garbage): number =>
    median((samples.get(name) ?? []).map((sample) => sample[part]));
  return byName(steps, ({ name }) => ({
    heap: (of(name, 'heap') - of('', 'heap')) / packets,
    outside: (of(name, 'outside') - of('', 'outside')) / packets,
  }));
}

function byName<Name extends string, Value>(
  steps: readonly Step<Name>[],
  value: (step: Step<Name>) => Value,
): Record<Name, Value> {
  return Object.fromEntries(steps.map((step) => [step.name, value(step)])) as Record<Name, Value>;
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
