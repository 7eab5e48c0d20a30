// The table of filters and the chain of those that a player has switched on. Called by the pipeline in a
// shard, once per producer; a new filter is one file and one row here, and its name in shared/filters.ts.
import type { FilterName } from '../../shared/filters.js';
import { openVolumeFilter } from './volume.js';

export interface Filter {
  /** Changes `samples` stereo samples of interleaved 48 kHz PCM in place, from sample `from` on. */
  process(pcm: Float32Array, from: number, samples: number): void;
}

/** A filter for the client's settings, or null where they make it do nothing. */
export type OpenFilter = (settings: unknown) => Filter | null;

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
