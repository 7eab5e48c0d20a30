// One playing of one track: its media, the reader in use, the producer in use, and the cursor of the player
// on it. Knows seeks and changed settings (make, then break: the old frames go on until the new ones are
// there), nothing of voice, events or pauses. Driven by the player, synchronously.
import type { PipelineSettings } from '../audio/pipeline.js';
import { ServerError } from '../shared/errors.js';
import type { TrackInspection } from '../shared/inspection.js';
import { createProducer } from './create-producer.js';
import type { Media } from './media.js';
import { Made, type Producer } from './producer.js';
import { Reader } from './reader.js';
import type { ReaderTurns } from './reader-turns.js';
import { FrameMode } from './voice/driver.js';

/** Frames a producer gives at least before other settings replace it: each new one costs a run-up. */
const LEAST_FRAMES = 3;

export interface PlaybackOptions {
  readonly instance: number;
  readonly media: Media;
  /** Source seconds of the first frame. */
  readonly from: number;
  /** Source seconds behind which nothing is played, or null. */
  readonly end: number | null;
  readonly settings: PipelineSettings;
  /** `frameBufferDurationMs` in seconds. */
  readonly ahead: number;
  readonly framesKept: number;
  /** Those of the shard. */
  readonly turns: ReaderTurns;
  /** Old frames play until a seek yields its first one; false: silence meanwhile. */
  readonly ghosting: boolean;
  /** Something that next() waits for may have come. */
  readonly changed: () => void;
}

export class Playback {
  readonly instance: number;
  readonly #options: PlaybackOptions;
  #settings: PipelineSettings;
  #end: number | null;
  #reader: Reader;
  /** The reader of a seek that has not yielded a frame yet; what the one before has read may go on sounding. */
  #coming: Reader | null = null;
  #producer: Producer | null = null;
  /** Index in the producer of the frame that is next. */
  #cursor = 0;
  /** Source seconds at which the next producer starts; null while the present one goes on. */
  #target: number | null;
  /** The settings have changed since the producer was made. */
  #outdated = false;
  /** Nothing is open: the track waits at its target for somebody to ask for a frame. */
  #parked = false;
  #failure: ServerError | null = null;
  #anyFrame = false;
  /** Grows with every seek: frames of an earlier one do not move the position. */
  generation = 0;
  /** The generation of the frames that take() gives now; behind `generation` while old ones go on. */
  frameGeneration = 0;

  constructor(options: PlaybackOptions) {
    this.instance = options.instance;
    this.#options = options;
    this.#settings = options.settings;
    this.#end = options.end;
    this.#target = options.from;
    this.#reader = this.#newReader(options.from);
  }

  get failure(): ServerError | null {
    return this.#failure;
  }

  /** Whether a frame has been taken yet: decides between `finished` and `loadFailed`. */
  get anyFrame(): boolean {
    return this.#anyFrame;
  }

  get mode(): FrameMode {
    return this.#producer?.mode ?? FrameMode.encoded;
  }

  /** Whole milliseconds, or null when unknown or not opened yet; known once `opened`. */
  get lengthMs(): number | null {
    return this.#reader.info?.durationMs ?? null;
  }

  get opened(): boolean {
    return this.#reader.info !== null;
  }

  /** Source seconds at which the frame that is next begins. */
  get nextStart(): number {
    return this.#target ?? this.#producer?.startOf(this.#cursor) ?? 0;
  }

  /** Makes sure that the next frame exists. Never throws: what a codec throws is the end of this track only. */
  prepare(): Made {
    try {
      return this.#prepare();
    } catch (thrown) {
      this.#failure ??= ServerError.from(thrown, 'PUM_DECODE_FAILED');
      return Made.failed;
    }
  }

