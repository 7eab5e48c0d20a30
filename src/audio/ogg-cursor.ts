// The packets of one Opus stream in Ogg pages, one after the other (RFC 3533, RFC 7845), on the timeline of a
// raw decoder: the first packet at 0, pre-skip included, each as long as its TOC byte says. Made by
// ogg-opus.ts. Packets whose bytes are there come without a promise: thousands of players read this way.
import type { ByteWindow } from './byte-window.js';
import { CursorBytes } from './cursor-bytes.js';
import { LONGEST_HEAD, OggPage, PAGE_HEAD, samplesIn } from './ogg-page.js';
import { packetSamples } from './opus-packet.js';
import type { Packet } from './packet.js';
import { AUDIO } from '../shared/limits.js';
import { ServerError } from '../shared/errors.js';
import type { ReadyCursor } from './walk-to.js';

const RATE = 48_000;
/** The flag of a page that begins a stream, and the length of what describes it there. */
const FIRST = 2;
const DESCRIPTION_BYTES = 19;
/** Packets that describe a stream and are no sound (RFC 7845 §3). */
const HEADERS = 2;
/** No page has this serial number. */
const NOBODY = -1;
/** What a page says of the time is believed beyond this many samples: half a packet. */
const TOLERANCE = 480;
/** A hole of more than this is no hole but another count. */
const LONGEST_HOLE = 60 * RATE;
/** Where pages are lost in the middle of a file, this much is searched for the next. */
const RESYNC_WITHIN = 256 * 1_024;

/** Where a cursor begins. */
export interface OggPlace {
  /** Offset of a page. */
  readonly offset: number;
  /** Sample at which its first packet begins; with `behind`, the first packet that begins behind that page. */
  readonly position: number;
  /** What ends on that page is left out. */
  readonly behind: boolean;
}

export interface OggStream {
  readonly serial: number;
  /** Granule position of sample 0; NaN until a page says it. */
  readonly shift: number;
}

export class OggCursor implements ReadyCursor {
  readonly #bytes: CursorBytes;
  readonly #page = new OggPage();
  /** Of the stream that is on. */
  #serial: number;
  #shift: number;
  /** Offset of what is to be read next. */
  #at: number;
  /** Segments of the page that have been read. */
  #segment = 0;
  #position: number;
  #behind: boolean;
  /** The beginning of a packet that goes on on the next page. */
  #begun: Uint8Array | null = null;
  /** What follows on the next page belongs to a packet whose beginning was not seen. */
  #orphan = false;
  /** Packets to come that describe a stream. */
  #headers = 0;
  /** Number that the next page should have; null when nobody knows, -1 when pages were lost. */
  #following: number | null = null;
  #ended = false;
  /** Bytes looked through for a page since the last one. */
  #skipped = 0;

  constructor(window: ByteWindow, { serial, shift }: OggStream, { offset, position, behind }: OggPlace) {
    this.#bytes = new CursorBytes(window);
    this.#serial = serial;
    this.#shift = shift;
    this.#at = offset;
    this.#position = position;
    this.#behind = behind;
  }

  ready(): Packet | null {
    while (!this.#ended) {
      const data = this.#segment < this.#page.segments ? this.#take() : this.#turn() ? undefined : null;
      if (data === null) return null;
      if (data === undefined || data.length === 0) continue;
      const samples = packetSamples(data);
      const time = this.#position / RATE;
      this.#position += samples;
      return { data, time, duration: samples / RATE };
    }
    return null;
  }

