// Whether a run of the capacity bench holds what is asked of it, and why not: PASS, FAIL, or INCONCLUSIVE when
// the machine was itself too restless or too busy to tell. INCONCLUSIVE is no pass.

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE';

/** What a verdict is made of; times are milliseconds, CPU is cores. */
export interface Evidence {
  readonly players: number;
  readonly seconds: number;
  readonly packets: number;
  readonly missing: number;
  readonly undecrypted: number;
  readonly violations: number;
  readonly receiver: { readonly p99: number };
  readonly sender: { readonly p99: number };
  readonly floor: { readonly p99: number };
  /** Used by programs that have nothing to do with the run. */
  readonly otherCpu: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** One reason a fault; of a PASS the share that was delivered. */
  readonly why: readonly string[];
}

/** Share of the ideal number of packets. */
export const MIN_DELIVERED = 0.999;
/** Milliseconds of lateness above the machine's own floor. */
export const MAX_P99_MS = 5;
/** Milliseconds; a machine that wakes a sleeping thread later than that at p99 proves nothing. */
const QUIET_FLOOR_MS = 2.5;
/** Cores that somebody else may use before a bad result means nothing. */
const QUIET_OTHERS = 0.25;
const FRAMES_PER_SECOND = 50;

export function judge(evidence: Evidence): Judgement {
  const failures = faults(evidence);
  const doubts = [...restlessness(evidence)];
  const late = lateness(evidence);
  if (late !== null && evidence.sender.p99 <= MAX_P99_MS) {
    // It left in time, so the receiver or the way to it was late.
    doubts.push(`${late}, though it left the sender within ${String(evidence.sender.p99)} ms`);
  } else if (late !== null) failures.soft.push(late);

  if (failures.hard.length > 0) return { verdict: 'FAIL', why: [...failures.hard, ...failures.soft] };
  if (failures.soft.length > 0) {
    return { verdict: doubts.length > 0 ? 'INCONCLUSIVE' : 'FAIL', why: [...failures.soft, ...doubts] };
  }
  if (late !== null) return { verdict: 'INCONCLUSIVE', why: doubts };
  return { verdict: 'PASS', why: [`${percent(delivered(evidence))} of the packets`] };
}

/** 1 is all; never more, as a window may catch a packet of its neighbour. */
export function delivered({
  packets,
  players,
  seconds,
}: Pick<Evidence, 'packets' | 'players' | 'seconds'>): number {
  return Math.min(1, packets / (players * seconds * FRAMES_PER_SECOND));
}

/** Hard faults cannot be the machine's doing; soft ones can. */
function faults(evidence: Evidence): { hard: string[]; soft: string[] } {
  const { players, seconds, packets, missing, undecrypted, violations } = evidence;
  const hard: string[] = [];
  if (missing > 0) hard.push(`${String(missing)} packets missing`);
  if (undecrypted > 0) hard.push(`${String(undecrypted)} packets that nobody could decrypt`);
  if (violations > 0) hard.push(`${String(violations)} faults in the streams`);
  const short = players * seconds * FRAMES_PER_SECOND - packets;
  // The edges of the window fall between two packets of each connection.
  const enough = delivered(evidence) >= MIN_DELIVERED || short <= players;
  return { hard, soft: enough ? [] : [`${percent(delivered(evidence))} of the packets`] };
}

function lateness({ receiver, floor }: Evidence): string | null {
  // Written so that a figure that is no number is late too.
  if (receiver.p99 - floor.p99 <= MAX_P99_MS) return null;
  return `p99 ${receiver.p99.toFixed(2)} ms at the receiver over a floor of ${floor.p99.toFixed(2)} ms`;
}

function* restlessness({ floor, otherCpu }: Evidence): Generator<string> {
  if (floor.p99 > QUIET_FLOOR_MS) yield `the machine's own floor had p99 ${floor.p99.toFixed(2)} ms`;
  if (otherCpu > QUIET_OTHERS) yield `other programs used ${otherCpu.toFixed(2)} cores`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
