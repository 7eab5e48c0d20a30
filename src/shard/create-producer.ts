// Chooses how a track's frames are made: handed on where that is possible, else decoded and encoded. Called
// by a playback whenever it starts, seeks, or its settings change.
import { isPassThrough } from '../audio/opus-packet.js';
import { isIdentity, type PipelineSettings } from '../audio/pipeline.js';
import { EncodingProducer } from './encoding-producer.js';
import { PassThroughProducer } from './pass-through-producer.js';
import type { Producer } from './producer.js';
import type { Reader } from './reader.js';

export interface ProducerOptions {
  readonly reader: Reader;
  readonly settings: PipelineSettings;
  /** Source seconds of the first frame. */
  readonly at: number;
  readonly framesKept: number;
  /** False when a packet has been met that cannot be handed on. */
  readonly mayPassThrough: boolean;
}

/** Container timestamps are rounded (WebM: 1 ms); a packet that begins this much later is still the one meant. */
const ON_THE_GRID = 0.005;

/**
 * The cheapest producer that starts at `at`, or null while the reader has not brought enough to tell.
 * Throws a ServerError when there is no decoder.
 */
export function createProducer(options: ProducerOptions): Producer | null {
  const { reader, settings, at, framesKept } = options;
  const { info, window } = reader;
  if (!info || (window.end <= at && reader.state.kind === 'reading')) return null;
  if (options.mayPassThrough && isIdentity(settings) && info.format.codec === 'opus') {
    const index = window.indexAt(at + ON_THE_GRID);
    const packet = window.get(index);
    if (packet && isPassThrough(packet.data)) {
      // Behind the last packet, or in a hole between two, the next one is the first to be heard.
      return new PassThroughProducer(reader, packet.time + packet.duration > at ? index : index + 1);
    }
  }
  return new EncodingProducer(reader, info.format, settings, at, framesKept);
}
