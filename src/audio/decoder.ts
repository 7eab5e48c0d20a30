// What every decoder looks like to the pipeline; open-decoder.ts chooses one. Runs in shards, one per producer.

export interface Decoder {
  /**
   * Decodes one packet. Returns samples per channel, which then lie in `pcm`; 0 when the codec holds them
   * back (the first Vorbis packet); -1 when the packet cannot be decoded. Never throws for bad data.
   */
  decode(packet: Uint8Array): number;
  /** What is still inside once there are no more packets, as `decode` returns it. */
  drain(): number;
  /** Interleaved stereo, float32, full scale 1; overwritten by the next call. */
  readonly pcm: Float32Array;
  /** Hz of what lies in `pcm`; a stream may change it under way (HE-AAC, radios). */
  readonly sampleRate: number;
  close(): void;
}
