// What the server itself counted of its sending, read from its metrics page: frames by lateness, and slots that
// found no frame. Read before and after a window by the capacity bench; the difference is the window's.

export interface SenderCounts {
  /** Frames that left at most so many milliseconds late, by bound, growing; the last bound is Infinity. */
  readonly late: ReadonlyMap<number, number>;
  /** Slots of playing players without a frame. */
  readonly nulled: number;
}

/** Upper bounds in milliseconds: the server keeps buckets, not times. Infinity: beyond the last bucket. */
export interface SenderLateness {
  readonly frames: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Of the text of a metrics page; the series of all senders are added up. */
export function senderCounts(page: string): SenderCounts {
  const late = new Map<number, number>();
  let nulled = 0;
  for (const line of page.split('\n')) {
    const [series = '', value = ''] = line.split(' ');
    const bound = /^lavalink_frame_lateness_seconds_bucket\{.*le="([^"]+)"/.exec(series)?.[1];
    if (bound !== undefined) {
      const ms = bound === '+Inf' ? Infinity : Number(bound) * 1_000;
      late.set(ms, (late.get(ms) ?? 0) + Number(value));
    }
    if (series === 'lavalink_audio_frames_nulled_total') nulled = Number(value);
  }
  if (late.size === 0) throw new Error('the metrics page says nothing about lateness');
  return { late, nulled };
}

export function since(after: SenderCounts, before: SenderCounts): SenderCounts {
  const late = [...after.late].map(
    ([bound, count]) => [bound, count - (before.late.get(bound) ?? 0)] as const,
  );
  return { late: new Map(late), nulled: after.nulled - before.nulled };
}

export function senderLateness({ late }: SenderCounts): SenderLateness {
  const buckets = [...late].sort(([a], [b]) => a - b);
  const frames = buckets.at(-1)?.[1] ?? 0;
  const within = (share: number): number =>
    buckets.find(([, count]) => frames > 0 && count >= frames * share)?.[0] ?? NaN;
  return { frames, p50: within(0.5), p99: within(0.99), p999: within(0.999), max: within(1) };
}

/**
 * Milliseconds within which that share of the frames left, taken to fill each bucket evenly; of a bucket without an
 * end its beginning, and NaN of no frames.
 */
export function within({ late }: SenderCounts, share: number): number {
  const buckets = [...late].sort(([a], [b]) => a - b);
  const wanted = (buckets.at(-1)?.[1] ?? 0) * share;
  let [from, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count > 0 && count >= wanted) {
      return bound === Infinity ? from : from + ((bound - from) * (wanted - below)) / (count - below);
    }
    [from, below] = [bound, count];
  }
  return NaN;
}
