// Measuring what a listener hears against what the source holds: alignment, signal to noise, loudness,
// clicks, channel order. Used by tests and by bench; gain is never fitted, so that a change of it shows.
import opus from '@discordjs/opus';
import type { Pcm } from './signal.js';
import { clickPositions } from './signal.js';

export interface Comparison {
  /** Samples by which the sound comes later than in the source (the source sample of heard sample 0, negated). */
  readonly offset: number;
  /** Power of the source over power of the difference, in dB, after alignment. */
  readonly snrDb: number;
  /** Loudness of what is heard less that of the source, in dB, per channel. */
  readonly loudnessDb: readonly [number, number];
  /** Clicks of a multitone that are not where the alignment puts them, by more than one sample. */
  readonly clicksOff: number;
  /** Whether each heard channel is more like the source's other one. */
  readonly swapped: boolean;
}

export interface CompareOptions {
  /** Samples at 48 kHz by which the sound may be early or late, 2,400 unless told. */
  readonly search?: number;
  /** Offset around which is searched. */
  readonly near?: number;
  /** Seconds left out at both ends, where encoders start and stop. */
  readonly margin?: number;
  /** Click positions in the source; those of a multitone of its length unless told. */
  readonly clicks?: readonly number[];
}

/** PCM at 48 kHz, as a listener's libopus gives it for these packets in this order. */
export function decodeFrames(frames: readonly Uint8Array[]): Pcm {
  const decoder = new opus.OpusEncoder(48_000, 2);
  const blocks = frames.map((frame) => decoder.decode(Buffer.from(frame)));
  const length = blocks.reduce((sum, block) => sum + block.length / 4, 0);
  const left = new Float32Array(length);
  const right = new Float32Array(length);
  let at = 0;
  for (const block of blocks) {
    for (let i = 0; i < block.length; i += 4, at++) {
      left[at] = block.readInt16LE(i) / 32_768;
      right[at] = block.readInt16LE(i + 2) / 32_768;
    }
  }
  return { rate: 48_000, channels: [left, right] };
}

/** A part of some PCM; positions outside it are silence. */
export function cut(pcm: Pcm, from: number, length: number): Pcm {
  return {
    rate: pcm.rate,
    channels: pcm.channels.map((channel) => Float32Array.from({ length }, (_, i) => channel[from + i] ?? 0)),
  };
}

export function compare(heard: Pcm, source: Pcm, options: CompareOptions = {}): Comparison {
  const { search = 2_400, near = 0, margin = 0.1 } = options;
  const skip = Math.round(margin * heard.rate);
  const offset = align(heard, source, near, search, skip, heard.channels[0]?.length ?? 0);
  const clicks =
    options.clicks ?? clickPositions((source.channels[0]?.length ?? 0) / source.rate, source.rate);
  const levels = [0, 1].map((side) => level(side, side, heard, source, offset, skip));
  const crossed = [0, 1].map((side) => level(side, 1 - side, heard, source, offset, skip));
  const power = sum(levels.map((side) => side.source));
  return {
    offset,
    snrDb: decibels(power / sum(levels.map((side) => side.difference))),
    loudnessDb: [loudness(levels[0]), loudness(levels[1])],
    clicksOff: clicks.filter((at) => {
      const place = at + offset;
      if (place < skip || place > (heard.channels[0]?.length ?? 0) - skip) return false;
      return Math.abs(align(heard, source, offset, 48, place - 96, place + 288) - offset) > 1;
    }).length,
    swapped: sum(crossed.map((side) => side.difference)) < sum(levels.map((side) => side.difference)),
  };
}

/** What libopus at the same bit rate makes of the same signal without anything between, in dB. */
export function referenceSnr(source: Pcm, bitrate: number, complexity = 10): number {
  return compare(decodeFrames(encodeDirectly(source, bitrate, complexity)), source, { near: 312 }).snrDb;
}

