// The packets of one track as the demuxer library gives them, for the containers that are not read by ourselves.
// Used by demux.ts, which alone knows the library: here are only the shapes of what it hands out.
import type { PacketCursor } from './container.js';
import type { Packet } from './packet.js';

/** The library's packet; times in seconds. */
interface LibraryPacket {
  readonly data: Uint8Array;
  readonly timestamp: number;
  readonly duration: number;
}

/** What gives the library's packets. */
export interface LibraryTrack<P extends LibraryPacket> {
  getFirstPacket(): Promise<P | null>;
  getPacket(seconds: number): Promise<P | null>;
  getNextPacket(packet: P): Promise<P | null>;
}

/**
 * From the last packet at or before a time of the container's own. `guarded` does what the library is asked for:
 * null where the file is cut, and what it rejects with is what the cursor rejects with.
 */
export async function libraryCursor<P extends LibraryPacket>(
  track: LibraryTrack<P>,
  seconds: number,
  guarded: (work: () => Promise<P | null>) => Promise<P | null>,
): Promise<PacketCursor> {
  let following = await guarded(async () => {
    const there = seconds > 0 ? await track.getPacket(seconds) : null;
    return there ?? (await track.getFirstPacket());
  });
  let given = false;
  return {
    async next(): Promise<Packet | null> {
      const current = following;
      if (current === null) return null;
      const packet = given ? await guarded(() => track.getNextPacket(current)) : current;
      given = true;
      following = packet;
      return packet === null ? null : toPacket(packet);
    },
  };
}

/** A small packet in a large piece is copied, or a window of packets would hold many pieces. */
function toPacket({ data, timestamp, duration }: LibraryPacket): Packet {
  const own = data.byteLength * 4 < data.buffer.byteLength ? data.slice() : data;
  return { data: own, time: timestamp, duration };
}
