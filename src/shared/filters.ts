// The filters a client can name, in Lavalink's order (lavalink-v4.md §4.1). The edge refuses the ones that
// are not built; src/audio/filter/chain.ts builds the rest, and a test holds the two lists equal.

export const FILTER_NAMES = [
  'volume',
  'equalizer',
  'karaoke',
  'timescale',
  'tremolo',
  'vibrato',
  'distortion',
  'rotation',
  'channelMix',
  'lowPass',
] as const;

export type FilterName = (typeof FILTER_NAMES)[number];

/** The names that src/audio/filter/chain.ts has a filter for. */
export const BUILT_FILTERS: readonly FilterName[] = ['volume'];
