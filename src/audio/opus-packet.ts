// Reading an Opus packet's first bytes (RFC 6716 §3.1 and §3.2) without decoding it: how long it is and
// whether it may go through to Discord untouched. Called per packet by the pipeline and the producers in
// every shard; allocates nothing and never throws, whatever the bytes are.
import { FRAME_SAMPLES } from '../shared/frame.js';
import { AUDIO } from '../shared/limits.js';

/** One 20 ms frame of stereo silence; voice sends it after speech (decisions.md, "two silence frames"). */
export const SILENCE_FRAME: Uint8Array = Uint8Array.of(0xf8, 0xff, 0xfe);

/** Samples at 48 kHz in one frame, by the four low bits of the configuration (RFC 6716, table 2). */
const SILK_SAMPLES = [480, 960, 1_920, 2_880] as const;
const HYBRID_SAMPLES = [480, 960] as const;
const CELT_SAMPLES = [120, 240, 480, 960] as const;

/** A packet lasts 120 ms at most (RFC 6716 §3.2, requirement R5). */
const MAX_PACKET_SAMPLES = 5_760;

/** Samples at 48 kHz in each frame of the packet; 0 for an empty packet. */
export function frameSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  if (config < 12) return SILK_SAMPLES[config & 3] ?? 0;
  if (config < 16) return HYBRID_SAMPLES[config & 1] ?? 0;
  return CELT_SAMPLES[config & 3] ?? 0;
}

/** Frames in the packet, 0 to 63; 0 for one that is empty or says so itself. */
export function frameCount(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const code = toc & 3;
  if (code === 0) return 1;
  if (code < 3) return 2;
  return (packet[1] ?? 0) & 0x3f;
}

/** Samples at 48 kHz in the whole packet; 0 when that is nothing or more than a packet may hold. */
export function packetSamples(packet: Uint8Array): number {
  const samples = frameSamples(packet) * frameCount(packet);
  return samples > MAX_PACKET_SAMPLES ? 0 : samples;
}

export function isStereo(packet: Uint8Array): boolean {
  return ((packet[0] ?? 0) & 4) !== 0;
}

/**
 * Whether Discord's clients can be given the packet as it is: stereo, exactly one frame of 20 ms and small
 * enough for one datagram (architecture.md §1, idea 1).
 */
export function isPassThrough(packet: Uint8Array): boolean {
  return (
    packet.length > 0 &&
    packet.length <= AUDIO.maxOpusPacket &&
    isStereo(packet) &&
    frameCount(packet) === 1 &&
    frameSamples(packet) === FRAME_SAMPLES
  );
}
