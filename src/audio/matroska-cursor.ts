// The packets of one track out of the clusters of a Matroska file or stream (RFC 9559 §5.1.3), one after the other,
// at the container's own times. Made by matroska-container.ts, in shards. Elements follow one another here as if
// none lay in another: so a cluster of unknown size, as live streams have them, is one like any other.
import { AUDIO } from '../shared/limits.js';
import { ServerError } from '../shared/errors.js';
import type { ByteWindow } from './byte-window.js';
import { CursorBytes } from './cursor-bytes.js';
import { EBML, ElementHead, LONGEST_ELEMENT_HEAD, unsigned, UNKNOWN_SIZE, vint, vintBytes } from './ebml.js';
import { NO_LACING, unlace } from './matroska-lacing.js';
import { clusterIn, CLUSTER_ID_BYTES } from './matroska-search.js';
import { packetSamples } from './opus-packet.js';
import type { Packet } from './packet.js';
import type { ReadyCursor } from './walk-to.js';

const RATE = 48_000;
/** A block's own head: its track's number, a time and flags. */
const LONGEST_BLOCK_HEAD = 8 + 3;
/** Bytes of a block; many packets may lie in it. */
const MAX_BLOCK = 1_024 * 1_024;
/** Bytes of what a far end that cannot skip has to send for nothing. */
const MAX_SKIP = AUDIO.maxContainerHead;
/** Where elements make no sense, the next cluster is looked for within this many bytes, so many at a time. */
const RESYNC_WITHIN = 1_024 * 1_024;
const RESYNC_STEP = 4_096;
/** Seconds beyond which the time to the next block does not say how long one is. */
const LONGEST_STEP = 1;

/** What lies in a cluster or beside one and is none of the cursor's business. */
const STEPPED_OVER: ReadonlySet<number> = new Set([
  EBML.void,
  EBML.crc32,
  EBML.seekHead,
  EBML.info,
  EBML.tracks,
  EBML.cues,
  EBML.tags,
  EBML.chapters,
  EBML.attachments,
  EBML.position,
  EBML.prevSize,
  0x5854, // SilentTracks
  0xaf, // EncryptedBlock
  0x75a1, // BlockAdditions
  0x75a2, // DiscardPadding
  0xa2, // BlockVirtual
  0xa4, // CodecState
  0xfa, // ReferencePriority
  0xfb, // ReferenceBlock
  0xfd, // ReferenceVirtual
  0x8e, // Slices
  0xc8, // ReferenceFrame
]);

export interface ClusterTrack {
  readonly number: number;
  readonly opus: boolean;
  /** Seconds between two frames, 0 when nobody knows. */
  readonly frameSeconds: number;
  /** Seconds of one tick. */
  readonly tick: number;
  /** Where the segment ends, or Infinity. */
  readonly end: number;
}

export class MatroskaCursor implements ReadyCursor {
  readonly #bytes: CursorBytes;
  readonly #seekable: boolean;
  readonly #track: ClusterTrack;
  readonly #head = new ElementHead();
  /** Offset of the element that is next. */
  #at: number;
  #clusterTicks = 0;
  #clusterEnd = Infinity;
  /** Frames to be given, the time of the next one, and how long each is; null where its own bytes say it. */
  #frames: readonly Uint8Array[] = [];
  #given = 0;
  #time = 0;
  #each: number | null = null;
  /** The block before, which is as long as it takes to the next one, and what its group says of that. */
  #held: readonly Uint8Array[] | null = null;
  #heldTime = 0;
  #heldSeconds = 0;
  /** Where elements made no sense, the next cluster is looked for; bytes that were looked through. */
  #searching = false;
  #searched = 0;
  #ended = false;

  /** `offset` is that of a cluster. */
  constructor(window: ByteWindow, track: ClusterTrack, offset: number) {
    this.#bytes = new CursorBytes(window);
    this.#seekable = window.seekable;
    this.#track = track;
    this.#at = offset;
  }

