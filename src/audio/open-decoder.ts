// The choice of a decoder for a stream: our own code for PCM, libopus for Opus, FFmpeg for the rest. Called by
// the pipeline in shards.
import type { StreamFormat } from './container.js';
import { openAvDecoder } from './decode.js';
import type { Decoder } from './decoder.js';
import { openOpusDecoder } from './opus.js';
import { openPcmDecoder } from './pcm.js';

/** Rejects nothing by the content; throws PUM_DECODER_MISSING or PUM_FORMAT_UNSUPPORTED. */
export function openDecoder(format: StreamFormat): Decoder {
  // libopus gives the exact timeline that pass-through packets have in a listener's decoder. Its binding
  // knows one stream of at most two channels, so surround goes to FFmpeg.
  if (format.codec === 'opus') return format.channels <= 2 ? openOpusDecoder() : openAvDecoder(format);
  return openPcmDecoder(format) ?? openAvDecoder(format);
}
