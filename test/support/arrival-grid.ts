// How late frames arrive, measured against the sender's own 20 ms grid: within a segment frame n is due at
// (earliest arrival - n * 20) + n * 20, so only unevenness counts, never the phase. Used by stream-audit.ts;
// memory is one counter per distinct 0.05 ms.

const FRAME_MS = 20;
const BINS_PER_MS = 20;
/** A stream that is a whole frame late for that many frames in a row has got a new grid. */
const REBASE_AFTER = 50;
/** Frames until the earliest of a segment can be believed to have come without a delay. */
const SURE_AFTER = 5;

/** Milliseconds off the grid. */
export interface Lateness {
  readonly frames: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Runs of frames with a grid of their own; a pause ends one. */
  readonly segments: number;
  /** How often a stream stayed late, so that its grid was moved; the late frames are counted as late. */
  readonly rebases: number;
}

/** Plain data; bin n has the frames that came n * binMs late. */
export interface LatenessHistogram {
  readonly binMs: number;
  readonly bins: readonly (readonly [number, number])[];
}

export class ArrivalGrid {
  readonly #done = new Map<number, number>();
  #segment = new Map<number, number>();
  #origin = 0;
  #first = 0;
  #earliest = 0;
  #lateInARow = 0;
  #inSegment = 0;
  #segments = 0;
  #rebases = 0;

  /** `index` counts 20 ms steps of the stream and never goes back by more than reordering does. */
  add(index: number, at: number, newSegment: boolean): void {
    if (newSegment || this.#segments === 0) this.#begin(index, at);
    let offset = at - this.#origin - (index - this.#first) * FRAME_MS;
    this.#lateInARow = offset - this.#earliest >= FRAME_MS ? this.#lateInARow + 1 : 0;
    if (this.#lateInARow >= REBASE_AFTER) {
      this.#rebases++;
      this.#begin(index, at);
      offset = 0;
    }
    this.#earliest = Math.min(this.#earliest, offset);
    this.#inSegment++;
    count(this.#segment, Math.round(offset * BINS_PER_MS), 1);
  }

  /**
   * How much before its time on the grid a frame of that index comes, in milliseconds; 0 when it is late, or as
   * long as the grid stands on too few frames to say.
   */
  earliness(index: number, at: number): number {
    if (this.#inSegment < SURE_AFTER) return 0;
    return Math.max(0, this.#earliest - (at - this.#origin - (index - this.#first) * FRAME_MS));
  }

  summary(): Lateness {
    const all = new ArrivalGrid();
    all.take(this);
    return all.#summarise();
  }

  /** Frames by lateness, on time first; the histograms of several processes merge by adding them up. */
  histogram(): LatenessHistogram {
    const all = new ArrivalGrid();
    all.take(this);
    return { binMs: 1 / BINS_PER_MS, bins: [...all.#done].sort(([a], [b]) => a - b) };
  }

  /** Counts those of another process as if they had come here. */
  takeHistogram({ bins }: LatenessHistogram): void {
    for (const [bin, frames] of bins) count(this.#done, bin, frames);
  }

  /** Adds what another grid has seen. */
  take(other: ArrivalGrid): void {
    for (const [bin, frames] of other.#done) count(this.#done, bin, frames);
    fold(other.#segment, this.#done);
    this.#segments += other.#segments;
    this.#rebases += other.#rebases;
  }

  #begin(index: number, at: number): void {
    fold(this.#segment, this.#done);
    this.#segment = new Map();
    this.#origin = at;
    this.#first = index;
    this.#earliest = 0;
    this.#lateInARow = 0;
    this.#inSegment = 0;
    this.#segments++;
  }

  #summarise(): Lateness {
    const bins = [...this.#done].sort(([a], [b]) => a - b);
    const frames = bins.reduce((sum, [, n]) => sum + n, 0);
    const at = (share: number): number => {
      let left = Math.ceil(frames * share);
      for (const [bin, n] of bins) {
        left -= n;
        if (left <= 0) return bin / BINS_PER_MS;
      }
      return 0;
    };
    return {
      frames,
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
      max: at(1),
      segments: this.#segments,
      rebases: this.#rebases,
    };
  }
}

/** Adds a segment to the finished bins, its earliest frame at zero. */
function fold(segment: ReadonlyMap<number, number>, into: Map<number, number>): void {
  let earliest = Infinity;
  for (const bin of segment.keys()) earliest = Math.min(earliest, bin);
  for (const [bin, frames] of segment) count(into, bin - earliest, frames);
}

function count(bins: Map<number, number>, bin: number, frames: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + frames);
}
