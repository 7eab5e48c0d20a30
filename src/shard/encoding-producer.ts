// Decodes, filters and encodes: the window's packets go through a pipeline into a frame buffer.
import type { StreamFormat } from '../audio/container.js';
import { Pipeline, runUpSeconds, type PipelineSettings } from '../audio/pipeline.js';
import { ServerError } from '../shared/errors.js';
import { AUDIO } from '../shared/limits.js';
import { FrameBuffer } from './frame-buffer.js';
import { Made, type Producer } from './producer.js';
import type { Reader } from './reader.js';
import { FrameMode } from './voice/driver.js';

export class EncodingProducer implements Producer {
  readonly mode = FrameMode.encoded;
  readonly #reader: Reader;
  readonly #pipeline: Pipeline;
  readonly #frames: FrameBuffer;
  readonly #at: number;
  /** Window index of the next packet to push; -1 until the first one is chosen. */
  #next = -1;
  readonly #runUp: number;
  #finished = false;
  #failure: ServerError | null = null;

  /** Throws a ServerError when there is no decoder for the format. */
  constructor(
    reader: Reader,
    format: StreamFormat,
    settings: PipelineSettings,
    at: number,
    framesKept: number,
  ) {
    this.#reader = reader;
    this.#at = at;
    this.#runUp = runUpSeconds(format);
    this.#pipeline = new Pipeline(format, settings, at);
    this.#frames = new FrameBuffer(framesKept);
  }

  get made(): number {
    return this.#frames.made;
  }

  get failure(): ServerError | null {
    return this.#failure;
  }

  make(): Made {
    for (;;) {
      const start = this.#pipeline.frameTime;
      const length = this.#pipeline.frame(scratch);
      if (length > 0) {
        this.#frames.put(scratch, length, start);
        return Made.frame;
      }
      if (this.#finished) return Made.ended;
      const status = this.#pushNext();
      if (status !== Made.frame) return status;
    }
  }

  frame(index: number): Uint8Array | null {
    return this.#frames.get(index);
  }

  startOf(index: number): number {
    return this.#frames.startOf(index) ?? this.#pipeline.frameTime;
  }

  close(): void {
    this.#pipeline.close();
  }

  /** One packet into the pipeline, or its end; `frame` means that something went in. */
  #pushNext(): Made {
    const { window, state } = this.#reader;
    if (this.#next < 0) {
      if (window.next === window.first && state.kind === 'reading') return Made.starved;
      this.#next = window.indexAt(this.#at - this.#runUp);
    }
    const packet = window.get(Math.max(this.#next, window.first));
    if (packet) {
      this.#next = Math.max(this.#next, window.first) + 1;
      this.#pipeline.push(packet);
      if (this.#pipeline.badPackets <= AUDIO.maxBadPackets) return Made.frame;
      this.#failure = new ServerError('PUM_DECODE_FAILED');
      return Made.failed;
    }
    switch (state.kind) {
      case 'ended':
        this.#pipeline.finish();
        this.#finished = true;
        return Made.frame;
      case 'failed':
        this.#failure = state.error;
        return Made.failed;
      case 'closed':
        return Made.failed;
      default:
        return Made.starved;
    }
  }
}

/** Where every pipeline of this thread writes a frame before it is copied into its buffer. */
const scratch = new Uint8Array(AUDIO.maxOpusPacket);
