// The encoded track of the Lavalink protocol (lavalink-v4.md §3): reads versions 1 to 3, writes version 3.
// Every thread; pure. What a source adds to a token is kept as raw bytes, so that tokens of sources this
// server does not have survive a round trip.
import { ServerError } from './errors.js';
import { readJavaText } from './java-text.js';
import { TRACK } from './limits.js';
import { invalidToken, TokenReader } from './token-reader.js';
import { TokenWriter } from './token-writer.js';
import type { Track } from './track.js';

const VERSION = 3;
const SIZE_MASK = 0x3fff_ffff;
/** Lowest of the two flag bits above the size: a version byte follows. */
const VERSIONED = 0x4000_0000;
const POSITION_BYTES = 8;

/** Sources whose trailer is one text, the probe's name and parameters. */
const PROBED: ReadonlySet<string> = new Set(['http', 'local']);

/** Sources without a trailer: whatever follows their position is skipped. */
const BARE: ReadonlySet<string> = new Set([
  'youtube',
  'soundcloud',
  'bandcamp',
  'twitch',
  'vimeo',
  'niconico',
  'getyarn.io',
  'yandex-music',
  'beam.pro',
]);

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The token of a track. Throws PUM_TOKEN_UNENCODABLE for a text above 65,535 bytes, and PUM_TOKEN_TOO_LONG for
 * a token above TRACK.maxToken, which no shard would read.
 */
export function encodeTrack({ info, trailer }: Track): string {
  const writer = new TokenWriter();
  writer.u8(VERSION);
  writer.text(info.title);
  writer.text(info.author);
  writer.i64(info.length);
  writer.text(info.identifier);
  writer.u8(info.isStream ? 1 : 0);
  writer.nullableText(info.uri);
  writer.nullableText(info.artworkUrl);
  writer.nullableText(info.isrc);
  writer.text(info.sourceName);
  writer.raw(trailer);
  writer.i64(info.position);
  const message = writer.finish();
  const header = new TokenWriter();
  header.u32(VERSIONED | message.length);
  header.raw(message);
  const token = Buffer.from(header.finish()).toString('base64');
  if (token.length > TRACK.maxToken) throw new ServerError('PUM_TOKEN_TOO_LONG', { limit: TRACK.maxToken });
  return token;
}

/** The track of a token. Throws PUM_TOKEN_TOO_LONG or PUM_TOKEN_INVALID, whatever is given. */
export function decodeTrack(token: string): Track {
  if (token.length > TRACK.maxToken) throw new ServerError('PUM_TOKEN_TOO_LONG', { limit: TRACK.maxToken });
  if (!BASE64.test(token)) throw invalidToken('it is no Base64');
  const outer = new TokenReader(new Uint8Array(Buffer.from(token, 'base64')));
  const header = outer.u32();
  const size = header & SIZE_MASK;
  if (size === 0) throw invalidToken('it is empty');
  const reader = new TokenReader(outer.bytes(size));
  // Not range-checked: a later version is read as far as it is known.
  const version = (header & VERSIONED) === 0 ? 1 : reader.u8();
  const title = reader.text();
  const author = reader.text();
  const length = reader.i64();
  const identifier = reader.text();
  const isStream = reader.flag();
  const uri = version >= 2 ? reader.nullableText() : null;
  const artworkUrl = version >= 3 ? reader.nullableText() : null;
  const isrc = version >= 3 ? reader.nullableText() : null;
  const sourceName = reader.text();
  const trailer = readTrailer(reader, sourceName);
  const position = reader.i64();
  const isSeekable = !isStream;
  return {
    info: {
      identifier,
      isSeekable,
      author,
      length,
      isStream,
      position,
      title,
      uri,
      sourceName,
      artworkUrl,
      isrc,
    },
    trailer,
  };
}

/** The same track at another position, in milliseconds. */
export function withPosition(track: Track, ms: bigint): Track {
  return { ...track, info: { ...track.info, position: ms } };
}

/** Probe name and parameters of an http or local track (`mp3`, `m3u|hls-outer`), null for any other. */
export function probeInfoOf({ info, trailer }: Track): string | null {
  if (!PROBED.has(info.sourceName) || trailer.length < 2) return null;
  const length = new DataView(trailer.buffer, trailer.byteOffset).getUint16(0);
  return length === trailer.length - 2 ? readJavaText(trailer.subarray(2)) : null;
}

/** The trailer of an http or local track. Throws PUM_TOKEN_UNENCODABLE. */
export function probeTrailer(probeInfo: string): Uint8Array {
  const writer = new TokenWriter();
  writer.text(probeInfo);
  return writer.finish().slice();
}

function readTrailer(reader: TokenReader, sourceName: string): Uint8Array {
  if (BARE.has(sourceName)) return new Uint8Array(0);
  if (PROBED.has(sourceName)) return reader.rawText();
  // The position is what such a source's trailer ends before.
  return reader.bytes(Math.max(0, reader.remaining - POSITION_BYTES)).slice();
}
