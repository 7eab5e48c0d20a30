// How large the send rings of a shard are, from the lead that is configured. Main makes the slab of each shard
// with it, and a shard that sends by itself its own. Pure.
import { FRAME_MS } from './frame.js';
import { VOICE } from './limits.js';
import { createSlab, type SlabLayout } from './send-ring.js';

/** Bytes of a ring per frame of lead at first: 140 kbit/s with all that encryption adds. */
const BYTES_PER_FRAME = 400;
/** The same for the largest frames there are. */
const MOST_PER_FRAME = 1_400;
/** A packet's place has 16 bits. */
const MOST_BYTES = 65_536;

/** Frames that may lie ahead in a ring. */
export function leadFrames(leadMs: number): number {
  return Math.max(2, Math.round(leadMs / FRAME_MS));
}

/** A slab for that many connections; the memory of a ring that was never used costs nothing. */
export function slabFor(leadMs: number, connections: number = VOICE.maxNativeConnections): SlabLayout {
  const lead = leadFrames(leadMs);
  // One slot is never filled, for it gives the next timestamp, and five are for the silence behind the frames.
  const slots = lead + 6 <= 32 ? 32 : 64;
  const [first = 0, most = 0] = [BYTES_PER_FRAME, MOST_PER_FRAME].map((bytes) =>
    Math.min(MOST_BYTES, 2 ** Math.ceil(Math.log2(lead * bytes))),
  );
  // A session that is given up keeps its ring until the sender has let go of it.
  return createSlab(connections + VOICE.spareRings, slots, most, first);
}
