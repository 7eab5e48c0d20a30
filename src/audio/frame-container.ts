// MP3 and ADTS files and streams: frames in a row without an index. Keeps a mark every few seconds instead
// of a list of every frame, because a radio never ends and thousands are open at once. Made by demux.ts, in
// shards and loaders.
import type { ByteWindow } from './byte-window.js';
import type { Container, ContainerInfo, PacketCursor } from './container.js';
import type { Tags } from './id3.js';
import type { FrameHeader, ReadHeader } from './mpeg-audio.js';
import { HEADER_BYTES, readAdtsHeader, readMp3Header, readXingTag } from './mpeg-audio.js';
import type { Packet } from './packet.js';

/** Lavalink looks for the first frame this far (lavalink-v4.md §6.4); some servers send more rubbish. */
const FIRST_FRAME_WITHIN = 4_096;
/** Where frames are lost in the middle of a file, this much is searched for the next. */
const RESYNC_WITHIN = 256 * 1_024;
const FRAMES_PER_MARK = 128;
/** Marks of a file of 29 hours; beyond them a seek walks further. */
const MAX_MARKS = 32_768;
/** Frames of one size that make a file without a tag one of constant bit rate. */
const SAME_SIZED = 8;

interface Place {
  readonly frame: number;
  readonly offset: number;
}

interface Found extends Place {
  readonly header: FrameHeader;
}

export class FrameContainer implements Container {
  readonly info: ContainerInfo;
  readonly #window: ByteWindow;
  readonly #read: ReadHeader;
  readonly #first: Found;
  /** Average bytes per frame where every frame has the same bit rate, else null. */
  readonly #constant: number | null;
  readonly #marks: Place[] = [];

  private constructor(
    window: ByteWindow,
    read: ReadHeader,
    first: Found,
    info: ContainerInfo,
    constant: number | null,
  ) {
    this.#window = window;
    this.#read = read;
    this.#first = first;
    this.info = info;
    this.#constant = constant;
    this.#marks.push(first);
  }

  /** The container whose frames begin at or shortly after `offset`, or null when there are none. */
  static async open(
    window: ByteWindow,
    offset: number,
    tags: Tags,
    adtsFirst: boolean,
  ): Promise<FrameContainer | null> {
    const readers = adtsFirst ? [readAdtsHeader, readMp3Header] : [readMp3Header, readAdtsHeader];
    for (const read of readers) {
      const found = await search(window, read, offset, FIRST_FRAME_WITHIN, null);
      if (found !== null) return FrameContainer.#describe(window, read, found, tags);
    }
    return null;
  }

