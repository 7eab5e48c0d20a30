// A Prometheus histogram of counts that somebody else keeps: the shards count late frames per bucket in
// shared memory, and the client library's own histogram cannot take counts over. Registered by metrics.ts,
// read at scrape time. Main thread.

/** The frames of one sender per bucket, not added up. */
export interface LatenessSeries {
  /** Label `sender`: the thread's name. */
  readonly sender: string;
  readonly counts: readonly number[];
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export class LatenessHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #boundsMs: readonly number[];
  readonly #series: () => readonly LatenessSeries[];

  /** Bounds are milliseconds, the last one Infinity. */
  constructor(
    name: string,
    help: string,
    boundsMs: readonly number[],
    series: () => readonly LatenessSeries[],
  ) {
    this.name = name;
    this.help = help;
    this.#boundsMs = boundsMs;
    this.#series = series;
  }

  get(): Promise<{ name: string; help: string; type: 'histogram'; values: Sample[] }> {
    const { name, help, type } = this;
    const values = this.#series().flatMap((series) => this.#samples(series));
    return Promise.resolve({ name, help, type, values });
  }

  reset(): void {
    // The counts are not ours; they never go down.
  }

  #samples({ sender, counts }: LatenessSeries): Sample[] {
    const samples: Sample[] = [];
    let total = 0;
    let sum = 0;
    let largest = 0;
    for (const [bucket, bound] of this.#boundsMs.entries()) {
      const frames = counts[bucket] ?? 0;
      total += frames;
      if (bound !== Infinity) largest = bound / 1_000;
      // The exact times are not kept: each frame counts with its bucket's bound.
      sum += frames * largest;
      const le = bound === Infinity ? '+Inf' : String(bound / 1_000);
      samples.push({ metricName: `${this.name}_bucket`, labels: { sender, le }, value: total });
    }
    samples.push({ metricName: `${this.name}_sum`, labels: { sender }, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels: { sender }, value: total });
    return samples;
  }
}
