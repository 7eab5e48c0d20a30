// Whether the stalls bench passes: the faults must not move the lateness, and no ring may run empty. Called by
// stalls-run.ts and stalls-lead.ts; pure.
import { conclude, lost, type Judgement } from './verdict.js';

/** p99 of lateness with faults against that without; medians over the pairs. */
export interface Shift {
  readonly ratio: number;
  readonly differenceMs: number;
}

export interface PairEvidence {
  readonly receiver: Shift & { readonly with: number; readonly without: number };
  readonly sender: Shift & { readonly with: number; readonly without: number };
  /** The same of a thread that only sleeps. */
  readonly floor: Shift & { readonly with: number; readonly without: number };
  readonly floorMax: number;
  /** Cores that other programs used. */
  readonly otherCpu: number;
  readonly missing: number;
  readonly undecrypted: number;
  readonly violations: number;
  /** Slots that found no frame. */
  readonly underruns: number;
}

export interface LeadEvidence {
  readonly leadMs: number;
  readonly stallMs: number;
  /** Stalls that were asked for and that were made. */
  readonly times: number;
  readonly stalls: number;
  readonly underruns: number;
  readonly missing: number;
  readonly undecrypted: number;
  readonly violations: number;
  readonly floorMax: number;
  readonly otherCpu: number;
}

const MAX_RATIO = 1.2;
const MAX_DIFFERENCE_MS = 0.3;
const QUIET_OTHERS = 0.25;
/** Milliseconds; a machine that holds a sleeping thread that long may hold a shard and a sender just so. */
const STEADY_FLOOR_MS = 200;
/** The same on top of a stall that a lead has to outlast. */
const STEADY_FLOOR_BESIDE_STALL_MS = 50;

export function judgePairs(evidence: PairEvidence): Judgement {
  const { receiver, sender, floor, floorMax, otherCpu, underruns } = evidence;
  const hard = lost(evidence);
  const soft: string[] = [];
  const excused: string[] = [];
  const doubts: string[] = [];
  if (underruns > 0) {
    const found = `${String(underruns)} slots without a frame`;
    if (floorMax >= STEADY_FLOOR_MS)
      excused.push(`${found} while the machine stood still for ${whole(floorMax)} ms`);
    else hard.push(found);
  }
  if (!holds(sender)) soft.push(told('at the sender', sender));
  if (!holds(receiver)) {
    const late = told('at the receiver', receiver);
    // The faults take processor time, for which the receiver waits as well as anybody.
    if (holds(sender)) excused.push(`${late}, though not at the sender`);
    else soft.push(late);
  }
  if (!holds(floor)) doubts.push(told('of a thread that only sleeps', floor));
  if (otherCpu > QUIET_OTHERS) doubts.push(`other programs used ${otherCpu.toFixed(2)} cores`);
  return conclude({ hard, soft, doubts }, excused, () => [told('at the sender', sender)]);
}

/** Of two leads: the stall is heard under the short one and not under the long one. */
export function judgeLeads(short: LeadEvidence, long: LeadEvidence): Judgement {
  const hard = [...lost(short), ...lost(long)];
  const soft: string[] = [];
  const doubts: string[] = [];
  for (const { times, stalls, leadMs } of [short, long]) {
    if (stalls !== times)
      hard.push(`${String(stalls)} of ${String(times)} stalls made at lead ${String(leadMs)}`);
  }
  if (long.underruns > 0) {
    soft.push(`heard at lead ${String(long.leadMs)}: ${String(long.underruns)} slots without a frame`);
  }
  // A stall that nobody can hear proves nothing about a longer lead.
  if (short.underruns === 0) soft.push(`not heard at lead ${String(short.leadMs)} either`);
  if (long.floorMax > STEADY_FLOOR_BESIDE_STALL_MS) {
    doubts.push(`the machine itself stood still for ${whole(long.floorMax)} ms`);
  }
  if (long.otherCpu > QUIET_OTHERS) doubts.push(`other programs used ${long.otherCpu.toFixed(2)} cores`);
  return conclude({ hard, soft, doubts }, [], () => [
    `${String(long.stallMs)} ms: ${String(short.underruns)} slots without a frame at lead ${String(short.leadMs)}, ` +
      `none at ${String(long.leadMs)}`,
  ]);
}

/** Written so that a figure that is no number does not hold. */
function holds({ ratio, differenceMs }: Shift): boolean {
  return ratio <= MAX_RATIO || differenceMs <= MAX_DIFFERENCE_MS;
}

function told(where: string, { ratio, differenceMs }: Shift): string {
  return `p99 ${where} ${ratio.toFixed(2)} times and ${differenceMs.toFixed(2)} ms more than without faults`;
}

function whole(ms: number): string {
  return ms.toFixed(0);
}
