// Counters of what the main thread itself does, by closed label sets. Plain numbers: the metrics read them
// at scrape time. Totals only grow. Main thread.

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

export class Tallies {
  /** Loads that found something. */
  readonly tracksLoaded = new Tally<'source' | 'type'>();
  readonly messages = new Tally<'direction' | 'op'>();
  readonly httpRequests = new Tally<'method' | 'route' | 'status'>();
  /** Events sent to clients or to their resume queue. */
  readonly trackEvents = new Tally<'type' | 'reason'>();
  /** Sessions that ended, by what ended them. */
  readonly sessionsEnded = new Tally<'reason'>();
  readonly sessionResumes = new Tally<'result'>();
  /** Events of a shard that belonged to nothing any more. */
  eventsDropped = 0;
  /** Sockets closed because their client did not read. */
  slowClients = 0;
}
