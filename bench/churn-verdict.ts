// Whether the churn bench passes: those who play must not notice who else connects, joins and leaves, and members who
// speak must cost next to nothing. Called by churn-run.ts; pure.
import { median } from './packet-verdict.js';
import { conclude, lost, type Judgement } from './verdict.js';

export interface PhaseSide {
  readonly receiverP99: number;
  readonly senderP99: number;
  readonly floorP99: number;
  /** Slots that found no frame. */
  readonly underruns: number;
  readonly missing: number;
  readonly undecrypted: number;
  readonly violations: number;
  /** Cores that other programs used. */
  readonly otherCpu: number;
}

/** A busy window beside the quiet one before it. */
export interface PhaseEvidence {
  readonly name: string;
  /** Connects, joins or leaves in it. */
  readonly count: number;
  /** CPU of the server beyond what it used in the quiet window, per connect, join or leave. */
  readonly cpuMsEach: number;
  readonly quiet: PhaseSide;
  readonly busy: PhaseSide;
}

/** Cores of the server, window by window. */
export interface SpeakingEvidence {
  readonly silentCores: readonly number[];
  readonly speakingCores: readonly number[];
  readonly underruns: number;
  readonly otherCpu: number;
}

const MAX_TIMES = 1.5;
const MAX_MORE = 0.02;
const QUIET_OTHERS = 0.25;
const QUIET_FLOOR_MS = 2.5;

export function judgeChurn(phases: readonly PhaseEvidence[], speaking: SpeakingEvidence): Judgement {
  const hard: string[] = [];
  const soft: string[] = [];
  const doubts: string[] = [];
  const excused: string[] = [];
  for (const phase of phases) {
    const { name, quiet, busy } = phase;
    const sides = [quiet, busy];
    hard.push(...sides.flatMap(lost).map((fault) => `${name}: ${fault}`));
    const underruns = quiet.underruns + busy.underruns;
    if (underruns > 0) hard.push(`${name}: ${String(underruns)} slots without a frame`);
    const late = times(phase, 'receiverP99');
    const sent = times(phase, 'senderP99');
    if (!(sent <= MAX_TIMES)) soft.push(`${name}: p99 at the sender ${sent.toFixed(2)} times that before`);
    if (!(late <= MAX_TIMES)) {
      const found = `${name}: p99 at the receiver ${late.toFixed(2)} times that before`;
      if (sent <= MAX_TIMES) excused.push(`${found}, though not at the sender`);
      else soft.push(found);
    }
    const floor = times(phase, 'floorP99');
    if (!(floor <= MAX_TIMES) && busy.floorP99 > QUIET_FLOOR_MS) {
      doubts.push(`${name}: p99 of a thread that only sleeps ${floor.toFixed(2)} times that before`);
    }
    const others = Math.max(quiet.otherCpu, busy.otherCpu);
    if (others > QUIET_OTHERS) doubts.push(`${name}: other programs used ${others.toFixed(2)} cores`);
  }
  if (speaking.underruns > 0) hard.push(`speaking: ${String(speaking.underruns)} slots without a frame`);
  const more = speakingShare(speaking);
  if (!(more <= MAX_MORE)) {
    const found = `speaking members cost ${percent(more)} more`;
    // What two windows of the same kind differ by cannot be told from what speaking costs.
    if (isRestless(speaking.silentCores)) excused.push(`${found}, less than silent windows differ by`);
    else if (speaking.otherCpu > QUIET_OTHERS) excused.push(`${found} beside other programs`);
    else soft.push(found);
  }
  return conclude({ hard, soft, doubts }, excused, () => [`speaking members cost ${percent(more)} more`]);
}

/** By how much of the silent windows' CPU the speaking ones used more; medians. */
export function speakingShare({ silentCores, speakingCores }: SpeakingEvidence): number {
  return median(speakingCores) / median(silentCores) - 1;
}

export function times(
  { quiet, busy }: PhaseEvidence,
  name: 'receiverP99' | 'senderP99' | 'floorP99',
): number {
  return busy[name] / quiet[name];
}

/** The middle half of the windows differs by more than what is asked for. */
function isRestless(cores: readonly number[]): boolean {
  const sorted = [...cores].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return !((at(0.75) - at(0.25)) / median(sorted) <= MAX_MORE);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
