// The other file that uses FFmpeg's bindings: any rate to 48 kHz with libswresample. Runs in shards, inside
// the frame loop, for producers whose source is not at 48 kHz; our buffers are reused from call to call.
import type { AVSampleFormat } from 'node-av/constants';
import { ServerError } from '../shared/errors.js';
import { layoutOf, loadAv } from './decode.js';

export type ResamplingQuality = 'LOW' | 'MEDIUM' | 'HIGH';

export interface Resampler {
  /** Takes interleaved stereo samples from `from` on; returns how many then lie in `pcm`. */
  convert(pcm: Float32Array, from: number, samples: number): number;
  /** The tail that the filter still holds, once there is no more input. */
  drain(): number;
  readonly pcm: Float32Array;
  close(): void;
}

/** Taps per phase and pass band as a part of the lower Nyquist frequency. */
const DESIGNS = {
  LOW: { taps: 16, cutoff: 0.91 },
  MEDIUM: { taps: 32, cutoff: 0.95 },
  HIGH: { taps: 64, cutoff: 0.97 },
} as const satisfies Record<ResamplingQuality, unknown>;

const OUTPUT_RATE = 48_000;

/** AV_SAMPLE_FMT_FLT: interleaved float32. */
const FLOAT = 3 as AVSampleFormat;

/**
 * Input samples that the longest filter wants on each side of a point, with room: at rates above 48 kHz its
 * length grows with the ratio.
 */
export function reachOf(rate: number): number {
  return Math.ceil(64 * Math.max(1, rate / OUTPUT_RATE));
}

/** Output sample n lies n / 48,000 s behind the first sample put in: the filter's delay is compensated. */
export function openResampler(rate: number, quality: ResamplingQuality): Resampler {
  const av = loadAv('resampler');
  const context = new av.SoftwareResampleContext();
  const design = DESIGNS[quality];
  const prepared =
    context.allocSetOpts2(layoutOf(2), FLOAT, OUTPUT_RATE, layoutOf(2), FLOAT, rate) >= 0 &&
    context.setOption('filter_size', design.taps) >= 0 &&
    context.setOption('cutoff', design.cutoff) >= 0 &&
    context.init() >= 0;
  if (!prepared) {
    context.free();
    throw new ServerError('PUM_FORMAT_UNSUPPORTED', { codec: `PCM at ${rate} Hz` });
  }

  const inputs = [Buffer.alloc(0)];
  const outputs = [Buffer.alloc(0)];
  let staged = new Float32Array(0);
  let pcm = new Float32Array(0);
  let open = true;

  const capacity = (samples: number): number => {
    const wanted = Math.ceil(((samples + 4 * reachOf(rate)) * OUTPUT_RATE) / rate) + 64;
    if (pcm.length < wanted * 2) {
      pcm = new Float32Array(wanted * 2);
      outputs[0] = Buffer.from(pcm.buffer);
    }
    return pcm.length >> 1;
  };

  return {
    get pcm() {
      return pcm;
    },
    convert(input, from, samples) {
      if (!open || samples <= 0) return 0;
      if (staged.length < samples * 2) {
        staged = new Float32Array(samples * 2);
        inputs[0] = Buffer.from(staged.buffer);
      }
      for (let i = 0; i < samples * 2; i++) staged[i] = input[from * 2 + i] ?? 0;
      return Math.max(0, context.convertSync(outputs, capacity(samples), inputs, samples));
    },
    drain() {
      if (!open) return 0;
      return Math.max(0, context.convertSync(outputs, capacity(0), null, 0));
    },
    close() {
      if (!open) return;
      open = false;
      context.free();
    },
  };
}
