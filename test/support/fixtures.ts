// Encoded audio for tests, made with FFmpeg's bindings when it is first asked for and kept for the process:
// every container and codec that is supported, with title and artist where the container has a place for
// them. Nothing is downloaded and no program is run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as av from 'node-av/lib';
import type {
  AVChannelOrder,
  AVCodecFlag,
  AVLogLevel,
  AVSampleFormat,
  FFAudioEncoder,
} from 'node-av/constants';
import type { Pcm } from './signal.js';
import { multitone, tunePcm } from './signal.js';

export const FIXTURE_TITLE = 'Lava Flow';
export const FIXTURE_ARTIST = 'The Vesicles';
export const FIXTURE_ISRC = 'ZZTST2600001';

/** How to make one kind of file. */
interface Recipe {
  /** FFmpeg's encoder; null for PCM, which is written by hand. */
  readonly encoder: string | null;
  readonly muxer: string;
  readonly extension: string;
  readonly contentType: string;
  readonly rate: number;
  readonly channels: number;
  /** bit/s; 0 for lossless. */
  readonly bitrate: number;
  /** FFmpeg's quality scale for variable bit rate. */
  readonly quality?: number;
  /** Bits per sample and whether they are float, for WAV. */
  readonly pcm?: { readonly bits: 16 | 24 | 32; readonly float: boolean };
}

const wav = (rate: number, channels: number, bits: 16 | 24 | 32, float = false): Recipe => ({
  encoder: null,
  muxer: 'wav',
  extension: 'wav',
  contentType: 'audio/wav',
  rate,
  channels,
  bitrate: 0,
  pcm: { bits, float },
});

const RECIPES = {
  wav: wav(48_000, 2, 16),
  wav24: wav(44_100, 2, 24),
  wavFloat: wav(48_000, 2, 32, true),
  wavMono: wav(22_050, 1, 16),
  mp3: row('libmp3lame', 'mp3', 'mp3', 'audio/mpeg', 44_100, 2, 192_000),
  mp3Mono: row('libmp3lame', 'mp3', 'mp3', 'audio/mpeg', 22_050, 1, 96_000),
  mp3Vbr: { ...row('libmp3lame', 'mp3', 'mp3', 'audio/mpeg', 44_100, 2, 0), quality: 2 },
  flac: row('flac', 'flac', 'flac', 'audio/flac', 44_100, 2, 0),
  oggOpus: row('libopus', 'ogg', 'opus', 'audio/ogg', 48_000, 2, 128_000),
  oggOpusMono: row('libopus', 'ogg', 'opus', 'audio/ogg', 48_000, 1, 96_000),
  oggVorbis: row('libvorbis', 'ogg', 'ogg', 'audio/ogg', 44_100, 2, 192_000),
  webmOpus: row('libopus', 'webm', 'webm', 'audio/webm', 48_000, 2, 128_000),
  webmVorbis: row('libvorbis', 'webm', 'webm', 'audio/webm', 48_000, 2, 192_000),
  m4a: row('aac', 'ipod', 'm4a', 'audio/mp4', 44_100, 2, 192_000),
  m4a48: row('aac', 'ipod', 'm4a', 'audio/mp4', 48_000, 2, 192_000),
  adts: row('aac', 'adts', 'aac', 'audio/aac', 44_100, 2, 192_000),
} as const satisfies Record<string, Recipe>;

export type FixtureName = keyof typeof RECIPES;
export const FIXTURE_NAMES = Object.keys(RECIPES) as FixtureName[];

export interface Fixture {
  readonly name: FixtureName;
  readonly bytes: Buffer;
  /** What was encoded, at the file's own rate and channels. */
  readonly source: Pcm;
  readonly extension: string;
  readonly contentType: string;
}

const made = new Map<string, Fixture>();

