// Frame headers of the two formats that are nothing but frames in a row: MPEG audio Layer III (ISO 11172-3
// §2.4.2.3) and ADTS AAC (ISO 13818-7 §6.2). Pure reading for frame-container.ts; never throws.

export interface FrameHeader {
  /** Length of the whole frame. */
  readonly bytes: number;
  /** Samples per channel at `rate`. */
  readonly samples: number;
  /** Hz. */
  readonly rate: number;
  readonly channels: number;
  /** bit/s; 0 where the header does not say. */
  readonly bitrate: number;
  /** Equal for frames that can follow each other. */
  readonly kind: number;
  /** Bytes of header and side information before which no Xing tag can begin. */
  readonly head: number;
}

/** Reads the header at `at`, or null when there is none. */
export type ReadHeader = (bytes: Uint8Array, at: number) => FrameHeader | null;

/** Enough for either header. */
export const HEADER_BYTES = 7;

const BITRATES_V1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] as const;
const BITRATES_V2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] as const;
const MPEG_RATES = [44_100, 48_000, 32_000] as const;

const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
] as const;
/** By channel configuration; 0 leaves it to the stream, which hardly anybody uses in ADTS. */
const AAC_CHANNELS = [2, 1, 2, 3, 4, 5, 6, 8] as const;

export const readMp3Header: ReadHeader = (bytes, at) => {
  const [first = 0, second = 0, third = 0, fourth = 0] = [
    bytes[at],
    bytes[at + 1],
    bytes[at + 2],
    bytes[at + 3],
  ];
  if (at + 4 > bytes.length || first !== 0xff || (second & 0xe0) !== 0xe0) return null;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  if (version === 1 || layer !== 1) return null;
  const full = version === 3;
  const bitrate = ((full ? BITRATES_V1 : BITRATES_V2)[third >> 4] ?? 0) * 1_000;
  const base = MPEG_RATES[(third >> 2) & 3];
  if (bitrate === 0 || base === undefined) return null;
  const rate = full ? base : version === 2 ? base / 2 : base / 4;
  const samples = full ? 1_152 : 576;
  const channels = fourth >> 6 === 3 ? 1 : 2;
  const side = full ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  return {
    bytes: Math.floor(((samples / 8) * bitrate) / rate) + ((third >> 1) & 1),
    samples,
    rate,
    channels,
    bitrate,
    kind: (version << 20) | rate,
    head: 4 + side,
  };
};

export const readAdtsHeader: ReadHeader = (bytes, at) => {
  if (at + HEADER_BYTES > bytes.length || bytes[at] !== 0xff) return null;
  const [second = 0, third = 0, fourth = 0] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  // Sync word, and layer 0, which tells it from MPEG audio.
  if ((second & 0xf6) !== 0xf0) return null;
  const rate = AAC_RATES[(third >> 2) & 0x0f];
  const channels = AAC_CHANNELS[((third & 1) << 2) | (fourth >> 6)];
  if (rate === undefined || channels === undefined) return null;
  const length = ((fourth & 3) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5);
  const head = (second & 1) === 0 ? 9 : HEADER_BYTES;
  if (length <= head) return null;
  const blocks = ((bytes[at + 6] ?? 0) & 3) + 1;
  return { bytes: length, samples: 1_024 * blocks, rate, channels, bitrate: 0, kind: rate, head };
};

/** What a Xing or Info tag in the first frame says (the tag's own frame holds no sound). */
export interface XingTag {
  /** Frames of sound, or null. */
  readonly frames: number | null;
  /** Whether the encoder says that every frame has the same bit rate. */
  readonly constant: boolean;
}

/** The tag in the frame at `at`, or null. */
export function readXingTag(bytes: Uint8Array, at: number, header: FrameHeader): XingTag | null {
  const start = at + header.head;
  if (start + 12 > bytes.length) return null;
  const name = String.fromCharCode(...bytes.subarray(start, start + 4));
  // Fraunhofer's encoder writes its own tag 32 bytes behind the header, whatever the side information.
  const vbri = String.fromCharCode(...bytes.subarray(at + 36, at + 40));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (vbri === 'VBRI' && at + 54 <= bytes.length) return { frames: view.getUint32(at + 50), constant: false };
  if (name !== 'Xing' && name !== 'Info') return null;
  const counted = (view.getUint32(start + 4) & 1) !== 0;
  return { frames: counted ? view.getUint32(start + 8) : null, constant: name === 'Info' };
}
