// The table of filters and the chain of those that a player has switched on. Called by the pipeline in a
// shard, once per producer; a new filter is one file and one row here, and its name in shared/filters.ts.
import type { FilterName } from '../../shared/filters.js';
import type { Filter, OpenFilter } from './filter.js';
import { openVolumeFilter } from './volume.js';

/** In the order in which the signal passes them (lavalink-v4.md §4.2). */
export const FILTERS: readonly (readonly [FilterName, OpenFilter])[] = [['volume', openVolumeFilter]];

/** Names that the table does not have are left out: refusing them is the protocol edge's business. */
export function openChain(filters: Readonly<Record<string, unknown>>): readonly Filter[] {
  const chain: Filter[] = [];
  for (const [name, open] of FILTERS) {
    const filter = Object.hasOwn(filters, name) ? open(filters[name]) : null;
    if (filter !== null) chain.push(filter);
  }
  return chain;
}
