// One Opus stream in Ogg pages (RFC 3533, RFC 7845), read page by page: the container of most passed-through
// files, and the cheapest there is. Opened by demux.ts, in shards and loaders; other things in Ogg go to the
// library. Its times are those of a raw decoder: the first packet at 0, pre-skip included.
import { AUDIO, SOURCE } from '../shared/limits.js';
import type { ByteWindow } from './byte-window.js';
import type { Container, ContainerInfo, PacketCursor } from './container.js';
import type { Tags } from './id3.js';
import { OggCursor, type OggPlace, type OggStream } from './ogg-cursor.js';
import { lastGranule } from './ogg-end.js';
import { LONGEST_HEAD, LONGEST_PAGE, OggPage, samplesIn } from './ogg-page.js';
import { readOpusTags } from './ogg-tags.js';
import { preSkipOf } from './opus-timeline.js';
import { walkTo } from './walk-to.js';

const RATE = 48_000;
const HEAD_BYTES = 19;
/** A place this many samples before the one that is sought is near enough to walk from. */
const NEAR = 2 * RATE;
/** The same in bytes. */
const NEAR_BYTES = 64 * 1_024;
/** Guesses of where a time lies, of which every other one only halves what is left. */
const MAX_GUESSES = 24;
/** Bytes by which a guess is set back: to land before a time costs less than to land behind it. */
const SET_BACK = 16 * 1_024;
const SEARCH_STEP = 4_096;

interface FoundPage {
  readonly offset: number;
  readonly end: number;
  readonly granule: number;
}

export class OggOpusContainer implements Container {
  readonly info: ContainerInfo;
  readonly #window: ByteWindow;
  readonly #stream: OggStream;
  /** Offset of the first page with sound. */
  readonly #start: number;
  /** Samples up to the end, or null when nobody knows. */
  readonly #samples: number | null;

  private constructor(
    window: ByteWindow,
    stream: OggStream,
    start: number,
    samples: number | null,
    info: ContainerInfo,
  ) {
    this.#window = window;
    this.#stream = stream;
    this.#start = start;
    this.#samples = samples;
    this.info = info;
  }

  /** The container, or null when the file is not one stream of mono or stereo Opus. */
  static async open(window: ByteWindow): Promise<OggOpusContainer | null> {
    const page = await pageAt(window, 0);
    if (page?.first !== true) return null;
    const description = (await window.read(page.headBytes, page.bodyBytes)).slice();
    const channels = description[9] ?? 0;
    const plain = text(description.subarray(0, 8)) === 'OpusHead' && (description[8] ?? 0) < 16;
    if (!plain || description.length < HEAD_BYTES || description[18] !== 0 || channels < 1 || channels > 2) {
      return null;
    }
    const { serial } = page;
    const comments = await readComments(window, page.end, serial);
    if (comments === null) return null;
    const { start, tags } = comments;
    const stream: OggStream = { serial, shift: await shiftOf(window, start, serial) };
    const format = { codec: 'opus', sampleRate: RATE, channels, description } as const;
    const { size } = window;
    const last = size === null || !window.seekable ? null : await lastGranule(window, size, serial);
    const samples = last === null ? null : last - stream.shift;
    const seconds = samples === null ? 0 : (samples - preSkipOf(format)) / RATE;
    const durationMs = seconds > 0 ? Math.round(seconds * 1_000) : null;
    return new OggOpusContainer(window, stream, start, samples, {
      probe: 'ogg',
      format,
      durationMs,
      ...tags,
    });
  }

