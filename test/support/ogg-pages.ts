// Ogg Opus files of any layout for the demuxer's tests: packets over several pages, several on one, pages on which
// none ends, empty packets, tags of any size. What it writes is what RFC 3533 and RFC 7845 allow, unless a test
// damages it afterwards.
import { checksum } from './ogg-opus-writer.js';
import { seeded } from './seeded.js';

const CONTINUED = 1;
const FIRST = 2;
const LAST = 4;
const MAX_SEGMENTS = 255;
const MAX_SAMPLES = 5_760;
const SILK = [480, 960, 1_920, 2_880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];

export interface OggLayout {
  readonly serial?: number;
  readonly channels?: number;
  readonly preSkip?: number;
  /** Segments on the page of that number, 1 to 255; of the pages with sound. Fifty packets or so if it is not given. */
  readonly segments?: (page: number) => number;
  /** Granule position of the first sample. */
  readonly shift?: number;
  /** Samples by which the last page's granule is less than what was counted. */
  readonly trim?: number;
  /** `NAME=value` each. */
  readonly comments?: readonly (string | Uint8Array)[];
}

export interface WrittenPage {
  readonly bytes: Buffer;
  /** Packets that end on it. */
  readonly packets: number;
  readonly granule: number;
}

/** A packet that lasts `samples` at 48 kHz as far as its beginning says. */
export function opusPacket(config: number, frames: number, bytes: number, seed: number): Buffer {
  const random = seeded(seed);
  const packet = Buffer.from(Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)));
  const code = frames === 1 ? 0 : frames === 2 ? 1 : 3;
  packet[0] = (config << 3) | 4 | code;
  if (code === 3) packet[1] = frames;
  return packet;
}

/** Of a configuration, 0 to 31 (RFC 6716, table 2). */
export function samplesOfConfig(config: number): number {
  if (config < 12) return SILK[config % 4]!;
  return config < 16 ? HYBRID[config % 2]! : CELT[config % 4]!;
}

/** Packets of every length of frame, with one or several frames, of 2 to `most` bytes and now and then an empty one. */
export function randomPackets(count: number, seed: number, most = 400): Buffer[] {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: count }, (_, index) => {
    if (below(40) === 0) return Buffer.alloc(0);
    const config = below(32);
    const frames = 1 + below(Math.min(6, Math.floor(MAX_SAMPLES / samplesOfConfig(config))));
    return opusPacket(config, frames, 2 + below(most), seed * 65_537 + index);
  });
}

export function samplesOf(packet: Uint8Array): number {
  if (packet.length === 0) return 0;
  const code = packet[0]! & 3;
  return samplesOfConfig(packet[0]! >> 3) * (code === 0 ? 1 : code === 3 ? packet[1]! & 63 : 2);
}

/** Every page, the two with the descriptions first (or more, where the tags are large). */
export function oggPages(packets: readonly Uint8Array[], layout: OggLayout = {}): WrittenPage[] {
  const { serial = 0x1234_5678, shift = 0, trim = 0 } = layout;
  const pages: WrittenPage[] = [];
  const put = (all: readonly Uint8Array[], sound: boolean): void => {
    const segments = all.flatMap(lacesOf);
    const { length } = segments;
    let samples = shift;
    let continued = false;
    for (let at = 0, page = 0; at < length; page++) {
      const most = sound ? (layout.segments?.(page) ?? 100) : MAX_SEGMENTS;
      const part = segments.slice(at, at + most);
      at += part.length;
      const ended = part.filter(({ ends }) => ends !== null);
      for (const { ends } of ended) samples += samplesOf(ends!);
      const last = sound && at === length;
      const flags = (continued ? CONTINUED : 0) | (pages.length === 0 ? FIRST : 0) | (last ? LAST : 0);
      const granule = ended.length === 0 ? -1 : !sound ? 0 : last ? samples - trim : samples;
      pages.push({
        bytes: oggPage(flags, granule, serial, pages.length, part),
        packets: ended.length,
        granule,
      });
      continued = part.at(-1)?.ends === null;
    }
  };
  put([opusHead(layout)], false);
  put([opusTags(layout.comments ?? ['TITLE=A title', 'ARTIST=An artist'])], false);
  put(packets, true);
  return pages;
}

export function oggFile(packets: readonly Uint8Array[], layout: OggLayout = {}): Buffer {
  return joinPages(oggPages(packets, layout));
}

export function joinPages(pages: readonly WrittenPage[]): Buffer {
  return Buffer.concat(pages.map(({ bytes }) => bytes));
}

interface Lace {
  readonly bytes: Uint8Array;
  /** The packet that ends with it. */
  readonly ends: Uint8Array | null;
}

function lacesOf(packet: Uint8Array): Lace[] {
  const laces: Lace[] = [];
  let at = 0;
  for (; packet.length - at >= 255; at += 255)
    laces.push({ bytes: packet.subarray(at, at + 255), ends: null });
  laces.push({ bytes: packet.subarray(at), ends: packet });
  return laces;
}

function oggPage(
  flags: number,
  granule: number,
  serial: number,
  sequence: number,
  laces: readonly Lace[],
): Buffer {
  const head = Buffer.alloc(27);
  head.write('OggS', 'latin1');
  head.writeUInt8(flags, 5);
  head.writeBigInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(serial >>> 0, 14);
  head.writeUInt32LE(sequence, 18);
  head.writeUInt8(laces.length, 26);
  const table = Buffer.from(laces.map(({ bytes }) => bytes.length));
  const page = Buffer.concat([head, table, ...laces.map(({ bytes }) => bytes)]);
  page.writeUInt32LE(checksum(page), 22);
  return page;
}

function opusHead({ channels = 2, preSkip = 312 }: OggLayout): Buffer {
  const head = Buffer.alloc(channels <= 2 ? 19 : 21 + channels);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(48_000, 12);
  if (channels > 2) {
    // Mapping family 1: streams, coupled streams, and where each channel comes from.
    head.writeUInt8(1, 18);
    head.writeUInt8(Math.ceil(channels / 2) + 1, 19);
    head.writeUInt8(Math.floor(channels / 2) - 1, 20);
    for (let channel = 0; channel < channels; channel++) head.writeUInt8(channel, 21 + channel);
  }
  return head;
}

function opusTags(comments: readonly (string | Uint8Array)[]): Buffer {
  const parts = [Buffer.from('OpusTags'), sized(Buffer.from('a vendor'))];
  const count = Buffer.alloc(4);
  count.writeUInt32LE(comments.length);
  return Buffer.concat([...parts, count, ...comments.map((comment) => sized(Buffer.from(comment)))]);
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
