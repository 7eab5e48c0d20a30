// The bytes of a stream that were read last, by their offset. Used by http-stream.ts, in shards and in loaders.
import { givePiece, PIECE, takePiece } from '../../audio/pieces.js';

export class KeptBytes {
  /** Oldest first; all but the last are full. */
  readonly #pieces: Uint8Array[] = [];
  #from: number;
  #end: number;

  /** Empty, from that offset on. */
  constructor(from: number) {
    this.#from = from;
    this.#end = from;
  }

  /** Offset of the oldest byte. */
  get from(): number {
    return this.#from;
  }

  /** Offset behind the newest one. */
  get end(): number {
    return this.#end;
  }

  /** Copies the bytes behind the newest ones. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const filled = (this.#end - this.#from) % PIECE;
      let piece = this.#pieces.at(-1);
      if (piece === undefined || filled === 0) {
        piece = takePiece();
        this.#pieces.push(piece);
      }
      const part = bytes.subarray(at, at + PIECE - filled);
      piece.set(part, filled);
      at += part.length;
      this.#end += part.length;
    }
  }

  /**
   * Up to `length` bytes from `offset`, or null when that one is not here. They are good until the next `forget`
   * or `clear`.
   */
  peek(offset: number, length: number): Uint8Array | null {
    if (offset < this.#from || offset >= this.#end) return null;
    const at = offset - this.#from;
    const piece = this.#pieces[Math.floor(at / PIECE)];
    const within = at % PIECE;
    return piece?.subarray(within, within + Math.min(length, this.#end - offset)) ?? null;
  }

  /** Lets go of old pieces: never what `offset` and more is in, and at least `keep` bytes stay. */
  forget(offset: number, keep: number): void {
    while (this.#end - this.#from - PIECE >= keep && this.#from + PIECE <= offset) {
      const piece = this.#pieces.shift();
      if (piece === undefined) return;
      this.#from += PIECE;
      givePiece(piece);
    }
  }

  /** Lets go of everything. Somebody may still be looking at it, so the pieces are not used again. */
  clear(): void {
    this.#pieces.length = 0;
    this.#from = this.#end;
  }
}