/** A multitone of `seconds` in the named format. */
export function fixture(name: FixtureName, seconds = 4): Fixture {
  const key = `${name}/${seconds}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const recipe: Recipe = RECIPES[name];
  const source = multitone(seconds, recipe.rate, recipe.channels);
  const { extension, contentType } = recipe;
  const fresh: Fixture = { name, bytes: encode(source, recipe), source, extension, contentType };
  made.set(key, fresh);
  return fresh;
}

/** Any PCM at 48 kHz stereo as Ogg Opus in 20 ms packets, which pass through. */
export function oggOpus(pcm: Pcm, bitrate = 128_000): Buffer {
  return encode(pcm, { ...RECIPES.oggOpus, bitrate });
}

/** Any PCM as one of the formats, at its own rate and channels, with the format's bits per sample. */
export function encodeAs(name: FixtureName, pcm: Pcm): Buffer {
  const recipe: Recipe = RECIPES[name];
  const channels = pcm.channels.length;
  const share = (pcm.rate * channels) / (recipe.rate * recipe.channels);
  return encode(pcm, { ...recipe, rate: pcm.rate, channels, bitrate: Math.round(recipe.bitrate * share) });
}

/** The demo's music. */
export function tune(seconds: number): Buffer {
  return oggOpus(tunePcm(seconds));
}

/** Any PCM as a WAV file of 16 bits. */
export function wavFile(pcm: Pcm): Buffer {
  return writeWav(pcm, 16, false);
}

/** Every fixture as a file; returns their paths by name. */
export function writeFixtures(directory: string, seconds = 4): Record<FixtureName, string> {
  const paths: Partial<Record<FixtureName, string>> = {};
  for (const name of FIXTURE_NAMES) {
    const { bytes, extension } = fixture(name, seconds);
    const path = join(directory, `${name}.${extension}`);
    writeFileSync(path, bytes);
    paths[name] = path;
  }
  return paths as Record<FixtureName, string>;
}

function row(
  encoder: string,
  muxer: string,
  extension: string,
  contentType: string,
  rate: number,
  channels: number,
  bitrate: number,
): Recipe {
  return { encoder, muxer, extension, contentType, rate, channels, bitrate };
}

function encode(pcm: Pcm, recipe: Recipe): Buffer {
  if (recipe.encoder === null) return writeWav(pcm, recipe.pcm?.bits ?? 16, recipe.pcm?.float ?? false);
  const directory = mkdtempSync(join(tmpdir(), 'pumice-fixture-'));
  try {
    const path = join(directory, `fixture.${recipe.extension}`);
    mux(pcm, recipe, recipe.encoder, path);
    return readFileSync(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function mux(pcm: Pcm, recipe: Recipe, encoder: string, path: string): void {
  const LOG_QUIET = -8 as AVLogLevel;
  const GLOBAL_HEADER = (1 << 22) as AVCodecFlag;
  const QUALITY_SCALE = (1 << 1) as AVCodecFlag;
  av.Log.setLevel(LOG_QUIET);
  const codec = av.Codec.findEncoderByName(encoder as FFAudioEncoder);
  if (codec === null) throw new Error(`no encoder ${encoder}`);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  const format = sampleFormat(codec.sampleFormats ?? []);
  context.sampleFormat = format;
  context.sampleRate = recipe.rate;
  context.channelLayout = layout(recipe.channels);
  context.timeBase = new av.Rational(1, recipe.rate);
  if (recipe.bitrate > 0) context.bitRate = BigInt(recipe.bitrate);
  if (recipe.quality !== undefined) {
    context.setFlags(QUALITY_SCALE);
    // FF_QP2LAMBDA of libavutil.
    context.globalQuality = recipe.quality * 118;
  }
  if (recipe.muxer !== 'mp3' && recipe.muxer !== 'adts') context.setFlags(GLOBAL_HEADER);
  check(context.open2Sync(codec), 'opening the encoder');

  const output = new av.FormatContext();
  check(output.allocOutputContext2(null, recipe.muxer, path), 'choosing the muxer');
  if (recipe.muxer !== 'adts') {
    output.metadata = av.Dictionary.fromObject({
      title: FIXTURE_TITLE,
      artist: FIXTURE_ARTIST,
      [recipe.muxer === 'mp3' ? 'TSRC' : 'ISRC']: FIXTURE_ISRC,
    });
  }
  const stream = output.newStream();
  check(stream.codecpar.fromContext(context), 'describing the stream');
  stream.timeBase = new av.Rational(1, recipe.rate);
  check(output.openOutputSync(), 'opening the output');
  check(output.writeHeaderSync(), 'writing the header');

  const packet = new av.Packet();
  packet.alloc();
  const drain = (): void => {
    while (context.receivePacketSync(packet) >= 0) {
      packet.streamIndex = 0;
      packet.rescaleTs({ num: 1, den: recipe.rate }, stream.timeBase);
      check(output.interleavedWriteFrameSync(packet), 'writing a packet');
    }
  };
  const length = pcm.channels[0]?.length ?? 0;
  const size = context.frameSize > 0 ? context.frameSize : 1_024;
  for (let at = 0; at < length; at += size) {
    const frame = fill(pcm, at, Math.min(size, length - at), format, recipe);
    check(context.sendFrameSync(frame), 'encoding');
    frame.free();
    drain();
  }
  check(context.sendFrameSync(null), 'ending the encoder');
  drain();
  check(output.writeTrailerSync(), 'writing the trailer');
  output.closeOutputSync();
  output.freeContext();
  packet.free();
  context.freeContext();
}

const S16 = 1;
const FLOAT = 3;
const S16_PLANAR = 6;
const FLOAT_PLANAR = 8;

function sampleFormat(offered: readonly AVSampleFormat[]): AVSampleFormat {
  const wanted = [FLOAT_PLANAR, FLOAT, S16_PLANAR, S16].find((format) =>
    offered.some((other) => other === format),
  );
  if (wanted === undefined) throw new Error('the encoder takes none of our sample formats');
  return wanted as AVSampleFormat;
}

function layout(channels: number): av.ChannelLayout {
  return { nbChannels: channels, order: 1 as AVChannelOrder, mask: channels === 1 ? 4n : 3n };
}

function fill(pcm: Pcm, at: number, count: number, format: AVSampleFormat, recipe: Recipe): av.Frame {
  const frame = new av.Frame();
  frame.alloc();
  frame.nbSamples = count;
  frame.format = format;
  frame.sampleRate = recipe.rate;
  frame.channelLayout = layout(recipe.channels);
  check(frame.getBuffer(0), 'making a frame');
  frame.pts = BigInt(at);
  const planes = frame.data ?? [];
  const planar = (format as number) >= 5;
  const whole = format === (S16 as AVSampleFormat) || format === (S16_PLANAR as AVSampleFormat);
  for (const [side, channel] of pcm.channels.entries()) {
    const plane = planes[planar ? side : 0];
    if (plane === undefined) throw new Error('a plane is missing');
    for (let i = 0; i < count; i++) {
      const index = planar ? i : i * recipe.channels + side;
      const sample = channel[at + i] ?? 0;
      if (whole) plane.writeInt16LE(Math.round(sample * 32_767), index * 2);
      else plane.writeFloatLE(sample, index * 4);
    }
  }
  return frame;
}

function writeWav(pcm: Pcm, bits: 16 | 24 | 32, float: boolean): Buffer {
  const channels = pcm.channels.length;
  const length = pcm.channels[0]?.length ?? 0;
  const block = (channels * bits) / 8;
  const file = Buffer.alloc(44 + length * block);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(float ? 3 : 1, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(pcm.rate, 24);
  file.writeUInt32LE(pcm.rate * block, 28);
  file.writeUInt16LE(block, 32);
  file.writeUInt16LE(bits, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(length * block, 40);
  for (let i = 0; i < length; i++) {
    for (let side = 0; side < channels; side++) {
      const sample = pcm.channels[side]?.[i] ?? 0;
      const at = 44 + i * block + (side * bits) / 8;
      if (float) file.writeFloatLE(sample, at);
      else file.writeIntLE(Math.round(sample * (2 ** (bits - 1) - 1)), at, bits / 8);
    }
  }
  return file;
}

function check(status: number, step: string): void {
  if (status < 0) throw new Error(`${step} failed: ${status}`);
}
