// Both ends of a send ring in one thread, for its tests.
import { RingWord } from '../../src/shared/ring-words.js';
import { wordsPerRing } from '../../src/shared/ring-slab.js';
import { createSlab, RingReader, RingWriter, type SlabLayout } from '../../src/shared/send-ring.js';

export const SLOTS = 32;
export const BYTES = 4_096;

export interface Ends {
  readonly slab: SlabLayout;
  readonly writer: RingWriter;
  readonly reader: RingReader;
}

/** Both ends of ring 1 of three, its packets counted from `head`; open unless told. */
export function ends(head = 0, open = true): Ends {
  const slab = createSlab(3, SLOTS, BYTES);
  poke(slab, RingWord.head, head);
  poke(slab, RingWord.span, (head << 16) | (head & 0xffff));
  const writer = new RingWriter(slab, 1);
  if (open) writer.begin(100, 5_000);
  return { slab, writer, reader: new RingReader(slab, 1) };
}

/** Writes a word of ring 1 past its interface. */
export function poke(slab: SlabLayout, word: number, value: number): void {
  new Int32Array(slab.words)[wordsPerRing(SLOTS) + word] = value;
}

/** Publishes a packet that is filled with `fill`; its sequence and timestamp, or null if there is no room. */
export function put(writer: RingWriter, fill: number, length = 50, gap = 0): [number, number] | null {
  const offset = writer.room(length);
  if (offset < 0) return null;
  const timestamp = writer.timestamp(gap);
  const { sequence } = writer;
  writer.publish(Buffer.alloc(length + 9, fill), length, offset, timestamp, 1, 20 * fill, fill);
  return [sequence, timestamp];
}

/** The tags of all packets that can be claimed, each released. */
export function drain(reader: RingReader): number[] {
  const tags: number[] = [];
  while (reader.claim()) {
    tags.push(reader.tag);
    reader.release(0);
  }
  return tags;
}
