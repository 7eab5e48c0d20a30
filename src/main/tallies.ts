// Counters of what the main thread itself does, by closed label sets. Plain numbers: the metrics read them
// at scrape time. Totals only grow. Main thread.
import { Tally } from './tally.js';

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