  ready(): Packet | null {
    for (;;) {
      while (this.#given < this.#frames.length) {
        const packet = this.#give(this.#frames[this.#given++]);
        if (packet !== null) return packet;
      }
      if (this.#ended) {
        if (this.#held === null) return null;
        this.#release(this.#heldTime);
      } else if (!this.#step()) return null;
    }
  }

  async next(): Promise<Packet | null> {
    for (;;) {
      const packet = this.ready();
      if (packet !== null || this.#ended) return packet;
      await this.#bytes.fetch();
    }
  }

  #give(data: Uint8Array | undefined): Packet | null {
    if (data === undefined || data.length === 0) return null;
    const duration = this.#each ?? (packetSamples(data) / RATE || this.#track.frameSeconds);
    const time = this.#time;
    this.#time += duration;
    return { data, time, duration };
  }

  /** Reads the next element; false when its bytes are not at hand. */
  #step(): boolean {
    if (this.#searching) return this.#search();
    const length = Math.min(LONGEST_ELEMENT_HEAD + LONGEST_BLOCK_HEAD, this.#bytes.end - this.#at);
    if (length <= 0) return this.#end();
    if (!this.#bytes.has(this.#at, length)) return false;
    const head = this.#head;
    const begins = this.#at - this.#bytes.at;
    if (!head.read(this.#bytes.bytes, begins)) return this.#lost();
    const content = begins + head.bytes;
    if (this.#at >= this.#clusterEnd) this.#clusterEnd = Infinity;
    const fits = this.#at + head.bytes + head.size <= this.#clusterEnd;
    switch (head.id) {
      case EBML.cluster:
        this.#clusterEnd = head.size === UNKNOWN_SIZE ? Infinity : this.#at + head.bytes + head.size;
        this.#clusterTicks = 0;
        return this.#enter();
      case EBML.blockGroup:
        return this.#enter();
      case EBML.timestamp:
        if (head.size > 8) return this.#lost();
        this.#clusterTicks = unsigned(this.#bytes.bytes, content, head.size);
        return this.#skip();
      case EBML.blockDuration:
        if (head.size > 8) return this.#lost();
        this.#heldSeconds = unsigned(this.#bytes.bytes, content, head.size) * this.#track.tick;
        return this.#skip();
      case EBML.simpleBlock:
      case EBML.block:
        return fits ? this.#block(content) : this.#lost();
      // A stream that follows in the same bytes is another one.
      case EBML.header:
      case EBML.segment:
        return this.#end();
      default:
        // Names that nobody knows are left out where it is known that they are elements.
        return STEPPED_OVER.has(head.id) || (fits && this.#clusterEnd !== Infinity)
          ? this.#skip()
          : this.#lost();
    }
  }

  /** Goes on behind the head. */
  #enter(): boolean {
    this.#at += this.#head.bytes;
    return true;
  }

  /** Goes on behind the element. */
  #skip(): boolean {
    const { size, bytes } = this.#head;
    if (size === UNKNOWN_SIZE || (size > MAX_SKIP && !this.#seekable)) return this.#lost();
    this.#at += bytes + size;
    return true;
  }

  #end(): boolean {
    this.#ended = true;
    return true;
  }

  #block(content: number): boolean {
    const { size, bytes } = this.#head;
    const from = this.#bytes.bytes;
    const numberBytes = vintBytes(from, content);
    const begins = numberBytes + 3;
    if (size < begins) return this.#skip();
    if (vint(from, content, numberBytes) !== this.#track.number) return this.#skip();
    if (size > MAX_BLOCK) throw new ServerError('PUM_FORMAT_BROKEN', { reason: `a block of ${size} bytes` });
    // The element as a whole, or its head might be gone when the rest has come.
    if (!this.#bytes.has(this.#at, bytes + size)) {
      // A cut file: what came before has been played.
      return this.#at + bytes + size > this.#bytes.end && this.#end();
    }
    const block = this.#bytes.bytes;
    const at = this.#at - this.#bytes.at + bytes + numberBytes;
    const relative = (((block[at] ?? 0) << 24) >> 16) | (block[at + 1] ?? 0);
    const time = (this.#clusterTicks + relative) * this.#track.tick;
    const lacing = ((block[at + 2] ?? 0) >> 1) & 3;
    const [begin, end] = [at + 3, at + size - numberBytes];
    // What is held until the next block's time is known outlives what it lies in.
    const payload = this.#track.opus ? block.subarray(begin, end) : block.slice(begin, end);
    const frames = lacing === NO_LACING ? [payload] : unlace(payload, lacing);
    this.#at += bytes + size;
    if (frames !== null) this.#take(frames, time);
    return true;
  }

  #take(frames: readonly Uint8Array[], time: number): void {
    if (!this.#track.opus) {
      this.#release(time);
      this.#held = frames;
      this.#heldTime = time;
      this.#heldSeconds = 0;
      return;
    }
    this.#frames = frames;
    this.#given = 0;
    this.#time = time;
  }

  /** The block that was held is given, now that the next one's time is known. */
  #release(next: number): void {
    const held = this.#held;
    if (held === null) return;
    const step = next - this.#heldTime;
    const said = this.#heldSeconds || held.length * this.#track.frameSeconds;
    this.#each = (step > 0 && step <= LONGEST_STEP ? step : said) / held.length;
    this.#frames = held;
    this.#given = 0;
    this.#time = this.#heldTime;
    this.#held = null;
  }

  /** Nothing sensible here. Where the cluster's end is known, only the rest of that is lost. */
  #lost(): boolean {
    const rest = this.#clusterEnd - this.#at;
    if (rest > 0 && rest <= MAX_SKIP) this.#at = this.#clusterEnd;
    // What is behind the segment is no part of it.
    else if (this.#at >= this.#track.end) this.#ended = true;
    else {
      this.#searching = true;
      this.#searched = 0;
      this.#at++;
    }
    return true;
  }

  /** Looks for the next cluster. False when bytes are missing. */
  #search(): boolean {
    const length = Math.min(RESYNC_STEP, this.#bytes.end - this.#at);
    const bytes = this.#bytes.view(this.#at, length);
    if (bytes === null) return false;
    const found = clusterIn(bytes);
    if (found >= 0) {
      this.#at += found;
      this.#searching = false;
      return true;
    }
    this.#at += Math.max(1, length - CLUSTER_ID_BYTES + 1);
    this.#searched += length;
    if (length < RESYNC_STEP || this.#searched > RESYNC_WITHIN) this.#ended = true;
    return true;
  }
}
