// The last step of every seek: from a place that is early enough, packet by packet to the last one that begins at or
// before a time (Container.packets). Used by the containers of Ogg and Matroska, in shards.
import type { PacketCursor } from './container.js';
import type { Packet } from './packet.js';

/** Seconds by which times may be rounded: half a sample. */
const NEAR_ENOUGH = 0.5 / 48_000;

/** A cursor that may say what is there already. */
export type ReadyCursor = Required<PacketCursor>;

export interface Walk {
  readonly cursor: ReadyCursor;
  /** Whether its first packet begins at or before the time; false where the place was too late, or the end. */
  readonly reached: boolean;
}

/** Where a hole lies at the time, the packet before it is the first. */
export async function walkTo(cursor: ReadyCursor, seconds: number): Promise<Walk> {
  const ahead: Packet[] = [];
  let reached = false;
  for (;;) {
    const packet = cursor.ready() ?? (await cursor.next());
    if (packet === null) break;
    const begins = packet.time <= seconds + NEAR_ENOUGH;
    if (begins) ahead.length = 0;
    // Other packets are read before this one is given.
    ahead.push({ ...packet, data: packet.data.slice() });
    reached ||= begins;
    if (!begins || packet.time + packet.duration > seconds + NEAR_ENOUGH) break;
  }
  return { cursor: startingWith(ahead, cursor), reached };
}

/** A cursor that gives these packets, whose data are their own, before its others. */
export function startingWith(ahead: Packet[], cursor: ReadyCursor): ReadyCursor {
  return {
    ready: () => ahead.shift() ?? cursor.ready(),
    next: () => {
      const packet = ahead.shift();
      return packet === undefined ? cursor.next() : Promise.resolve(packet);
    },
  };
}