/** The plainest use of libopus: consecutive frames of 960 samples, nothing run up, nothing removed. */
export function encodeDirectly(source: Pcm, bitrate: number, complexity = 10): Uint8Array[] {
  const encoder = new opus.OpusEncoder(48_000, 2);
  encoder.applyEncoderCTL(4_010, complexity);
  encoder.setBitrate(bitrate);
  const frames: Uint8Array[] = [];
  const block = Buffer.alloc(3_840);
  const [left, right = left] = source.channels;
  for (let at = 0; at < (left?.length ?? 0); at += 960) {
    for (let i = 0; i < 960; i++) {
      block.writeInt16LE(sixteenBits(left?.[at + i]), i * 4);
      block.writeInt16LE(sixteenBits(right?.[at + i]), i * 4 + 2);
    }
    frames.push(Uint8Array.from(encoder.encode(block)));
  }
  return frames;
}

export interface Expectation {
  readonly offset: number;
  /** Lowest signal to noise that passes, in dB. */
  readonly snrDb: number;
}

/** What is wrong with a comparison, in words; empty when nothing is. */
export function faults(found: Comparison, expected: Expectation): string[] {
  const wrong: string[] = [];
  // Written so that a figure that is no number is a fault too.
  if (!(Math.abs(found.offset - expected.offset) <= 1))
    wrong.push(`offset ${found.offset}, not ${expected.offset}`);
  if (!(found.snrDb >= expected.snrDb))
    wrong.push(`${found.snrDb.toFixed(1)} dB of SNR, not ${expected.snrDb.toFixed(1)}`);
  for (const side of found.loudnessDb) {
    if (!(Math.abs(side) <= 0.5)) wrong.push(`${side.toFixed(2)} dB louder than the source`);
  }
  if (found.clicksOff > 0) wrong.push(`${found.clicksOff} clicks out of place`);
  if (found.swapped) wrong.push('left and right are swapped');
  return wrong;
}

interface Level {
  readonly source: number;
  readonly heard: number;
  readonly difference: number;
}

function level(side: number, other: number, heard: Pcm, source: Pcm, offset: number, skip: number): Level {
  const a = heard.channels[side] ?? heard.channels[0] ?? new Float32Array(0);
  const b = source.channels[other] ?? source.channels[0] ?? new Float32Array(0);
  let [own, theirs, difference] = [0, 0, 0];
  for (let i = skip; i < a.length - skip; i++) {
    const place = i - offset;
    if (place < skip || place >= b.length - skip) continue;
    const x = a[i] ?? 0;
    const y = b[place] ?? 0;
    own += x * x;
    theirs += y * y;
    difference += (x - y) ** 2;
  }
  return { source: theirs, heard: own, difference };
}

/** The shift with the largest normalised cross-correlation over both channels. */
function align(heard: Pcm, source: Pcm, near: number, search: number, from: number, to: number): number {
  // A few thousand samples in the middle decide; more would only cost time.
  const limit = 12_000;
  const start = to - from > limit ? Math.floor((from + to - limit) / 2) : from;
  const end = Math.min(to, start + limit);
  let best = near;
  let highest = Number.NEGATIVE_INFINITY;
  for (let shift = near - search; shift <= near + search; shift++) {
    let product = 0;
    let energy = 1e-9;
    for (const [side, a] of heard.channels.entries()) {
      const b = source.channels[side] ?? source.channels[0];
      if (b === undefined) continue;
      for (let i = Math.max(0, start); i < end; i++) {
        const y = b[i - shift] ?? 0;
        product += (a[i] ?? 0) * y;
        energy += y * y;
      }
    }
    const likeness = product / Math.sqrt(energy);
    if (likeness > highest) [highest, best] = [likeness, shift];
  }
  return best;
}

function loudness(side: Level | undefined): number {
  return side === undefined ? 0 : decibels(side.heard / side.source);
}

function decibels(ratio: number): number {
  return 10 * Math.log10(ratio);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sixteenBits(sample: number | undefined): number {
  return Math.max(-32_768, Math.min(32_767, Math.round((sample ?? 0) * 32_768)));
}
