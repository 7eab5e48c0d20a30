// One playing of one track: its media, the reader in use, the producer in use, and the cursor of the player
// on it. Knows seeks and changed settings (make, then break: the old frames go on until the new ones are
// there), nothing of voice, events or pauses. Driven by the player, synchronously.
import type { PipelineSettings } from '../audio/pipeline.js';
import { runUpSeconds } from '../audio/pipeline.js';
import { ServerError } from '../shared/errors.js';
import { createProducer } from './create-producer.js';
import type { Media } from './media.js';
import { Made, type Producer } from './producer.js';
import { Reader } from './reader.js';
import { FrameMode } from './voice/driver.js';

/** Packets this much older than what a new producer needs are kept, so that rounding never loses one. */
const KEEP_SLACK = 0.1;

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
  /** Nothing is open: the track waits at #target for somebody to ask for a frame. */
  #parked = false;
  /** The reader of a seek that has not yielded a frame yet. */
  #coming: Reader | null = null;
  #producer: Producer | null = null;
  /** Index in the producer of the frame that is next. */
  #cursor = 0;
  /** Source seconds at which the next producer starts. */
  #target: number;
  /** The producer does not fit the settings any more. */
  #stale = true;
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
    return this.#producer && !this.#stale ? this.#producer.startOf(this.#cursor) : this.#target;
  }

  /** Makes sure that the next frame exists. Never throws: what a codec throws is the end of this track only. */
  prepare(): Made {
    if (this.#failure) return Made.failed;
    try {
      return this.#prepare();
    } catch (thrown) {
      this.#failure = ServerError.from(thrown, 'PUM_DECODE_FAILED');
      return Made.failed;
    }
  }

  #prepare(): Made {
    if (this.#parked) {
      this.#parked = false;
      this.#reader = this.#newReader(this.#target);
    }
    for (;;) {
      this.#refit();
      const producer = this.#producer;
      if (!producer) return this.#whileOpening();
      if (this.#end !== null && producer.startOf(this.#cursor) >= this.#end) return Made.ended;
      if (this.#cursor < producer.made) return Made.frame;
      const made = producer.make();
      if (made === Made.unfit) {
        this.#replaceProducer(producer.startOf(this.#cursor), false);
        if (this.#producer === producer) return Made.starved;
        continue;
      }
      if (made === Made.ended && this.#coming) return Made.starved;
      if (made === Made.failed) {
        if (this.#coming) return Made.starved;
        this.#failure = producer.failure ?? new ServerError('PUM_TRACK_TERMINATED');
      }
      return made;
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

  /** The last `count` frames taken did not leave; the oldest of them began at `start` (source seconds). */
  putBack(count: number, start: number): void {
    if (
      this.#producer &&
      !this.#stale &&
      count <= this.#cursor &&
      this.#producer.frame(this.#cursor - count)
    ) {
      this.#cursor -= count;
      return;
    }
    this.#target = start;
    this.#stale = true;
  }

  /** A frame that ends at `seconds` has left: what lies before is needed for a run-up only. */
  sentUpTo(seconds: number): void {
    const info = this.#reader.info;
    if (info && !this.#coming) this.#reader.keep(seconds - runUpSeconds(info.format) - KEEP_SLACK, seconds);
  }

  /** Other settings from the next frame on. */
  reconfigure(settings: PipelineSettings): void {
    this.#settings = settings;
    if (!this.#stale) this.#target = this.nextStart;
    this.#stale = true;
  }

  setEnd(seconds: number | null): void {
    this.#end = seconds;
  }

  /** `sounding`: frames are leaving now, so old ones may go on until the new ones are there. */
  seek(seconds: number, sounding: boolean): void {
    this.generation++;
    this.#failure = null;
    this.#coming?.close();
    this.#coming = null;
    if (this.#parked) {
      this.#target = seconds;
      return;
    }
    const info = this.#reader.info;
    const inWindow =
      info !== null && this.#reader.window.covers(seconds - runUpSeconds(info.format), seconds);
    if (inWindow) {
      this.#reader.aim(seconds);
    } else {
      this.#coming = this.#newReader(seconds);
      if (!this.#options.ghosting || !sounding) this.#dropProducer();
    }
    this.#target = seconds;
    this.#stale = true;
  }

  /**
   * Lets go of source and window until a frame is asked for again. Not for a stream: it would come back
   * somewhere else.
   */
  park(): void {
    if (this.#parked || this.#failure || this.lengthMs === null) return;
    this.#target = this.nextStart;
    this.#stale = true;
    this.#dropReaders();
    this.#options.media.rest();
    this.#parked = true;
  }

  close(): void {
    this.#dropReaders();
    this.#options.media.close();
  }

  /** Exchanges the producer when a better one can be made now. */
  #refit(): void {
    if (!this.#stale) return;
    if (this.#coming) {
      const { kind } = this.#coming.state;
      if (kind === 'failed') {
        this.#failSeek(this.#coming);
        return;
      }
      if (!this.#isReady(this.#coming, this.#target)) return;
      this.#reader.close();
      this.#reader = this.#coming;
      this.#coming = null;
    }
    this.#replaceProducer(this.#target, true);
  }

  #replaceProducer(at: number, mayPassThrough: boolean): void {
    const { framesKept } = this.#options;
    try {
      const producer = createProducer({
        reader: this.#reader,
        settings: this.#settings,
        at,
        framesKept,
        mayPassThrough,
      });
      if (!producer) return;
      this.#dropProducer();
      this.#producer = producer;
      this.#cursor = 0;
      this.#stale = false;
      this.frameGeneration = this.generation;
    } catch (thrown) {
      this.#failure = ServerError.from(thrown, 'PUM_DECODE_FAILED');
    }
  }

  #isReady(reader: Reader, at: number): boolean {
    return reader.info !== null && (reader.window.end > at || reader.state.kind === 'ended');
  }

  #failSeek(reader: Reader): void {
    const cause = reader.state.kind === 'failed' ? reader.state.error : undefined;
    this.#failure = new ServerError('PUM_SEEK_FAILED', {}, cause);
  }

  #whileOpening(): Made {
    if (this.#failure) return Made.failed;
    if (this.#reader.state.kind === 'failed') {
      this.#failure = this.#reader.state.error;
      return Made.failed;
    }
    return Made.starved;
  }

  #newReader(from: number): Reader {
    // A reader begins early enough for the run-up of any codec; the window's first packets are dropped again.
    return new Reader(this.#options.media, {
      from: Math.max(0, from - LONGEST_RUN_UP),
      ahead: this.#options.ahead,
      changed: this.#options.changed,
    });
  }

  #dropReaders(): void {
    this.#dropProducer();
    this.#coming?.close();
    this.#coming = null;
    this.#reader.close();
  }

  #dropProducer(): void {
    this.#producer?.close();
    this.#producer = null;
    this.#cursor = 0;
  }
}

/** Seconds; runUpSeconds() of no format is longer. */
const LONGEST_RUN_UP = 0.5;
