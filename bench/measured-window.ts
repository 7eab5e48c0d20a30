// One window of a run under load, measured from all sides: packets and lateness at the receiver, what the server
// counted of its sending, CPU by thread, what else the machine did, and its floor. Called by the benches.
import { FloorProbe, type Floor } from './floor-probe.js';
import { cpuOf, cpuOfAll, type Cpu } from './process-usage.js';
import {
  senderCounts,
  senderLateness,
  since,
  within,
  type SenderCounts,
  type SenderLateness,
} from './sender-counts.js';
import { pause, type Stage } from './stage.js';

export interface WindowFigures {
  /** Between the two counts at the receiver. */
  readonly seconds: number;
  readonly packets: number;
  readonly missing: number;
  /** Slots of playing players for which the server had no frame. */
  readonly nulled: number;
  /** Of the packets that were opened, every 25th. */
  readonly undecrypted: number;
  readonly violations: number;
  /** Milliseconds off each connection's own grid, at the receiver. */
  readonly receiver: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  /** Milliseconds later than due, as the server counts it; upper bounds. */
  readonly sender: SenderLateness;
  /** The same p99, taken to lie in its bucket as if that were filled evenly. */
  readonly senderP99: number;
  readonly floor: Floor;
  /** Cores, of the server's process only. */
  readonly cpu: number;
  readonly cpuByThread: Readonly<Record<string, number>>;
  /** Cores used by the bench itself: voice server, origin, client, probe. */
  readonly benchCpu: number;
  /** Cores used by whatever else runs on the machine. */
  readonly otherCpu: number;
}

interface Look {
  readonly at: number;
  readonly sent: SenderCounts;
  readonly cpu: Cpu;
  readonly all: ReadonlyMap<number, number>;
}

export class MeasuredWindow {
  readonly #stage: Stage;
  readonly #probe = new FloorProbe();
  readonly #before: Look;
  /** The moment of the first count at the receiver. */
  readonly #began: number;

  private constructor(stage: Stage, before: Look, began: number) {
    this.#stage = stage;
    this.#before = before;
    this.#began = began;
  }

  static async open(stage: Stage): Promise<MeasuredWindow> {
    const before = await look(stage);
    const asked = performance.now();
    await stage.voice.resetCounters();
    // The call takes its time on the way; half of it is before the count that it asks for.
    return new MeasuredWindow(stage, before, (asked + performance.now()) / 2);
  }

  /** Resolves when the window has been open for that long. */
  last(seconds: number): Promise<void> {
    return pause(this.#before.at + seconds * 1_000 - performance.now());
  }

  async close(): Promise<WindowFigures> {
    const stage = this.#stage;
    const before = this.#before;
    const asked = performance.now();
    const totals = await stage.voice.totals();
    const ended = (asked + performance.now()) / 2;
    const after = await look(stage);
    const floor = await this.#probe.stop();
    const wall = (after.at - before.at) / 1_000;
    const own = stage.ownPids;
    const coresOf = (wanted: (pid: number) => boolean): number => cores(after.all, before.all, wall, wanted);
    const sent = since(after.sent, before.sent);
    const { packets, missing, undecrypted } = totals;
    const { p50, p99, p999, max } = totals.lateness;
    return {
      seconds: (ended - this.#began) / 1_000,
      packets,
      missing,
      nulled: sent.nulled,
      undecrypted,
      violations: totals.violationCount,
      receiver: { p50, p99, p999, max },
      sender: senderLateness(sent),
      senderP99: within(sent, 0.99),
      floor,
      cpu: (after.cpu.total - before.cpu.total) / wall,
      cpuByThread: shares(after.cpu.byThread, before.cpu.byThread, wall),
      benchCpu: coresOf((pid) => own.has(pid)),
      otherCpu: coresOf((pid) => pid !== stage.server.pid && !own.has(pid)),
    };
  }
}

/** What a verdict calls faulty: neither can be the machine's doing. */
export function faultsIn({ missing, undecrypted, violations }: WindowFigures): number {
  return missing + undecrypted + violations;
}

async function look({ client, server }: Stage): Promise<Look> {
  const sent = senderCounts(await client.text('/metrics'));
  const [cpu, all] = await Promise.all([cpuOf(server.pid), cpuOfAll()]);
  return { at: performance.now(), sent, cpu, all };
}

function shares(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  wall: number,
): Record<string, number> {
  return Object.fromEntries([...after].map(([name, s]) => [name, (s - (before.get(name) ?? 0)) / wall]));
}

/** Of the processes that are wanted; one that has begun in between counts whole. */
function cores(
  after: ReadonlyMap<number, number>,
  before: ReadonlyMap<number, number>,
  wall: number,
  wanted: (pid: number) => boolean,
): number {
  let seconds = 0;
  for (const [pid, spent] of after) if (wanted(pid)) seconds += spent - (before.get(pid) ?? 0);
  return seconds / wall;
}
