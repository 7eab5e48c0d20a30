// How many loads may run at one time on this node, so that the queue in front of the loader pool has a ceiling
// (architecture.md §4, rule 3). One per node; asked by load.ts on the main thread.
import { ServerError } from '../shared/errors.js';
import { DISPATCH } from '../shared/limits.js';

export class LoadGate {
  #running = 0;

  /** Runs one load. Throws PUM_LOAD_BUSY at once when there is no room for it. */
  async pass<R>(load: () => Promise<R>): Promise<R> {
    const limit = DISPATCH.maxLoads;
    if (this.#running >= limit) throw new ServerError('PUM_LOAD_BUSY', { limit });
    this.#running++;
    try {
      return await load();
    } finally {
      this.#running--;
    }
  }
}
