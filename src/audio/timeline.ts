// Where decoded PCM lies on the 48 kHz timeline of its source: packet times to sample positions, gaps to
// silence, the rate converted, everything before the wanted start dropped. Used by the pipeline alone, in a
// shard; hands aligned samples on, allocates nothing in a steady state.
import type { ResamplingQuality, Resampler } from './resample.js';
import { openResampler, reachOf } from './resample.js';

const RATE = 48_000;

/** A longer hole than this many seconds is jumped over instead of filled with silence. */
const MAX_GAP = 5;

/** Beyond this many seconds of input the common grid of two rates is not waited for. */
const MAX_ALIGNMENT = 0.02;

/** Takes what lies at 48 kHz position `position`; positions never overlap and never leave a hole. */
export type TakeSamples = (pcm: Float32Array, from: number, samples: number) => void;

export class Timeline {
  readonly #start: number;
  readonly #quality: ResamplingQuality;
  readonly #take: TakeSamples;
  readonly #silence: (samples: number) => void;
  #rate = 0;
  #resampler: Resampler | null = null;
  /** Position at `#rate` of the next decoded sample; null before the first. */
  #next: number | null = null;
  /** Position at `#rate` from which samples are used. */
  #from = 0;
  /** 48 kHz position of the next sample that comes out of the rate conversion. */
  #converted = 0;
  /** 48 kHz position of the next sample to be handed on. */
  #position: number;
  #jumped = 0;

  /** `start` is the 48 kHz position of the first sample to hand on; before 0 there is silence. */
  constructor(
    start: number,
    quality: ResamplingQuality,
    take: TakeSamples,
    silence: (samples: number) => void,
  ) {
    this.#start = start;
    this.#position = start;
    this.#quality = quality;
    this.#take = take;
    this.#silence = silence;
  }

  /** 48 kHz position of the next sample to be handed on. */
  get position(): number {
    return this.#position;
  }

  /** Samples at 48 kHz by which holes too long for silence have moved the source's time. */
  get jumped(): number {
    return this.#jumped;
  }

  /** Decoded samples of a packet that says it begins at `time` seconds. */
  add(pcm: Float32Array, samples: number, rate: number, time: number): void {
    if (rate !== this.#rate) this.#changeRate(rate);
    const said = Number.isFinite(time) ? Math.round(time * rate) : this.#next;
    if (this.#next === null) this.#begin(said ?? this.#from);
    else if (said !== null && said - this.#next > samples / 2) this.#fill(said - this.#next);
    const next = this.#next ?? 0;
    const skipped = Math.min(samples, Math.max(0, this.#from - next));
    this.#next = next + samples;
    if (skipped < samples) this.#convert(pcm, skipped, samples - skipped);
  }

  /** No more samples: what the rate conversion still holds. */
  finish(): void {
    this.#drain();
  }

  close(): void {
    this.#resampler?.close();
    this.#resampler = null;
  }

  /** The first packet decides where on both grids the conversion begins. */
  #begin(at: number): void {
    const wanted = Math.max(0, this.#start);
    this.#next = at;
    if (this.#rate === RATE) {
      this.#from = Math.max(at, wanted);
      this.#converted = this.#from;
    } else {
      // Where both grids meet, every producer of this track has the same filter phase at the same time.
      const step = this.#rate / divisor(this.#rate, RATE);
      const target = Math.max(at, 0, Math.floor((wanted * this.#rate) / RATE) - 2 * reachOf(this.#rate));
      const aligned = step > this.#rate * MAX_ALIGNMENT ? target : Math.ceil(target / step) * step;
      this.#from = aligned;
      this.#converted = Math.round((aligned * RATE) / this.#rate);
    }
    // The source begins before its own zero (codec priming), at it, or later than wanted.
    const hole = this.#converted - this.#position;
    if (hole > 0) this.#pass(hole, this.#position < 0 ? Math.min(hole, -this.#position) : 0);
  }

  /** A hole of `samples` at the source's rate. */
  #fill(samples: number): void {
    if (samples > MAX_GAP * this.#rate) {
      this.#drain();
      this.#restart((this.#next ?? 0) + samples, this.#converted + Math.round((samples * RATE) / this.#rate));
      const hole = Math.max(0, this.#converted - this.#position);
      this.#jumped += hole;
      this.#position += hole;
      return;
    }
    this.#next = (this.#next ?? 0) + samples;
    const used = Math.min(samples, Math.max(0, this.#next - this.#from));
    for (let left = used; left > 0; left -= ZEROS.length / 2) {
      // Filters work in place, so the last round may have written here.
      this.#convert(ZEROS.fill(0), 0, Math.min(left, ZEROS.length / 2));
    }
  }

  /** `hole` samples at 48 kHz of which the first `owed` are silence in any case. */
  #pass(hole: number, owed: number): void {
    const rest = hole - owed;
    const jump = rest > MAX_GAP * RATE ? rest : 0;
    this.#silence(hole - jump);
    this.#jumped += jump;
    this.#position += hole;
  }

  #changeRate(rate: number): void {
    if (this.#rate !== 0) this.#drain();
    const seconds = this.#next === null ? null : this.#next / this.#rate;
    this.close();
    this.#rate = rate;
    if (rate !== RATE) this.#resampler = openResampler(rate, this.#quality);
    if (seconds !== null) this.#restart(Math.round(seconds * rate), this.#converted);
  }

  /** Goes on at `next`, which is the 48 kHz position `converted`. */
  #restart(next: number, converted: number): void {
    this.#next = next;
    this.#from = Math.max(next, Math.floor((this.#start * this.#rate) / RATE));
    this.#converted = converted;
  }

  #convert(pcm: Float32Array, from: number, samples: number): void {
    if (this.#rate === RATE) this.#give(pcm, from, samples);
    else if (this.#resampler !== null) {
      const converted = this.#resampler.convert(pcm, from, samples);
      this.#give(this.#resampler.pcm, 0, converted);
    }
  }

  #drain(): void {
    if (this.#resampler === null) return;
    const converted = this.#resampler.drain();
    this.#give(this.#resampler.pcm, 0, converted);
    if (this.#rate !== RATE) {
      this.#resampler.close();
      this.#resampler = openResampler(this.#rate, this.#quality);
    }
  }

  #give(pcm: Float32Array, from: number, samples: number): void {
    const early = Math.min(samples, Math.max(0, this.#position - this.#converted));
    this.#converted += samples;
    if (early === samples) return;
    this.#take(pcm, from + early, samples - early);
    this.#position += samples - early;
  }
}

const ZEROS = new Float32Array(2_048);

function divisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
