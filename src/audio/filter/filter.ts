// What a filter looks like to the chain: one file each implements it, chain.ts lists it.

export interface Filter {
  /** Changes `samples` stereo samples of interleaved 48 kHz PCM in place, from sample `from` on. */
  process(pcm: Float32Array, from: number, samples: number): void;
}

/** A filter for the client's settings, or null where they make it do nothing. */
export type OpenFilter = (settings: unknown) => Filter | null;
