// A counter with labels out of closed sets: a plain number per series, read by the metrics at scrape time.
// Totals only grow. Main thread.

/** A counter with labels; series appear with their first count. */
export class Tally<Label extends string> {
  readonly #series = new Map<string, { labels: Readonly<Record<Label, string>>; count: number }>();

  add(labels: Readonly<Record<Label, string>>, amount = 1): void {
    const key = JSON.stringify(Object.values(labels));
    const series = this.#series.get(key);
    if (series) series.count += amount;
    else this.#series.set(key, { labels, count: amount });
  }

  entries(): Iterable<{ readonly labels: Readonly<Record<Label, string>>; readonly count: number }> {
    return this.#series.values();
  }
}