  #prepare(): Made {
    for (;;) {
      this.#refit();
      if (this.#end !== null && this.nextStart >= this.#end) return Made.ended;
      const producer = this.#producer;
      if (producer && this.#cursor < producer.made) return Made.frame;
      if (this.#failure) return Made.failed;
      const made = producer ? producer.make() : this.#withoutProducer();
      switch (made) {
        case Made.unfit:
          if (this.#coming || !this.#replaceProducer(this.nextStart, false)) return this.#starved();
          continue;
        case Made.starved:
          return this.#starved();
        case Made.frame:
          return made;
        default: // Ended or failed; but old frames that are used up are no end while new ones are to come.
          if (this.#coming) return this.#starved();
          if (made === Made.failed)
            this.#failure ??= producer?.failure ?? new ServerError('PUM_TRACK_TERMINATED');
          return made;
      }
    }
  }

  /** The frame that prepare() has made sure of; moves the cursor. */
  take(): Uint8Array | null {
    const frame = this.#producer?.frame(this.#cursor) ?? null;
    if (frame) {
      this.#cursor++;
      this.#anyFrame = true;
    }
    return frame;
  }

  /** The last `count` frames of this generation did not leave; the oldest began at `start` (source seconds). */
  putBack(count: number, start: number): void {
    const index = this.#cursor - count;
    if (this.#target === null && index >= 0 && this.#producer?.frame(index)) this.#cursor = index;
    else this.#target = start;
  }

  /** A frame that ends at `seconds` has left: what lies before is needed for a run-up only. */
  sentUpTo(seconds: number): void {
    if (!this.#coming) this.#reader.keep(seconds);
  }

  /** Other settings, from one of the next frames on. */
  reconfigure(settings: PipelineSettings): void {
    this.#settings = settings;
    this.#outdated = true;
  }

  setEnd(seconds: number | null): void {
    this.#end = seconds;
  }

  /** `sounding`: frames are leaving now, so old ones may go on until the new ones are there. */
  seek(seconds: number, sounding: boolean): void {
    this.generation++;
    this.#failure = null;
    this.#target = seconds;
    if (this.#parked) return;
    if (!this.#coming && this.#reader.covers(seconds)) {
      this.#reader.aim(seconds);
      return;
    }
    if (!this.#options.ghosting || !sounding) this.#dropProducer();
    // One cursor at a time: what the readers before have read is all that they bring.
    this.#reader.close();
    this.#coming?.close();
    this.#coming = null;
    const reader = this.#newReader(seconds);
    if (this.opened) this.#coming = reader;
    else this.#reader = reader;
  }

  /** The old frames of a seek that is under way are not wanted any more. */
  hush(): void {
    if (this.#coming) this.#dropProducer();
  }

  /**
   * Lets go of source and window until a frame is asked for again. Not for a stream: it would come back
   * somewhere else.
   */
  park(): void {
    if (this.#parked || this.#failure || this.lengthMs === null) return;
    this.#target = this.nextStart;
    this.#parked = true;
    this.#letGo();
    this.#options.media.rest();
  }

  inspect(): TrackInspection {
    const reader = this.#coming ?? this.#reader;
    const { state, ...read } = reader.inspect();
    const { window } = reader;
    const ahead = (window.end - this.nextStart) * 1_000;
    const mode = this.#producer?.mode === FrameMode.passthrough ? 'passthrough' : 'encoded';
    return {
      source: { state: this.#parked ? 'parked' : state, seeking: this.#coming !== null, ...read },
      window: {
        packets: window.next - window.first,
        bytes: window.bytes,
        aheadMs: Number.isFinite(ahead) ? Math.round(ahead) : null,
      },
      decode: {
        mode: this.#producer === null ? null : mode,
        error: this.#failure?.code ?? null,
        anyFrame: this.#anyFrame,
      },
    };
  }

  close(): void {
    this.#letGo();
    this.#options.media.close();
  }

  #letGo(): void {
    this.#coming?.close();
    this.#coming = null;
    this.#reader.close();
    this.#dropProducer();
  }

  /** Exchanges reader and producer when better ones can be had now. */
  #refit(): void {
    if (this.#parked) {
      this.#parked = false;
      this.#reader = this.#newReader(this.nextStart);
    }
    if (this.#failure || (this.#coming && !this.#takeOver(this.#coming))) return;
    const changes = this.#outdated && this.#cursor >= LEAST_FRAMES;
    if (this.#target !== null || changes) this.#replaceProducer(this.nextStart, true);
  }

  /** The reader of a seek becomes the one in use, once it has what was sought. */
  #takeOver(reader: Reader): boolean {
    const { state } = reader;
    if (state.kind === 'failed') this.#failure = new ServerError('PUM_SEEK_FAILED', {}, state.error);
    const there = state.kind === 'ended' || (reader.info !== null && reader.window.end > this.nextStart);
    if (!there || this.#failure) return false;
    this.#reader = reader;
    this.#coming = null;
    return true;
  }

  /** False when the reader has not brought enough to start one at `at`. Throws when none can be made. */
  #replaceProducer(at: number, mayPassThrough: boolean): boolean {
    const producer = createProducer({
      reader: this.#reader,
      settings: this.#settings,
      at,
      framesKept: this.#options.framesKept,
      mayPassThrough,
    });
    if (!producer) return false;
    this.#dropProducer();
    this.#producer = producer;
    this.#target = null;
    this.#outdated = false;
    this.frameGeneration = this.generation;
    return true;
  }

  #withoutProducer(): Made {
    const { state } = this.#coming ?? this.#reader;
    if (state.kind !== 'failed') return Made.starved;
    this.#failure = state.error;
    return Made.failed;
  }

  #starved(): Made {
    (this.#coming ?? this.#reader).want();
    return Made.starved;
  }

  #newReader(from: number): Reader {
    const { media, ahead, turns, changed } = this.#options;
    return new Reader(media, { from, ahead, turns, changed });
  }

  #dropProducer(): void {
    const producer = this.#producer;
    this.#producer = null;
    this.#cursor = 0;
    producer?.close();
  }
}
