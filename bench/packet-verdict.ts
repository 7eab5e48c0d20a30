// The arithmetic of the packet bench: medians of its rounds, and whether they hold what is asked of them. Pure.
import type { Judgement } from './verdict.js';

/** Sealing, ring and sending may cost so many times what the C program needs to seal and send. */
export const MAX_TIMES_C = 2;
/** Microseconds a packet. */
export const MAX_DAVE_US = 5;
/** A median that lies so many times above the best round comes from a machine too restless to tell. */
const QUIET_SPREAD = 1.3;

/** Microseconds a packet, round by round. */
export interface PacketEvidence {
  readonly dave: readonly number[];
  /** Sealing, ring and sending together. */
  readonly whole: readonly number[];
  /** The same of the C program; why there is none where it could not be made. */
  readonly inC: readonly number[] | string;
}

export function judgePackets({ dave, whole, inC }: PacketEvidence): Judgement {
  const misses: string[] = [];
  // Written so that a figure that is no number misses too.
  if (!(median(dave) <= MAX_DAVE_US)) {
    misses.push(`DAVE took ${median(dave).toFixed(2)} µs a packet; ${MAX_DAVE_US} are allowed`);
  }
  if (typeof inC === 'string') {
    const why = [...misses, `nothing to compare with: ${inC}`];
    return { verdict: misses.length > 0 && !isRestless(dave) ? 'FAIL' : 'INCONCLUSIVE', why };
  }
  const times = median(whole) / median(inC);
  const compared = `${times.toFixed(2)} times the C program`;
  if (!(times <= MAX_TIMES_C)) misses.push(`${compared}; ${MAX_TIMES_C} are allowed`);
  if (misses.length === 0) return { verdict: 'PASS', why: [compared] };
  if ([dave, whole, inC].some(isRestless)) {
    return { verdict: 'INCONCLUSIVE', why: [...misses, 'the rounds differed too much to tell'] };
  }
  return { verdict: 'FAIL', why: misses };
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}

function isRestless(rounds: readonly number[]): boolean {
  return median(rounds) > Math.min(...rounds) * QUIET_SPREAD;
}
