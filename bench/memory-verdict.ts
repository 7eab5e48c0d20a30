// The arithmetic of the memory bench: slopes by least squares, and whether they hold what is asked of them. Pure.
import { median } from './packet-verdict.js';
import type { Judgement } from './verdict.js';

/** Bytes of PSS a player, by kind. */
export interface KindSlopes {
  readonly idle: number;
  readonly gateway: number;
  readonly connected: number;
  readonly playing: number;
}

const KB = 1_000;
const MAX_IDLE = 20 * KB;
/** Of a playing player, end-to-end encrypted; the second with a window of a second or less. */
const MAX_PLAYING = 260 * KB;
const MAX_PLAYING_SHORT = 150 * KB;
const SHORT_WINDOW_MS = 1_000;

/** Of points (x, y); NaN of fewer than two different x. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  let [product, square] = [0, 0];
  for (const [at, value] of points) {
    product += (at - x) * (value - y);
    square += (at - x) ** 2;
  }
  return square > 0 ? product / square : NaN;
}

export function playingLimit(windowMs: number): number {
  return windowMs <= SHORT_WINDOW_MS ? MAX_PLAYING_SHORT : MAX_PLAYING;
}

/** A limit that the median misses and a start keeps is missed by chance. */
export function judgeMemory(byStart: readonly KindSlopes[], windowMs: number): Judgement {
  const missed: string[] = [];
  let sure = byStart.length === 0;
  for (const [kind, limit] of [['idle', MAX_IDLE] as const, ['playing', playingLimit(windowMs)] as const]) {
    const bytes = byStart.map((slopes) => slopes[kind]);
    // Written so that a figure that is no number misses too.
    if (median(bytes) <= limit) continue;
    missed.push(`${kb(median(bytes))} a player that is ${kind}; ${kb(limit)} are allowed`);
    sure ||= !bytes.some((start) => start <= limit);
  }
  if (missed.length > 0) {
    return sure
      ? { verdict: 'FAIL', why: missed }
      : { verdict: 'INCONCLUSIVE', why: [...missed, 'the starts differed too much to tell'] };
  }
  const playing = median(byStart.map((slopes) => slopes.playing));
  return { verdict: 'PASS', why: [`${kb(playing)} a player that is playing`] };
}

function kb(bytes: number): string {
  return `${(bytes / KB).toFixed(0)} KB`;
}
