// The names of the sources this build has, in the order in which they are asked. Main prints them
// (/v4/info) and may not import the sources themselves; a test holds this list and the registry of the
// shards (src/shard/source/registry.ts) equal.

/** `http` takes any URL and so comes last (lavalink-v4.md §10, item 40). */
export const BUILT_SOURCES = ['local', 'http'] as const;

export type SourceName = (typeof BUILT_SOURCES)[number];

/** The names of the sources that are switched on (`lavalink.server.sources.*`), in order. */
export function enabledSources(on: Readonly<Record<SourceName, boolean>>): readonly SourceName[] {
  return BUILT_SOURCES.filter((name) => on[name]);
}
