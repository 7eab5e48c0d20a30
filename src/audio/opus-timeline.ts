// Opus packets on the timeline of a raw decoder: the first packet at 0, pre-skip included, each as long as
// its TOC byte says. Containers disagree (Ogg and MP4 take the pre-skip off, Matroska does not, Ogg's first
// packets pile up at 0), and the 20 ms grid of pass-through needs them to agree. Used by demux.ts.
import type { PacketCursor, StreamFormat } from './container.js';
import { packetSamples } from './opus-packet.js';
import type { Packet } from './packet.js';
import type { ReadyCursor } from './walk-to.js';

const RATE = 48_000;

/** Seconds of container time before which a cursor starts at the first packet: the longest packet. */
const NEAR_BEGINNING = 0.12;

/** Samples at 48 kHz that a player leaves out at the beginning (RFC 7845 §5.1), 0 where nothing says so. */
export function preSkipOf(format: StreamFormat): number {
  const head = format.description;
  if (format.codec !== 'opus' || head === null || head.length < 12) return 0;
  return (head[10] ?? 0) | ((head[11] ?? 0) << 8);
}

/**
 * Matroska's times are whole milliseconds, often with the pre-skip rounded into them; the packets themselves
 * lie on the grid of their own length.
 */
function snapped(position: number, samples: number): number {
  if (samples === 0) return position;
  const onGrid = Math.round(position / samples) * samples;
  return Math.abs(onGrid - position) <= RATE / 1_000 ? onGrid : position;
}

/** Samples by which a container's first packet lies before 0, where it has taken the pre-skip off. */
export function leadOf(first: Packet | null): number {
  return first === null ? 0 : Math.max(0, -Math.round(first.time * RATE));
}

/**
 * A cursor from the packet at raw time `from` on. `open` opens the container's own cursor at the container's
 * own time, which is `lead` samples earlier; `ogg` where times before its 0 are cut off there.
 */
export async function opusCursor(
  open: (seconds: number) => Promise<PacketCursor>,
  from: number,
  lead: number,
  ogg: boolean,
): Promise<ReadyCursor> {
  const wanted = from - lead / RATE;
  // Near the beginning, where the container's times cannot be told apart, samples are counted from it.
  const inner = await open(wanted > NEAR_BEGINNING ? wanted : 0);
  let position: number | null = ogg && wanted <= NEAR_BEGINNING ? 0 : null;
  const placed = (packet: Packet | null): Packet | null => {
    if (packet === null) return null;
    const samples = packetSamples(packet.data);
    const said = snapped(Math.round(packet.time * RATE) + lead, samples);
    const known =
      position !== null && (packet.time <= 0 || Math.abs(said - position) <= Math.max(samples, 120) / 2);
    const at = known ? (position ?? said) : said;
    position = at + samples;
    return {
      data: packet.data,
      time: at / RATE,
      duration: samples === 0 ? packet.duration : samples / RATE,
    };
  };
  return {
    ready: () => placed(inner.ready?.() ?? null),
    next: async () => placed(await inner.next()),
  };
}