  static async #describe(
    window: ByteWindow,
    read: ReadHeader,
    found: { offset: number; header: FrameHeader },
    tags: Tags,
  ): Promise<FrameContainer> {
    const mp3 = read === readMp3Header;
    const tag = mp3 ? readXingTag(await window.read(found.offset, 64), 0, found.header) : null;
    const start = found.offset + (tag === null ? 0 : found.header.bytes);
    const next = tag === null ? found : await search(window, read, start, FIRST_FRAME_WITHIN, found.header);
    const first: Found = { frame: 0, offset: next?.offset ?? start, header: next?.header ?? found.header };
    const { header } = first;
    const average = (header.samples / 8) * (header.bitrate / header.rate);
    const constant = mp3 && (tag?.constant ?? (await sameSized(window, read, first))) ? average : null;
    const frames =
      tag?.frames ??
      (mp3 && window.size !== null ? Math.round((window.size - first.offset) / average) : null);
    const live = window.size === null;
    return new FrameContainer(
      window,
      read,
      first,
      {
        probe: mp3 ? 'mp3' : 'adts',
        format: {
          codec: mp3 ? 'mp3' : 'aac',
          sampleRate: header.rate,
          channels: header.channels,
          description: null,
        },
        durationMs:
          frames === null || live ? null : Math.round((frames * header.samples * 1_000) / header.rate),
        ...tags,
      },
      constant,
    );
  }

  async packets(fromSeconds: number): Promise<PacketCursor> {
    this.#window.walk();
    const { header } = this.#first;
    const wanted = Math.max(0, Math.floor((fromSeconds * header.rate) / header.samples + 1e-6));
    let place: Place = this.#jump(wanted) === null ? this.#mark(wanted) : await this.#land(wanted);
    while (place.frame < wanted) {
      const found = await this.#find(place);
      if (found === null) break;
      place = { frame: found.frame + 1, offset: found.offset + found.header.bytes };
    }
    return {
      ready: () => {
        const packet = this.#ready(place);
        if (packet !== null) place = { frame: place.frame + 1, offset: place.offset + packet.data.length };
        return packet;
      },
      next: () => this.#next(place).then((step) => ((place = step.place), step.packet)),
    };
  }

  close(): void {
    this.#window.close();
  }

  /** The frame exactly there, if its bytes are. */
  #ready({ frame, offset }: Place): Packet | null {
    const head = this.#window.peek(offset, HEADER_BYTES);
    const header = head === null ? null : this.#read(head, 0);
    if (header === null || header.kind !== this.#first.header.kind) return null;
    const data = this.#window.peek(offset, header.bytes);
    if (data === null) return null;
    this.#leaveMark(frame, offset);
    return this.#packet(frame, header, data);
  }

  async #next(place: Place): Promise<{ place: Place; packet: Packet | null }> {
    const found = await this.#find(place);
    if (found === null) return { place, packet: null };
    const { header } = found;
    const data = await this.#window.read(found.offset, header.bytes);
    if (data.length < header.bytes) return { place, packet: null };
    return {
      place: { frame: found.frame + 1, offset: found.offset + header.bytes },
      packet: this.#packet(found.frame, header, data),
    };
  }

  #packet(frame: number, header: FrameHeader, data: Uint8Array): Packet {
    return {
      data,
      time: (frame * this.#first.header.samples) / this.#first.header.rate,
      duration: header.samples / header.rate,
    };
  }

  /** The frame at or after a place, with a mark left behind; null at the end. */
  async #find(place: Place): Promise<Found | null> {
    const bytes = await this.#window.read(place.offset, HEADER_BYTES);
    let header = this.#read(bytes, 0);
    let { offset } = place;
    if (header === null || header.kind !== this.#first.header.kind) {
      const again = await search(this.#window, this.#read, offset, RESYNC_WITHIN, this.#first.header);
      if (again === null) return null;
      ({ header, offset } = again);
    }
    this.#leaveMark(place.frame, offset);
    return { frame: place.frame, offset, header };
  }

  #leaveMark(frame: number, offset: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || frame < last.frame + FRAMES_PER_MARK || this.#marks.length >= MAX_MARKS) return;
    this.#marks.push({ frame, offset });
  }

  #mark(frame: number): Place {
    let best: Place = this.#first;
    for (const mark of this.#marks) {
      if (mark.frame > frame) break;
      best = mark;
    }
    return best;
  }

  /** Offset of a frame by arithmetic, or null where it has to be looked for. */
  #jump(frame: number): number | null {
    if (this.#constant === null || !this.#window.seekable || this.#window.size === null) return null;
    return this.#first.offset + Math.floor(frame * this.#constant);
  }

  /** Padding puts a frame of a constant bit rate at most a byte off the arithmetic. */
  async #land(frame: number): Promise<Place> {
    const guess = this.#jump(frame) ?? 0;
    const from = Math.max(this.#first.offset, guess - 2);
    const found = await search(this.#window, this.#read, from, 8, this.#first.header);
    return found === null ? this.#mark(frame) : { frame, offset: found.offset };
  }
}

/**
 * The first header from `offset` on, within `within` bytes, that another of its kind follows (or the end).
 * `like` is a header whose kind it must have.
 */
async function search(
  window: ByteWindow,
  read: ReadHeader,
  offset: number,
  within: number,
  like: FrameHeader | null,
): Promise<{ offset: number; header: FrameHeader } | null> {
  const step = 4_096;
  for (let done = 0; done < within; done += step) {
    const length = Math.min(step, within - done);
    // Other reads come in between.
    const bytes = (await window.read(offset + done, length + HEADER_BYTES)).slice();
    for (let at = 0; at < length && at < bytes.length; at++) {
      const header = read(bytes, at);
      if (header === null || (like !== null && header.kind !== like.kind)) continue;
      const next = await window.read(offset + done + at + header.bytes, HEADER_BYTES);
      // The last frame of a file counts if frames came before it.
      if (next.length === 0 && like !== null) return { offset: offset + done + at, header };
      if (read(next, 0)?.kind === header.kind) return { offset: offset + done + at, header };
    }
    if (bytes.length < length) return null;
  }
  return null;
}

async function sameSized(window: ByteWindow, read: ReadHeader, first: Found): Promise<boolean> {
  let { offset } = first;
  for (let n = 0; n < SAME_SIZED; n++) {
    const header = read(await window.read(offset, HEADER_BYTES), 0);
    if (header === null) return n > 1;
    if (header.bitrate !== first.header.bitrate) return false;
    offset += header.bytes;
  }
  return true;
}
