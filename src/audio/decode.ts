// One of the two files that use FFmpeg's bindings (node-av): every codec but PCM and plain Opus. Runs in
// shards, synchronously, inside the frame loop. The bindings are an optional dependency, so they are loaded
// at the first use and their absence is an error of the track, never of the import.
import { createRequire } from 'node:module';
import type * as Av from 'node-av/lib';
import type { AVChannelOrder, AVLogLevel, FFDecoderCodec } from 'node-av/constants';
import { ServerError } from '../shared/errors.js';
import type { CodecName, StreamFormat } from './container.js';
import type { Decoder } from './decoder.js';

/** FFmpeg's name of the decoder for each codec that comes here. */
const DECODERS: Partial<Record<CodecName, string>> = {
  aac: 'aac',
  mp3: 'mp3float',
  vorbis: 'vorbis',
  flac: 'flac',
  opus: 'libopus',
};

/** AV_LOG_QUIET: what is wrong with a stranger's file is no business of our standard error. */
const LOG_QUIET = -8;

/** enum AVSampleFormat: U8, S16, S32, FLT and DBL interleaved, the same planar from 5 on, S64 behind them. */
const PLANAR_FROM = 5;
const S64_INTERLEAVED = 10;

/** AV_CHANNEL_ORDER_NATIVE. */
const NATIVE_ORDER = 1 as AVChannelOrder;

let library: typeof Av | null = null;

/** The bindings, or PUM_DECODER_MISSING where this machine has no binary of them. */
export function loadAv(codec: string): typeof Av {
  if (library !== null) return library;
  try {
    library = createRequire(import.meta.url)('node-av/lib') as typeof Av;
    library.Log.setLevel(LOG_QUIET as AVLogLevel);
    return library;
  } catch (error) {
    throw new ServerError('PUM_DECODER_MISSING', { codec }, error);
  }
}

/** FFmpeg's layout for a number of channels of which only the first two matter. */
export function layoutOf(channels: number): Av.ChannelLayout {
  return { nbChannels: channels, order: NATIVE_ORDER, mask: (1n << BigInt(channels)) - 1n };
}

/** Throws PUM_FORMAT_UNSUPPORTED for a codec or set-up bytes that FFmpeg will not take. */
export function openAvDecoder(format: StreamFormat): Decoder {
  const name = DECODERS[format.codec];
  if (name === undefined) throw new ServerError('PUM_FORMAT_UNSUPPORTED', { codec: format.codec });
  const av = loadAv(format.codec);
  const codec = av.Codec.findDecoderByName(name as FFDecoderCodec);
  if (codec === null) throw new ServerError('PUM_DECODER_MISSING', { codec: format.codec });

  const context = new av.CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  context.sampleRate = format.sampleRate;
  context.channelLayout = layoutOf(format.channels);
  if (format.description !== null) context.extraData = Buffer.from(format.description);
  // A FLAC frame that is cut short decodes to noise unless its check sum counts.
  if (format.codec === 'flac') context.setOption('err_detect', 'crccheck+explode');
  if (context.open2Sync(codec) < 0) {
    context.freeContext();
    throw new ServerError('PUM_FORMAT_UNSUPPORTED', { codec: format.codec });
  }
  const packet = new av.Packet();
  packet.alloc();
  const frame = new av.Frame();
  frame.alloc();

  let pcm = new Float32Array(4_096);
  let sampleRate = format.sampleRate;
  let open = true;

  const receive = (): number => {
    let samples = 0;
    while (context.receiveFrameSync(frame) >= 0) {
      const count = frame.nbSamples;
      const planes = frame.data;
      if (planes !== null && count > 0) {
        if (pcm.length < (samples + count) * 2) {
          const larger = new Float32Array((samples + count) * 2);
          larger.set(pcm.subarray(0, samples * 2));
          pcm = larger;
        }
        if (interleave(planes, frame.format, frame.channels, count, pcm, samples)) {
          samples += count;
          sampleRate = frame.sampleRate;
        }
      }
      frame.unref();
    }
    return samples;
  };

  return {
    get pcm() {
      return pcm;
    },
    get sampleRate() {
      return sampleRate;
    },
    decode(data) {
      if (!open || data.byteLength === 0) return -1;
      packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      const taken = context.sendPacketSync(packet);
      packet.unref();
      const samples = receive();
      return taken < 0 && samples === 0 ? -1 : samples;
    },
    drain() {
      if (!open) return 0;
      context.sendPacketSync(null);
      return receive();
    },
    close() {
      if (!open) return;
      open = false;
      frame.free();
      packet.free();
      context.freeContext();
    },
  };
}

/** Writes the first two channels behind the `at` samples already in `to`; false for an unknown format. */
function interleave(
  planes: readonly Buffer[],
  format: number,
  channels: number,
  count: number,
  to: Float32Array,
  at: number,
): boolean {
  const planar = format >= PLANAR_FROM && format !== S64_INTERLEAVED;
  const first = planes[0];
  if (first === undefined || channels < 1) return false;
  const second = planar ? (planes[1] ?? first) : first;
  const left = samplesIn(first, planar ? format - PLANAR_FROM : format);
  const right = second === first ? left : samplesIn(second, format - PLANAR_FROM);
  if (left === null || right === null) return false;
  const scale = SCALES[planar ? format - PLANAR_FROM : format] ?? 1;
  const offset = format === 0 || format === PLANAR_FROM ? 128 : 0;
  const stride = planar ? 1 : channels;
  const other = planar || channels === 1 ? 0 : 1;
  for (let i = 0; i < count; i++) {
    to[(at + i) * 2] = ((left[i * stride] ?? 0) - offset) * scale;
    to[(at + i) * 2 + 1] = ((right[i * stride + other] ?? 0) - offset) * scale;
  }
  return true;
}

/** U8, S16, S32, FLT, DBL. */
const SCALES = [1 / 128, 1 / 32_768, 1 / 2_147_483_648, 1, 1] as const;

type Samples = Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function samplesIn(plane: Buffer, kind: number): Samples | null {
  const { buffer, byteOffset, byteLength } = plane;
  switch (kind) {
    case 0:
      return plane;
    case 1:
      return new Int16Array(buffer, byteOffset, byteLength >> 1);
    case 2:
      return new Int32Array(buffer, byteOffset, byteLength >> 2);
    case 3:
      return new Float32Array(buffer, byteOffset, byteLength >> 2);
    case 4:
      return new Float64Array(buffer, byteOffset, byteLength >> 3);
    default:
      return null;
  }
}
