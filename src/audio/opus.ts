// The only file that imports @discordjs/opus (libopus): the frame encoder of every producer and the decoder
// for Opus sources. Runs in shards, synchronously, inside the frame loop. The library ends the whole process
// on a PCM length it does not like, so nothing but exactly one frame ever reaches it.
import opus from '@discordjs/opus';
import type { Decoder } from './decoder.js';
import { FRAME_SAMPLES } from '../shared/frame.js';
import { packetSamples } from './opus-packet.js';

export const SAMPLE_RATE = 48_000;

/**
 * Samples by which a decoder's output lags behind the encoder's input: 2.5 ms of CELT overlap and 4 ms of
 * delay compensation (libopus, OPUS_APPLICATION_AUDIO). The pipeline feeds the encoder ahead by as much.
 */
export const LOOK_AHEAD = 312;

/** Request numbers of opus_defines.h. */
const SET_COMPLEXITY = 4_010;
const SET_BITRATE = 4_002;
const SET_VBR = 4_006;
const BITRATE_AUTO = -1_000;

/** libopus accepts 500 to 512,000 bit/s; 510,000 is what fits 1,275 bytes in 20 ms. */
const MIN_BITRATE = 500;
const MAX_BITRATE = 510_000;
/** Above this a variable rate makes packets of more than 1,275 bytes out of noise (measured: 1,209 at 320,000). */
const MAX_VARIABLE_BITRATE = 320_000;

const FRAME_BYTES = FRAME_SAMPLES * 2 * Int16Array.BYTES_PER_ELEMENT;

export interface FrameEncoder {
  /** Encodes the 960 stereo samples at `offset` (counted in samples per channel) of interleaved `pcm`. */
  encode(pcm: Float32Array, offset: number): Uint8Array;
  close(): void;
}

/** `complexity` 0 to 10; `bitrate` in bit/s, 0 for libopus's own choice. Both are clamped. */
export function openOpusEncoder(complexity: number, bitrate: number): FrameEncoder {
  const library = new opus.OpusEncoder(SAMPLE_RATE, 2);
  library.applyEncoderCTL(SET_COMPLEXITY, clamp(Math.round(complexity), 0, 10));
  library.applyEncoderCTL(
    SET_BITRATE,
    bitrate > 0 ? clamp(Math.round(bitrate), MIN_BITRATE, MAX_BITRATE) : BITRATE_AUTO,
  );
  library.applyEncoderCTL(SET_VBR, bitrate > MAX_VARIABLE_BITRATE ? 0 : 1);
  const bytes = Buffer.alloc(FRAME_BYTES);
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, FRAME_SAMPLES * 2);
  return {
    encode(pcm, offset) {
      quantise(pcm, offset * 2, samples);
      if (bytes.length !== FRAME_BYTES) throw new RangeError('a frame is 3,840 bytes of PCM');
      return library.encode(bytes);
    },
    close() {
      bytes.fill(0);
    },
  };
}

/** A decoder whose timeline includes the pre-skip, as a listener of passed-through packets has it. */
export function openOpusDecoder(): Decoder {
  const library = new opus.OpusEncoder(SAMPLE_RATE, 2);
  const pcm = new Float32Array(FRAME_SAMPLES * 6 * 2);
  return {
    pcm,
    sampleRate: SAMPLE_RATE,
    decode(packet) {
      const expected = packetSamples(packet);
      if (expected === 0) return -1;
      let decoded: Buffer;
      try {
        decoded = library.decode(asBuffer(packet));
      } catch {
        return -1;
      }
      const samples = Math.min(decoded.length >> 2, FRAME_SAMPLES * 6);
      for (let i = 0; i < samples * 2; i++) pcm[i] = decoded.readInt16LE(i * 2) / 32_768;
      return samples;
    },
    drain: () => 0,
    close: () => undefined,
  };
}

/** float32 → int16 with rounding and clamping; NaN becomes 0 by the conversion itself. */
function quantise(from: Float32Array, start: number, to: Int16Array): void {
  for (let i = 0; i < to.length; i++) {
    const scaled = Math.round((from[start + i] ?? 0) * 32_768);
    to[i] = scaled > 32_767 ? 32_767 : scaled < -32_768 ? -32_768 : scaled;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
