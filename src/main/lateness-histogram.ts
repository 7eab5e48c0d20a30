// A Prometheus histogram of counts that somebody else keeps: the shards count late frames per bucket in
// shared memory, and the client library's own histogram cannot take counts over. Registered by metrics.ts,
// read at scrape time. Main thread.

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
  readonly #counts: () => readonly (readonly number[])[];

  /**
   * `counts` gives, per shard, the frames of each bucket, not added up. Bounds are milliseconds, the last one
   * Infinity.
   */
  constructor(
    name: string,
    help: string,
    boundsMs: readonly number[],
    counts: () => readonly (readonly number[])[],
  ) {
    this.name = name;
    this.help = help;
    this.#boundsMs = boundsMs;
    this.#counts = counts;
  }

  get(): Promise<{ name: string; help: string; type: 'histogram'; values: Sample[] }> {
    const { name, help, type } = this;
    return Promise.resolve({ name, help, type, values: this.#samples() });
  }

  reset(): void {
    // The counts are not ours; they never go down.
  }

  #samples(): Sample[] {
    const shards = this.#counts();
    const samples: Sample[] = [];
    let total = 0;
    let sum = 0;
    let largest = 0;
    for (const [bucket, bound] of this.#boundsMs.entries()) {
      const frames = shards.reduce((count, shard) => count + (shard[bucket] ?? 0), 0);
      total += frames;
      if (bound !== Infinity) largest = bound / 1_000;
      // The exact times are not kept: each frame counts with its bucket's bound.
      sum += frames * largest;
      const le = bound === Infinity ? '+Inf' : String(bound / 1_000);
      samples.push({ metricName: `${this.name}_bucket`, labels: { le }, value: total });
    }
    samples.push({ metricName: `${this.name}_sum`, labels: {}, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels: {}, value: total });
    return samples;
  }
}
