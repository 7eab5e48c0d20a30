// The counts of all sessions of a fake voice server added up. Pure; called by fake-voice.ts.

import { ArrivalGrid, type Lateness } from './arrival-grid.js';
import type { UdpCounts } from './voice-udp.js';
import type { VoiceSession } from './voice-session.js';

const MAX_VIOLATIONS = 50;

/** Counts of all sessions added up. */
export interface VoiceTotals extends UdpCounts {
  sessions: number;
  /** Sessions whose websocket is open. */
  open: number;
  packets: number;
  bytes: number;
  opened: number;
  bad: number;
  silenceFrames: number;
  plainFrames: number;
  daveFrames: number;
  undecrypted: number;
  plainWhileActive: number;
  missing: number;
  duplicates: number;
  reordered: number;
  timestampFaults: number;
  nonceReuses: number;
  badRtcp: number;
  longestBurst: number;
  /** Frames of members that were sent to bots. */
  memberFrames: number;
  violationCount: number;
  /** The first few of them, with their session's id in front. */
  violations: string[];
  /** Over the frames of all sessions, each against its own grid. */
  lateness: Lateness;
}

const SUMMED = [
  'packets',
  'bytes',
  'opened',
  'bad',
  'silenceFrames',
  'plainFrames',
  'daveFrames',
  'undecrypted',
  'plainWhileActive',
  'missing',
  'duplicates',
  'reordered',
  'timestampFaults',
  'nonceReuses',
  'badRtcp',
] as const;

export function totalsOf(sessions: readonly VoiceSession[], udp: UdpCounts): VoiceTotals {
  const zero = Object.fromEntries(SUMMED.map((name) => [name, 0])) as Record<(typeof SUMMED)[number], number>;
  const totals: VoiceTotals = {
    ...udp,
    ...zero,
    sessions: sessions.length,
    open: 0,
    longestBurst: 0,
    memberFrames: 0,
    violationCount: 0,
    violations: [],
    lateness: gridOf(sessions).summary(),
  };
  for (const session of sessions) {
    const { counts, violations, violationCount } = session.audit;
    if (session.open) totals.open++;
    for (const name of SUMMED) totals[name] += counts[name];
    totals.longestBurst = Math.max(totals.longestBurst, counts.longestBurst);
    totals.memberFrames += session.memberFrames;
    totals.violationCount += violationCount;
    for (const text of violations.slice(0, MAX_VIOLATIONS - totals.violations.length)) {
      totals.violations.push(`${session.id}: ${text}`);
    }
  }
  return totals;
}

/** The arrivals of all sessions, each against its own grid. */
export function gridOf(sessions: readonly VoiceSession[]): ArrivalGrid {
  const grid = new ArrivalGrid();
  for (const session of sessions) grid.take(session.audit.grid);
  return grid;
}
