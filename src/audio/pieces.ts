// Memory for compressed bytes that are kept for seconds, in pieces that a thread uses again and again: what lives
// so long and dies old makes the collector mark the whole heap of a shard, and thousands of sources read all the
// time. Taken and given back by packet windows and by HTTP streams; a piece given back has no reader any more.

/** Bytes of a piece. */
export const PIECE = 8 * 1_024;

/** Spare pieces that a thread keeps: a megabyte. */
const MAX_SPARE = 128;

const spare: Uint8Array[] = [];

/** PIECE bytes, with whatever was in them. */
export function takePiece(): Uint8Array {
  return spare.pop() ?? new Uint8Array(PIECE);
}

/** The caller, and whoever it gave a view to, is done with the piece. One of another length is left alone. */
export function givePiece(piece: Uint8Array): void {
  if (piece.length === PIECE && piece.buffer.byteLength === PIECE && spare.length < MAX_SPARE)
    spare.push(piece);
}
