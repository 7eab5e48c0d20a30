// The decoder for uncompressed audio (WAV and relatives): our own code, so that it plays on a machine
// without FFmpeg's bindings. Takes the first two of any number of channels, as Lavalink does
// (lavalink-v4.md §6.1). Runs in shards, inside the frame loop.
import type { CodecName, StreamFormat } from './container.js';
import type { Decoder } from './decoder.js';

/** One sample at a byte offset, full scale 1. */
type ReadSample = (view: DataView, at: number) => number;

interface PcmLayout {
  readonly bytes: number;
  readonly read: ReadSample;
}

const LAYOUTS: Partial<Record<CodecName, PcmLayout>> = {
  'pcm-u8': { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
  'pcm-s16': { bytes: 2, read: (view, at) => view.getInt16(at, true) / 32_768 },
  'pcm-s16be': { bytes: 2, read: (view, at) => view.getInt16(at, false) / 32_768 },
  'pcm-s24': {
    bytes: 3,
    read: (view, at) => (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 8_388_608,
  },
  'pcm-s24be': {
    bytes: 3,
    read: (view, at) => (view.getInt16(at, false) * 256 + view.getUint8(at + 2)) / 8_388_608,
  },
  'pcm-s32': { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2_147_483_648 },
  'pcm-s32be': { bytes: 4, read: (view, at) => view.getInt32(at, false) / 2_147_483_648 },
  'pcm-f32': { bytes: 4, read: (view, at) => finite(view.getFloat32(at, true)) },
  'pcm-f32be': { bytes: 4, read: (view, at) => finite(view.getFloat32(at, false)) },
  'pcm-f64': { bytes: 8, read: (view, at) => finite(view.getFloat64(at, true)) },
  'pcm-f64be': { bytes: 8, read: (view, at) => finite(view.getFloat64(at, false)) },
  ulaw: { bytes: 1, read: (view, at) => fromUlaw(view.getUint8(at)) / 32_768 },
  alaw: { bytes: 1, read: (view, at) => fromAlaw(view.getUint8(at)) / 32_768 },
};

/** null when the codec is not PCM. */
export function openPcmDecoder(format: StreamFormat): Decoder | null {
  const layout = LAYOUTS[format.codec];
  if (layout === undefined) return null;
  const { bytes, read } = layout;
  const block = bytes * format.channels;
  const right = format.channels > 1 ? bytes : 0;
  let pcm = new Float32Array(4_096);
  return {
    get pcm() {
      return pcm;
    },
    sampleRate: format.sampleRate,
    decode(packet) {
      const samples = Math.floor(packet.byteLength / block);
      if (samples === 0) return -1;
      if (pcm.length < samples * 2) pcm = new Float32Array(samples * 2);
      const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
      for (let i = 0, at = 0; i < samples; i++, at += block) {
        pcm[i * 2] = read(view, at);
        pcm[i * 2 + 1] = read(view, at + right);
      }
      return samples;
    },
    drain: () => 0,
    close: () => undefined,
  };
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** ITU-T G.711 §3, µ-law, as a 16-bit value. */
function fromUlaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}

/** ITU-T G.711 §2, A-law, as a 16-bit value. */
function fromAlaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code & 0x70) >> 4;
  const mantissa = ((code & 0x0f) << 4) + (exponent === 0 ? 8 : 0x108);
  const magnitude = exponent > 1 ? mantissa << (exponent - 1) : mantissa;
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}
