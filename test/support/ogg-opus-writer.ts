// Writes received Opus frames to a playable Ogg Opus file (RFC 3533, RFC 7845), for listening to what a bot sent
// and for comparing it. Called by fake-voice.ts; gaps in the RTP timestamps become silence packets, so that the
// file keeps the time of the stream.

import crypto from 'node:crypto';
import { writeFile } from 'node:fs/promises';

const SAMPLE_RATE = 48_000;
const CHANNELS = 2;
/** 6.5 ms, what libopus encoders have as look-ahead at 48 kHz. */
const PRE_SKIP = 312;
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);
const SILENCE_SAMPLES = 960;
const PACKETS_PER_PAGE = 50;
const MAX_SEGMENTS = 255;
/** An hour of silence in one gap is a broken timestamp, not a pause. */
const MAX_GAP = 3_600 * SAMPLE_RATE;

const BEGIN_OF_STREAM = 2;
const END_OF_STREAM = 4;

/** What the writer needs of a received frame. */
export interface OggFrame {
  /** RTP timestamp, 48 kHz. */
  readonly timestamp: number;
  /** Milliseconds, monotonic; bridges from one session to the next, whose timestamps have nothing in common. */
  readonly at: number;
  readonly session: string;
  /** Null becomes 20 ms of silence. */
  readonly opus: Buffer | null;
}

export interface OggSummary {
  /** Packets in the file. */
  packets: number;
  /** Silence packets put in for gaps and for frames that could not be decrypted. */
  inserted: number;
  /** Frames left out because their time had passed already. */
  dropped: number;
  /** Playing time, pre-skip taken off. */
  durationMs: number;
  bytes: number;
}

interface TimedPacket {
  readonly data: Buffer;
  readonly samples: number;
}

export async function writeOggOpus(path: string, frames: readonly OggFrame[]): Promise<OggSummary> {
  const { bytes, summary } = oggOpus(frames);
  await writeFile(path, bytes);
  return summary;
}

/** Throws RangeError for a gap of more than an hour. */
export function oggOpus(frames: readonly OggFrame[]): { bytes: Buffer; summary: OggSummary } {
  const { packets, inserted, dropped } = timeline(frames);
  const serial = crypto.randomBytes(4).readUInt32LE(0);
  const pages: Buffer[] = [];
  const add = (flags: number, granule: number, data: readonly Buffer[]) =>
    pages.push(page(flags, granule, serial, pages.length, data));

  add(BEGIN_OF_STREAM, 0, [opusHead()]);
  add(packets.length === 0 ? END_OF_STREAM : 0, 0, [opusTags()]);
  let samples = 0;
  let pending: TimedPacket[] = [];
  const flush = (flags: number) => {
    for (const packet of pending) samples += packet.samples;
    const data = pending.map((packet) => packet.data);
    add(flags, samples, data);
    pending = [];
  };
  for (const packet of packets) {
    const full =
      pending.length === PACKETS_PER_PAGE || segments(pending) + lacing(packet.data) > MAX_SEGMENTS;
    if (full) flush(0);
    pending.push(packet);
  }
  if (pending.length > 0) flush(END_OF_STREAM);

  const bytes = Buffer.concat(pages);
  const durationMs = (Math.max(0, samples - PRE_SKIP) * 1_000) / SAMPLE_RATE;
  return { bytes, summary: { packets: packets.length, inserted, dropped, durationMs, bytes: bytes.length } };
}

/** Samples at 48 kHz in an Opus packet (RFC 6716 §3.1); 0 for one that is not sound. */
export function opusSamples(packet: Buffer): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  let frame: number;
  if (config < 12) frame = [480, 960, 1920, 2880][config % 4]!;
  else if (config < 16) frame = [480, 960][config % 2]!;
  else frame = [120, 240, 480, 960][config % 4]!;
  const code = toc & 3;
  if (code === 0) return frame;
  return code === 3 ? frame * ((packet[1] ?? 0) & 0x3f) : 2 * frame;
}

/** The packets of the file in order, gaps filled. */
function timeline(frames: readonly OggFrame[]): {
  packets: TimedPacket[];
  inserted: number;
  dropped: number;
} {
  const packets: TimedPacket[] = [];
  let inserted = 0;
  let dropped = 0;
  let last: OggFrame | null = null;
  let expected = 0;
  const silence = (count: number) => {
    for (let n = 0; n < count; n++) packets.push({ data: SILENCE, samples: SILENCE_SAMPLES });
    inserted += count;
  };
  for (const frame of frames) {
    if (last !== null) {
      const gap = last.session === frame.session ? (frame.timestamp - expected) | 0 : wallGap(last, frame);
      if (gap < 0) {
        dropped++;
        continue;
      }
      if (gap > MAX_GAP) throw new RangeError(`a gap of ${gap} samples`);
      silence(Math.floor(gap / SILENCE_SAMPLES));
    }
    const samples = frame.opus === null ? 0 : opusSamples(frame.opus);
    if (frame.opus === null || samples === 0) silence(1);
    else packets.push({ data: frame.opus, samples });
    expected = (frame.timestamp + (samples || SILENCE_SAMPLES)) >>> 0;
    last = frame;
  }
  return { packets, inserted, dropped };
}

function wallGap(last: OggFrame, frame: OggFrame): number {
  return Math.max(0, Math.round(((frame.at - last.at) * SAMPLE_RATE) / 1_000) - SILENCE_SAMPLES);
}

function opusHead(): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8); // version
  head.writeUInt8(CHANNELS, 9);
  head.writeUInt16LE(PRE_SKIP, 10);
  head.writeUInt32LE(SAMPLE_RATE, 12); // of the original input, for information
  return head; // gain 0, mapping family 0
}

function opusTags(): Buffer {
  const vendor = Buffer.from('pumice fake voice server');
  const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
  tags.write('OpusTags', 'latin1');
  tags.writeUInt32LE(vendor.length, 8);
  vendor.copy(tags, 12);
  return tags; // no comments
}

/** Segments a packet takes in the page's table: 255 bytes each, and one that is shorter ends it. */
function lacing(data: Buffer): number {
  return Math.floor(data.length / 255) + 1;
}

function segments(packets: readonly TimedPacket[]): number {
  return packets.reduce((sum, packet) => sum + lacing(packet.data), 0);
}

function page(
  flags: number,
  granule: number,
  serial: number,
  number: number,
  packets: readonly Buffer[],
): Buffer {
  const table: number[] = [];
  for (const data of packets) {
    for (let left = data.length; left >= 255; left -= 255) table.push(255);
    table.push(data.length % 255);
  }
  if (table.length > MAX_SEGMENTS) throw new RangeError('a page has no room for that packet');
  const header = Buffer.alloc(27);
  header.write('OggS', 'latin1');
  header.writeUInt8(flags, 5);
  header.writeBigUInt64LE(BigInt(granule), 6);
  header.writeUInt32LE(serial, 14);
  header.writeUInt32LE(number, 18);
  header.writeUInt8(table.length, 26);
  const whole = Buffer.concat([header, Buffer.from(table), ...packets]);
  whole.writeUInt32LE(checksum(whole), 22);
  return whole;
}

/** CRC-32 of Ogg: polynomial 04C11DB7, not reflected, starting at 0, over the page with its own field zero. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc >>> 0;
});

export function checksum(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 0xff]!) >>> 0;
  return crc;
}
