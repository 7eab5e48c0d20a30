// The packets of a file as mediabunny alone reads them, for comparing our own reading with it.
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';

export interface LibraryPacket {
  readonly data: Buffer;
  /** Seconds, as the library says. */
  readonly time: number;
  readonly duration: number;
}

/** Of the first audio track. */
export async function libraryPackets(bytes: Uint8Array): Promise<LibraryPacket[]> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const [track] = await input.getAudioTracks();
  if (track === undefined) throw new Error('no audio in the file');
  const packets: LibraryPacket[] = [];
  for await (const { data, timestamp, duration } of new EncodedPacketSink(track).packets())
    packets.push({ data: Buffer.from(data), time: timestamp, duration });
  input.dispose();
  return packets;
}
