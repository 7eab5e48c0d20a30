// What every decoder looks like to the pipeline, and the choice of one for a stream: our own code for PCM,
// libopus for Opus, FFmpeg for the rest. Runs in shards, one decoder per producer.
import type { StreamFormat } from './container.js';
import { openAvDecoder } from './decode.js';
import { openOpusDecoder } from './opus.js';
import { openPcmDecoder } from './pcm.js';

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

/** Rejects nothing by the content; throws PUM_DECODER_MISSING or PUM_FORMAT_UNSUPPORTED. */
export function openDecoder(format: StreamFormat): Decoder {
  // libopus gives the exact timeline that pass-through packets have in a listener's decoder. Its binding
  // knows one stream of at most two channels, so surround goes to FFmpeg.
  if (format.codec === 'opus') return format.channels <= 2 ? openOpusDecoder() : openAvDecoder(format);
  return openPcmDecoder(format) ?? openAvDecoder(format);
}