  async next(): Promise<Packet | null> {
    for (;;) {
      const packet = this.ready();
      if (packet !== null || this.#ended) return packet;
      // A cut file: what came before has been played.
      if (!(await this.#bytes.fetch())) this.#ended = true;
    }
  }

  /** The next packet that ends on this page; undefined when none does, null when bytes are missing. */
  #take(): Uint8Array | null | undefined {
    const page = this.#page;
    let length = 0;
    let segment = this.#segment;
    let whole = false;
    while (segment < page.segments && !whole) {
      const lace = page.lacing[segment++] ?? 0;
      length += lace;
      whole = lace < 255;
    }
    const bytes = this.#bytes.view(this.#at, length);
    if (bytes === null) return null;
    this.#segment = segment;
    this.#at += length;
    const begun = this.#begun;
    this.#begun = null;
    // A cover of megabytes may lie in a description, so that is not put together.
    const header = this.#headers > 0;
    if (header || this.#orphan) {
      if (header && whole) this.#headers--;
      this.#orphan = !whole;
      return undefined;
    }
    if (!whole) {
      // Kept beyond the window's own keeping.
      this.#begun = begun === null ? bytes.slice() : joined(begun, bytes);
      return undefined;
    }
    if (this.#behind) return undefined;
    return begun === null ? bytes : joined(begun, bytes);
  }

  /** Goes on to the next page of the stream; false when its head is not there. */
  #turn(): boolean {
    this.#settle();
    const start = this.#bytes.view(this.#at, PAGE_HEAD);
    if (start === null) return false;
    const length = OggPage.headBytesAt(start, 0);
    if (length === 0) return this.#lost();
    const page = this.#page;
    const first = ((start[5] ?? 0) & FIRST) !== 0;
    const head = this.#bytes.view(this.#at, first ? length + DESCRIPTION_BYTES : length);
    if (head === null) return false;
    page.read(head, 0, this.#at);
    // Another stream follows in the same file, or on the same radio (RFC 7845 §6): time goes on.
    const follows = first && isPlainOpus(head, length);
    if (!follows && (first || page.serial !== this.#serial)) {
      if (page.serial === this.#serial) this.#serial = NOBODY;
      this.#at = page.end;
      page.segments = 0;
      return true;
    }
    const lost = this.#following !== null && page.sequence !== this.#following;
    if (follows) this.#begin();
    else if (lost && !this.#afterHole()) return false;
    this.#following = (page.sequence + 1) >>> 0;
    this.#segment = 0;
    this.#skipped = 0;
    this.#at += length;
    if (lost || (page.segments > 0 && !page.continued)) this.#begun = null;
    this.#orphan = page.segments > 0 && page.continued && this.#begun === null;
    return true;
  }

  #begin(): void {
    this.#serial = this.#page.serial;
    this.#shift = NaN;
    this.#headers = HEADERS;
  }

  /** Pages are missing in front of this one: it says where it ends, so where it begins. False when bytes are missing. */
  #afterHole(): boolean {
    const page = this.#page;
    const { granule, segments, headBytes, bodyBytes } = page;
    if (granule < 0 || Number.isNaN(this.#shift)) return true;
    const bytes = this.#bytes.view(this.#at, headBytes + bodyBytes);
    if (bytes === null) {
      page.segments = 0;
      return false;
    }
    const samples = samplesIn(page.lacing, segments, bytes, headBytes, page.continued);
    const hole = granule - this.#shift - samples - this.#position;
    if (hole > TOLERANCE && hole <= LONGEST_HOLE) this.#position += hole;
    return true;
  }

  /** The page is used up: what it says of the time is compared with what was counted. */
  #settle(): void {
    const { granule, last, segments } = this.#page;
    if (segments === 0) return;
    this.#page.segments = 0;
    if (granule < 0) return;
    if (this.#behind) {
      this.#behind = false;
      return;
    }
    // The granule of the last page takes off what is too much at the end, and descriptions have none.
    if (last || (granule === 0 && Number.isNaN(this.#shift))) return;
    const hole = granule - this.#shift - this.#position;
    if (hole > TOLERANCE && hole <= LONGEST_HOLE) this.#position += hole;
    else if (!(Math.abs(hole) <= TOLERANCE)) this.#shift = granule - this.#position;
  }

  /** There is no page where one should be: looks for the next one. */
  #lost(): boolean {
    this.#begun = null;
    this.#following = -1;
    const bytes = this.#bytes.view(this.#at, LONGEST_HEAD) ?? this.#bytes.view(this.#at, PAGE_HEAD);
    if (bytes === null) return false;
    const searched = bytes.length - PAGE_HEAD + 1;
    let at = 1;
    while (at < searched && !isPage(bytes, at, this.#serial)) at++;
    this.#at += at;
    this.#skipped += at;
    if (this.#skipped > RESYNC_WITHIN) this.#ended = true;
    return true;
  }
}

function isPage(bytes: Uint8Array, at: number, serial: number): boolean {
  return OggPage.headBytesAt(bytes, at) > 0 && OggPage.belongsAt(bytes, at, serial);
}

/** Whether a description of mono or stereo Opus lies at `at`: what has more channels is coded in another way. */
function isPlainOpus(bytes: Uint8Array, at: number): boolean {
  return text(bytes, at) === 'Opus' && text(bytes, at + 4) === 'Head' && bytes[at + 18] === 0;
}

function text(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function joined(begun: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (begun.length + bytes.length > AUDIO.maxPacket) {
    throw new ServerError('PUM_FORMAT_BROKEN', { reason: 'a packet over many pages' });
  }
  const whole = new Uint8Array(begun.length + bytes.length);
  whole.set(begun);
  whole.set(bytes, begun.length);
  return whole;
}
