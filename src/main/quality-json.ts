// How the quality of a player's tracks looks in JSON (docs/diagnosis.md). Pure; used by the handler on the main thread.
import { LATE_BUCKETS } from '../shared/driver-words.js';
import type { PlayerQuality, TrackQuality } from './quality.js';

/** A frame this much later than due has missed its own slot: it counts as late. Milliseconds, one of LATE_BUCKETS. */
const LATE_MS = 20;

export function qualityJson({ current, past }: PlayerQuality): object {
  return {
    current: current === null ? null : trackQualityJson(current),
    ended: past.map((report) => trackQualityJson(report)),
  };
}

export function trackQualityJson(report: TrackQuality): object {
  const { identifier, title, sourceName, counts, expected } = report;
  const { sent, nulled, source, decode, ring, socket, emptied, late, maxLateMs } = counts;
  return {
    track: { identifier, title, sourceName },
    startedAt: report.startedAt,
    endedAt: report.endedAt,
    reason: report.reason,
    playedMs: report.playedMs,
    frames: { expected, sent, nulled, deficit: expected - sent - nulled, late: lateFrames(late) },
    causes: { source, decode, ring, socket },
    emptied,
    lateness: {
      buckets: LATE_BUCKETS.map((le, index) => {
        return { le: Number.isFinite(le) ? le : null, count: late[index] ?? 0 };
      }),
      p50Ms: latenessAt(0.5, late, maxLateMs),
      p99Ms: latenessAt(0.99, late, maxLateMs),
      maxMs: maxLateMs,
    },
    shardDeaths: report.shardDeaths,
  };
}

function lateFrames(late: readonly number[]): number {
  return late.reduce((sum, frames, index) => sum + ((LATE_BUCKETS[index] ?? 0) > LATE_MS ? frames : 0), 0);
}

/** An upper bound of what that share of the frames was late, in milliseconds; null without a frame. */
function latenessAt(share: number, late: readonly number[], maxMs: number): number | null {
  const frames = late.reduce((sum, count) => sum + count, 0);
  if (frames === 0) return null;
  let below = 0;
  for (const [index, count] of late.entries()) {
    below += count;
    if (below >= share * frames) return Math.min(LATE_BUCKETS[index] ?? Infinity, maxMs);
  }
  return maxMs;
}