  async packets(fromSeconds: number): Promise<PacketCursor> {
    this.#window.walk();
    const from = Math.max(0, fromSeconds * RATE);
    const cursor = new OggCursor(this.#window, this.#stream, await this.#placeBefore(from));
    return from === 0 ? cursor : (await walkTo(cursor, from / RATE)).cursor;
  }

  close(): void {
    this.#window.close();
  }

  /** A page that is surely not behind the sample `from`. */
  async #placeBefore(from: number): Promise<OggPlace> {
    let place: OggPlace = { offset: this.#start, position: 0, behind: false };
    let high = this.#window.size;
    if (high === null || !this.#window.seekable || this.#samples === null) return place;
    let low = this.#start;
    let highSample = this.#samples;
    for (let guesses = 0; guesses < MAX_GUESSES; guesses++) {
      if (high - low <= NEAR_BYTES || from - place.position <= NEAR) break;
      const share = guesses % 2 === 0 ? (from - place.position) / (highSample - place.position) : 0.5;
      const guess = Math.max(low, Math.floor(low + (high - low) * Math.min(1, share)) - SET_BACK);
      const page = await findPage(this.#window, this.#stream.serial, guess, high);
      const position = page === null ? Infinity : page.granule - this.#stream.shift;
      if (page !== null && position <= from) {
        low = page.end;
        place = { offset: page.offset, position, behind: true };
      } else {
        if (guess === low) break;
        high = guess;
        highSample = Math.min(highSample, position);
      }
    }
    return place;
  }
}

/** The page that begins exactly there, or null. */
async function pageAt(window: ByteWindow, offset: number): Promise<OggPage | null> {
  const bytes = await window.read(offset, LONGEST_HEAD);
  const length = OggPage.headBytesAt(bytes, 0);
  if (length === 0 || length > bytes.length) return null;
  const page = new OggPage();
  page.read(bytes, 0, offset);
  return page;
}

/** The first page of the stream between two offsets on which a packet ends, or null. */
async function findPage(
  window: ByteWindow,
  serial: number,
  from: number,
  to: number,
): Promise<FoundPage | null> {
  const page = new OggPage();
  for (let offset = from; offset < to && offset - from <= 2 * LONGEST_PAGE; offset += SEARCH_STEP) {
    const bytes = await window.read(offset, SEARCH_STEP + LONGEST_HEAD);
    for (let at = 0; at < Math.min(SEARCH_STEP, to - offset); at++) {
      const length = OggPage.headBytesAt(bytes, at);
      if (length === 0 || at + length > bytes.length) continue;
      page.read(bytes, at, offset + at);
      if (page.serial === serial && page.granule >= 0 && !page.last) {
        return { offset: page.offset, end: page.end, granule: page.granule };
      }
    }
    if (bytes.length < SEARCH_STEP) return null;
  }
  return null;
}

/** The comment header and where the sound begins; null where something else comes instead. */
async function readComments(
  window: ByteWindow,
  offset: number,
  serial: number,
): Promise<{ start: number; tags: Tags } | null> {
  const parts: Uint8Array[] = [];
  let kept = 0;
  for (let at = offset; ;) {
    const page = await pageAt(window, at);
    // A second stream begins, or the pages of several are mixed.
    if (page === null || page.first || page.serial !== serial || page.segments === 0) return null;
    if (page.continued !== at > offset) return null;
    if (kept < SOURCE.maxTags) {
      const part = await window.read(at + page.headBytes, page.bodyBytes);
      if (part.length < page.bodyBytes) return null;
      parts.push(part.slice());
      kept += part.length;
    }
    at = page.end;
    if (packetsIn(page) === 0) continue;
    const packet = Buffer.concat(parts);
    // The sound begins on a page of its own.
    if (packetsIn(page) > 1 || page.lacing[page.segments - 1] === 255) return null;
    return text(packet.subarray(0, 8)) === 'OpusTags' ? { start: at, tags: readOpusTags(packet) } : null;
  }
}

/** Packets that end on the page. */
function packetsIn(page: OggPage): number {
  let packets = 0;
  for (let index = 0; index < page.segments; index++) if ((page.lacing[index] ?? 0) < 255) packets++;
  return packets;
}

/**
 * The granule position at which the sound begins: not 0 where a recording was cut, or on a radio. NaN where the
 * cursor finds out itself: what is read forwards only is not read ahead.
 */
async function shiftOf(window: ByteWindow, start: number, serial: number): Promise<number> {
  if (!window.seekable) return NaN;
  const bodies: Uint8Array[] = [];
  const lacing: number[] = [];
  for (let at = start; at - start <= AUDIO.maxPacket;) {
    const page = await pageAt(window, at);
    // A page that is the last one as well takes off what is too much.
    if (page === null || page.serial !== serial || page.last) return 0;
    bodies.push((await window.read(at + page.headBytes, page.bodyBytes)).slice());
    lacing.push(...page.lacing.subarray(0, page.segments));
    if (page.granule >= 0)
      return page.granule - samplesIn(lacing, lacing.length, Buffer.concat(bodies), 0, false);
    at = page.end;
  }
  return 0;
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
