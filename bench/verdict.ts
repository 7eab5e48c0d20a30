// Whether a run under load holds what is asked of it, and why not: PASS, FAIL, or INCONCLUSIVE when the machine was
// itself too restless or too busy to tell. INCONCLUSIVE is no pass. Called by capacity, soak and the other benches.

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE';

/** What a verdict is made of; times are milliseconds, CPU is cores. */
export interface Evidence {
  readonly players: number;
  readonly seconds: number;
  readonly packets: number;
  readonly missing: number;
  readonly undecrypted: number;
  readonly violations: number;
  readonly receiver: Quantiles;
  readonly sender: Quantiles;
  readonly floor: Quantiles;
  /** Used by the server, all threads. */
  readonly cpu: number;
  /** Used by programs that have nothing to do with the run. */
  readonly otherCpu: number;
}

interface Quantiles {
  readonly p99: number;
  readonly p999: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** One reason a fault; of a PASS what it is praised for. */
  readonly why: readonly string[];
}

/** What is asked of a run; null: nothing. */
export interface Limits {
  /** Share of the ideal number of packets. */
  readonly delivered: number;
  /** Milliseconds of lateness above the machine's own floor. */
  readonly p99: number;
  readonly p999: number | null;
  /** Of the server, all threads. */
  readonly cores: number | null;
}

/** Hard faults cannot be the machine's doing; soft ones can, where there is a doubt. */
export interface Findings {
  readonly hard: readonly string[];
  readonly soft: readonly string[];
  readonly doubts: readonly string[];
}

export const CAPACITY: Limits = { delivered: 0.999, p99: 5, p999: null, cores: null };

/** Up to 500 players, and above. */
export function soakLimits(players: number): Limits {
  return players <= 500
    ? { delivered: 0.9999, p99: 2, p999: 5, cores: 0.5 }
    : { delivered: 0.999, p99: 4, p999: null, cores: 1 };
}

/** Milliseconds; a machine that wakes a sleeping thread later than that at p99 proves nothing. */
const QUIET_FLOOR_MS = 2.5;
/** Cores that somebody else may use before a bad result means nothing. */
const QUIET_OTHERS = 0.25;
const FRAMES_PER_SECOND = 50;

export function judge(evidence: Evidence, limits: Limits = CAPACITY): Judgement {
  const soft = [...shortcomings(evidence, limits)];
  const doubts = [...restlessness(evidence)];
  const excused: string[] = [];
  for (const [name, allowed] of [['p99', limits.p99] as const, ['p999', limits.p999] as const]) {
    if (allowed === null) continue;
    const late = lateness(evidence, name, allowed);
    if (late === null) continue;
    const left = evidence.sender[name];
    // It left in time, so the receiver or the way to it was late.
    if (left <= allowed) excused.push(`${late}, though it left the sender within ${String(left)} ms`);
    else soft.push(late);
  }
  return conclude({ hard: lost(evidence), soft, doubts }, excused, () => [
    `${percent(delivered(evidence))} of the packets`,
  ]);
}

/** What is excused is no fault of the server's and no pass, and excuses nothing else. */
export function conclude(
  { hard, soft, doubts }: Findings,
  excused: readonly string[],
  praise: () => readonly string[],
): Judgement {
  const why = [...hard, ...soft, ...excused];
  if (hard.length > 0) return { verdict: 'FAIL', why };
  if (soft.length > 0 && doubts.length === 0) return { verdict: 'FAIL', why };
  if (why.length > 0) return { verdict: 'INCONCLUSIVE', why: [...why, ...doubts] };
  return { verdict: 'PASS', why: praise() };
}

/** 1 is all; never more, as a window may catch a packet of its neighbour. */
export function delivered({
  packets,
  players,
  seconds,
}: Pick<Evidence, 'packets' | 'players' | 'seconds'>): number {
  return Math.min(1, packets / (players * seconds * FRAMES_PER_SECOND));
}

/** On any machine a fault. */
export function lost({
  missing,
  undecrypted,
  violations,
}: Pick<Evidence, 'missing' | 'undecrypted' | 'violations'>): string[] {
  const hard: string[] = [];
  if (missing > 0) hard.push(`${String(missing)} packets missing`);
  if (undecrypted > 0) hard.push(`${String(undecrypted)} packets that nobody could decrypt`);
  if (violations > 0) hard.push(`${String(violations)} faults in the streams`);
  return hard;
}

/** Of a machine that proves nothing. */
export function* restlessness({
  floor,
  otherCpu,
}: {
  readonly floor: { readonly p99: number };
  readonly otherCpu: number;
}): Generator<string> {
  if (floor.p99 > QUIET_FLOOR_MS) yield `the machine's own floor had p99 ${floor.p99.toFixed(2)} ms`;
  if (otherCpu > QUIET_OTHERS) yield `other programs used ${otherCpu.toFixed(2)} cores`;
}

function* shortcomings(evidence: Evidence, limits: Limits): Generator<string> {
  const { players, seconds, packets, cpu } = evidence;
  const short = players * seconds * FRAMES_PER_SECOND - packets;
  // The edges of the window fall between two packets of each connection.
  const enough = delivered(evidence) >= limits.delivered || short <= players;
  if (!enough) yield `${percent(delivered(evidence))} of the packets`;
  if (limits.cores !== null && !(cpu <= limits.cores)) {
    yield `${cpu.toFixed(3)} cores; ${String(limits.cores)} are allowed`;
  }
}

function lateness({ receiver, floor }: Evidence, name: keyof Quantiles, allowed: number): string | null {
  // Written so that a figure that is no number is late too.
  if (receiver[name] - floor[name] <= allowed) return null;
  const label = name === 'p99' ? 'p99' : 'p99.9';
  return `${label} ${receiver[name].toFixed(2)} ms at the receiver over a floor of ${floor[name].toFixed(2)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
