// What the demuxer library asks its bytes from: a promise of exact reads where the size is known, a stream
// where it is not. Shapes only, no import of the library; used by demux.ts alone.
import type { ByteWindow } from './byte-window.js';

/** The bytes end before the container's structure does: a file cut short. */
export class EndOfBytes extends Error {
  override readonly name = 'EndOfBytes';
}

/** Exactly the bytes from `start` to `end`, or EndOfBytes. */
export async function readExactly(window: ByteWindow, start: number, end: number): Promise<Uint8Array> {
  const bytes = await window.read(start, end - start);
  if (bytes.length < end - start) throw new EndOfBytes('the bytes end early');
  return bytes;
}

/** The bytes from the beginning in order, fetched only as they are asked for. */
export function streamOf(window: ByteWindow): ReadableStream<Uint8Array> {
  const piece = 4_096;
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await window.read(at, piece);
        at += bytes.length;
        if (bytes.length > 0) controller.enqueue(bytes);
        if (bytes.length < piece) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
