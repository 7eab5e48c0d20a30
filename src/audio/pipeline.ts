// The left half of a frame's journey as one loop: decode → rate and time → filters → volume → collect 960
// samples → encode. One per producer, in a shard, called synchronously by the frame loop: no timers, no
// waiting, and data that cannot be decoded is a status, never a throw.
import { AUDIO } from '../shared/limits.js';
import type { StreamFormat } from './container.js';
import type { Decoder } from './decoder.js';
import type { Filter } from './filter/filter.js';
import { openChain } from './filter/chain.js';
import { openGain, playerGain } from './filter/volume.js';
import { openDecoder } from './open-decoder.js';
import type { FrameEncoder } from './opus.js';
import { LOOK_AHEAD, openOpusEncoder, SAMPLE_RATE } from './opus.js';
import { FRAME_SAMPLES } from '../shared/frame.js';
import { SILENCE_FRAME } from './opus-packet.js';
import type { Packet } from './packet.js';
import type { ResamplingQuality } from './resample.js';
import { SampleQueue } from './sample-queue.js';
import { Timeline } from './timeline.js';

export interface PipelineSettings {
  /** Player volume, 0 to 1000 per cent. */
  readonly volume: number;
  /** As the client sent them; names that are not built are ignored. */
  readonly filters: Readonly<Record<string, unknown>>;
  /** Opus complexity, 0 to 10. */
  readonly complexity: number;
  /** bit/s; 0 leaves it to libopus. */
  readonly bitrate: number;
  readonly resampling: ResamplingQuality;
}

/** Frames that are encoded and thrown away, so that the encoder's state is that of running audio. */
const RUN_UP_FRAMES = 4;

/** Seconds at a source's rate that the resampler wants before its first sample, alignment included. */
const RESAMPLER_RUN_UP = 0.03;

/** Seconds of packets whose sound is wrong after a seek, until the decoder's state is that of running audio. */
const DECODER_RUN_UP: Readonly<Record<string, number>> = {
  opus: 0.08,
  // The bit reservoir reaches back 511 bytes, nine frames at the lowest rate; the hybrid filter bank one more.
  mp3: 0.27,
  // One frame of overlap of 2,048 samples at 8 kHz, spectral band replication included.
  aac: 0.26,
  // One window of at most 8,192 samples; 44.1 kHz encoders use 2,048.
  vorbis: 0.19,
};

/** Seconds before the first frame's time at which the packets pushed must begin. */
export function runUpSeconds(format: StreamFormat): number {
  const encoder = (RUN_UP_FRAMES * FRAME_SAMPLES) / SAMPLE_RATE;
  return (
    encoder + (DECODER_RUN_UP[format.codec] ?? 0) + (format.sampleRate === SAMPLE_RATE ? 0 : RESAMPLER_RUN_UP)
  );
}

/** Whether the settings leave the sound as it is, so that packets may pass through. */
export function isIdentity(settings: Pick<PipelineSettings, 'volume' | 'filters'>): boolean {
  return settings.volume === 100 && openChain(settings.filters).length === 0;
}

export class Pipeline {
  readonly #decoder: Decoder;
  readonly #encoder: FrameEncoder;
  readonly #timeline: Timeline;
  readonly #chain: readonly Filter[];
  readonly #queue = new SampleQueue();
  readonly #format: StreamFormat;
  /** 48 kHz position of the next frame's first sample. */
  #position: number;
  #runUp = RUN_UP_FRAMES;
  /** 48 kHz position of the source's end, once it is known. */
  #end = Number.POSITIVE_INFINITY;
  #badPackets = 0;
  #lastSamples = 0;
  #silence = new Float32Array(0);

  /**
   * `at` is the source time in seconds of the first frame. Throws PUM_DECODER_MISSING, PUM_FORMAT_UNSUPPORTED
   * or, for filter values that cannot be, PUM_DECODE_FAILED.
   */
  constructor(format: StreamFormat, settings: PipelineSettings, at: number) {
    this.#format = format;
    this.#position = Math.round(at * SAMPLE_RATE);
    const gain = openGain(playerGain(settings.volume));
    const filters = openChain(settings.filters);
    this.#chain = gain === null ? filters : [...filters, gain];
    this.#timeline = new Timeline(
      this.#position + LOOK_AHEAD - RUN_UP_FRAMES * FRAME_SAMPLES,
      settings.resampling,
      (pcm, from, samples) => {
        for (const filter of this.#chain) filter.process(pcm, from, samples);
        this.#queue.push(pcm, from, samples);
      },
      (samples) => {
        this.#queue.pushSilence(samples);
      },
    );
    this.#encoder = openOpusEncoder(settings.complexity, settings.bitrate);
    this.#decoder = openDecoder(format);
  }

  /** Source time in seconds of the frame that `frame` gives next. */
  get frameTime(): number {
    return (this.#position + this.#timeline.jumped) / SAMPLE_RATE;
  }

  /** Packets in a row that no decoder accepted. */
  get badPackets(): number {
    return this.#badPackets;
  }

  /** 0: taken; 1: cannot be decoded, silence of its length stands in for it. */
  push(packet: Packet): number {
    const samples = this.#decoder.decode(packet.data);
    const rate = this.#decoder.sampleRate;
    if (samples < 0) {
      this.#badPackets++;
      const length =
        packet.duration > 0 ? Math.round(Math.min(packet.duration, 1) * rate) : this.#lastSamples;
      if (length > 0) {
        if (this.#silence.length < length * 2) this.#silence = new Float32Array(length * 2);
        this.#timeline.add(this.#silence, length, rate, packet.time);
      }
      return 1;
    }
    this.#badPackets = 0;
    if (samples > 0) {
      this.#lastSamples = samples;
      this.#timeline.add(this.#decoder.pcm, samples, rate, packet.time);
    }
    return 0;
  }

  /** No more packets follow: drains what is inside and pads the last frame with silence. */
  finish(): void {
    if (this.#end !== Number.POSITIVE_INFINITY) return;
    const samples = this.#decoder.drain();
    if (samples > 0) this.#timeline.add(this.#decoder.pcm, samples, this.#decoder.sampleRate, Number.NaN);
    this.#timeline.finish();
    this.#end = this.#timeline.position - this.#timeline.jumped;
  }

  /**
   * Writes the next Opus frame and returns its length; 0 when more packets are needed or, after `finish`,
   * at the end. `out` holds at least 1,275 bytes.
   */
  frame(out: Uint8Array): number {
    while (this.#position < this.#end) {
      if (this.#queue.length < FRAME_SAMPLES) {
        if (this.#end === Number.POSITIVE_INFINITY) return 0;
        this.#queue.pushSilence(FRAME_SAMPLES - this.#queue.length);
      }
      const encoded = this.#encoder.encode(this.#queue.pcm, this.#queue.head);
      this.#queue.drop(FRAME_SAMPLES);
      if (this.#runUp > 0) {
        this.#runUp--;
        continue;
      }
      this.#position += FRAME_SAMPLES;
      const frame = encoded.length > AUDIO.maxOpusPacket ? SILENCE_FRAME : encoded;
      out.set(frame);
      return frame.length;
    }
    return 0;
  }

  close(): void {
    this.#decoder.close();
    this.#timeline.close();
    this.#encoder.close();
  }

  /** The codec that is being decoded, for messages. */
  get codec(): string {
    return this.#format.codec;
  }
}
