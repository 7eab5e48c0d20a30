// Opus packets of a file and their places in it, read by mediabunny alone: with them a test tells of every frame
// that was heard which part of the source it is, when the source passes through.
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import type { ReceivedFrame } from './fake-voice.js';

/** The packets of an Ogg or WebM file in order. */
export async function packetsOf(bytes: Uint8Array): Promise<Buffer[]> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio in the file');
  const packets: Buffer[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(Buffer.from(packet.data));
  return packets;
}

/** What was heard without the silence between and behind it; throws when a frame could not be decrypted. */
export function soundOf(frames: readonly ReceivedFrame[]): Buffer[] {
  return frames.filter((frame) => !frame.silence).map(opusOf);
}

export function opusOf(frame: ReceivedFrame): Buffer {
  if (!frame.opus) throw new Error('a frame that nobody could decrypt');
  return frame.opus;
}

export class PacketPlaces {
  readonly #places = new Map<string, number>();

  /** Throws when two packets are the same, for then their places say nothing. */
  constructor(packets: readonly Buffer[]) {
    for (const [place, packet] of packets.entries()) this.#places.set(packet.toString('latin1'), place);
    if (this.#places.size !== packets.length) throw new Error('two packets of the source are the same');
  }

  /** Number of the packet in the source, or null for a frame that was encoded anew. */
  of(frame: Buffer): number | null {
    return this.#places.get(frame.toString('latin1')) ?? null;
  }
}

/** Every place behind which the next frame is not the next packet; empty when nothing was lost or doubled. */
export function breaks(places: readonly (number | null)[]): string[] {
  const found: string[] = [];
  for (const [at, place] of places.entries()) {
    const before = at === 0 ? null : (places[at - 1] ?? null);
    if (place === null) found.push(`frame ${String(at)} is none of the source`);
    else if (before !== null && place !== before + 1)
      found.push(`packet ${String(place)} after ${String(before)}`);
  }
  return found;
}
