// What the demuxer's adapter (demux.ts) hands out: one audio stream of a container, as packets by time.
import type { Packet } from './packet.js';

/** Names that Lavalink puts into track tokens as `probeInfo` (lavalink-v4.md §3). */
export type ProbeName = 'wav' | 'matroska/webm' | 'mp4' | 'flac' | 'ogg' | 'mp3' | 'adts' | 'mpegts-adts';

export type CodecName = 'opus' | 'vorbis' | 'mp3' | 'aac' | 'flac' | PcmCodecName;
export type PcmCodecName =
  | 'pcm-u8'
  | 'pcm-s16'
  | 'pcm-s16be'
  | 'pcm-s24'
  | 'pcm-s24be'
  | 'pcm-s32'
  | 'pcm-s32be'
  | 'pcm-f32'
  | 'pcm-f32be'
  | 'pcm-f64'
  | 'pcm-f64be'
  | 'ulaw'
  | 'alaw';

/** Everything a decoder needs to know before its first packet. */
export interface StreamFormat {
  readonly codec: CodecName;
  /** Hz, 1 to 384,000. */
  readonly sampleRate: number;
  /** 1 to 16. */
  readonly channels: number;
  /** Codec set-up bytes (OpusHead, Vorbis headers, AudioSpecificConfig, FLAC STREAMINFO), or null. */
  readonly description: Uint8Array | null;
}

export interface ContainerInfo {
  readonly probe: ProbeName;
  readonly format: StreamFormat;
  /** Milliseconds, whole, or null when unknown or endless. */
  readonly durationMs: number | null;
  readonly title: string | null;
  readonly artist: string | null;
  readonly isrc: string | null;
}

export interface Container {
  readonly info: ContainerInfo;
  /**
   * The packets from the last one that begins at or before `fromSeconds` on (from the first one if none
   * does). Only one cursor is in use at a time; a new one makes the old one useless.
   */
  packets(fromSeconds: number): Promise<PacketCursor>;
  close(): void;
}

export interface PacketCursor {
  /**
   * The next packet if its bytes are there already; null says nothing: `next` does. Its data are good until the
   * next call. Throws a ServerError.
   */
  ready?(): Packet | null;
  /** The next packet, or null at the end; its data are good until the next call. Rejects with a ServerError. */
  next(): Promise<Packet | null>;
}
