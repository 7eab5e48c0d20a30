// The packets of one Opus stream in Ogg pages, one after the other (RFC 3533, RFC 7845), on the timeline of a
// raw decoder: the first packet at 0, pre-skip included, each as long as its TOC byte says. Made by
// ogg-opus.ts. Packets whose bytes are there come without a promise: thousands of players read this way.
import type { ByteWindow } from './byte-window.js';
import type { PacketCursor } from './container.js';
import { LONGEST_HEAD, OggPage, PAGE_HEAD } from './ogg-page.js';
import { packetSamples } from './opus-packet.js';
import type { Packet } from './packet.js';
import { AUDIO } from '../shared/limits.js';
import { ServerError } from '../shared/errors.js';

const RATE = 48_000;
/** The flag of a page that begins a stream, and the length of a packet's name on it. */
const FIRST = 2;
const NAME_BYTES = 8;
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

export class OggCursor implements PacketCursor {
  readonly #window: ByteWindow;
  readonly #page = new OggPage();
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
  #ended = false;
  /** Bytes looked through for a page since the last one. */
  #skipped = 0;
  /** Bytes that were waited for, and where they lie. */
  #fetched: Uint8Array = new Uint8Array(0);
  #fetchedAt = 0;
  /** What has to be there before anything goes on. */
  #needed = 0;

  constructor(window: ByteWindow, { serial, shift }: OggStream, { offset, position, behind }: OggPlace) {
    this.#window = window;
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
      if (data === undefined || data.length === 0 || isHeader(data)) continue;
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
      const bytes = await this.#window.read(this.#at, this.#needed);
      this.#fetched = bytes;
      this.#fetchedAt = this.#at;
      // A cut file: what came before has been played.
      if (bytes.length < this.#needed) this.#ended = true;
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
    const bytes = this.#bytes(length);
    if (bytes === null) return null;
    this.#segment = segment;
    this.#at += length;
    const begun = this.#begun;
    this.#begun = null;
    if (this.#orphan) {
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
    const start = this.#bytes(PAGE_HEAD);
    if (start === null) return false;
    const length = OggPage.headBytesAt(start, 0);
    if (length === 0) return this.#lost();
    const page = this.#page;
    const bos = (start[5] ?? 0) & FIRST;
    const head = this.#bytes(bos === 0 ? length : length + NAME_BYTES);
    if (head === null) return false;
    page.read(head, 0, this.#at);
    this.#segment = 0;
    this.#skipped = 0;
    // Another stream follows in the same file, or on the same radio (RFC 7845 §6): time goes on.
    if (page.first && isHead(head, length)) {
      this.#serial = page.serial;
      this.#shift = NaN;
    }
    if (page.serial !== this.#serial) {
      this.#at = page.end;
      page.segments = 0;
      return true;
    }
    this.#at += length;
    if (page.continued && this.#begun === null) this.#orphan = true;
    if (!page.continued) {
      this.#begun = null;
      this.#orphan = false;
    }
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
    // The granule of the last page takes off what is too much at the end.
    if (last) return;
    const hole = granule - this.#shift - this.#position;
    if (hole > TOLERANCE && hole <= LONGEST_HOLE) this.#position += hole;
    else if (!(Math.abs(hole) <= TOLERANCE)) this.#shift = granule - this.#position;
  }

  /** There is no page where one should be: looks for the next one. */
  #lost(): boolean {
    this.#begun = null;
    this.#orphan = true;
    const bytes = this.#bytes(LONGEST_HEAD) ?? this.#bytes(PAGE_HEAD);
    if (bytes === null) return false;
    const searched = bytes.length - PAGE_HEAD + 1;
    for (let at = 1; at < searched; at++) {
      if (OggPage.headBytesAt(bytes, at) === 0) continue;
      this.#at += at;
      return true;
    }
    this.#at += Math.max(1, searched);
    this.#skipped += searched;
    if (this.#skipped > RESYNC_WITHIN) this.#ended = true;
    return true;
  }

  /** `length` bytes from where it stands, or null, and then they are needed. */
  #bytes(length: number): Uint8Array | null {
    const from = this.#at - this.#fetchedAt;
    if (from >= 0 && from + length <= this.#fetched.length)
      return this.#fetched.subarray(from, from + length);
    const kept = this.#window.peek(this.#at, length);
    if (kept === null) this.#needed = length;
    return kept;
  }
}

/** Whether an Opus identification header lies at `at`. */
function isHead(bytes: Uint8Array, at: number): boolean {
  return isOpus(bytes, at) && text(bytes, at + 4) === 'Head';
}

/** Both headers, of a stream that follows another one. */
function isHeader(packet: Uint8Array): boolean {
  return isOpus(packet, 0) && (text(packet, 4) === 'Head' || text(packet, 4) === 'Tags');
}

function isOpus(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x4f && text(bytes, at) === 'Opus';
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
