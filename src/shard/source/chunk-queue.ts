// Chunks of bytes on their way from a connection to a reader. Used by http-body.ts. A chunk is copied unless it
// is most of the read it lies in, so that no small chunk keeps a whole read of the socket alive. Crumbs are
// gathered into blocks, because an origin may send a million chunks of one byte each and an object costs more
// than a byte.

/** What an entry costs beside its bytes. */
export const CHUNK_COST = 256;

const CRUMB = 1_024;
const BLOCK = 4_096;
/** Larger chunks are cut, so that what has been read is let go in small steps. */
const PIECE = 16 * 1_024;

export class ChunkQueue {
  readonly #chunks: Uint8Array[] = [];
  #cost = 0;
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  /** Where in the block the last entry begins; -1 while the last entry lies elsewhere. */
  #open = -1;

  /** Bytes held, and what holding them costs. */
  get cost(): number {
    return this.#cost;
  }

  /** Takes the chunk over: its bytes must not change any more. */
  push(chunk: Uint8Array): void {
    this.#cost += chunk.length;
    if (chunk.length >= CRUMB) {
      this.#open = -1;
      if (isMostOfItsRead(chunk)) this.#add(chunk);
      else
        for (let at = 0; at < chunk.length; at += PIECE)
          this.#add(new Uint8Array(chunk.subarray(at, at + PIECE)));
      return;
    }
    if (this.#used + chunk.length > this.#block.length) {
      this.#block = new Uint8Array(BLOCK);
      this.#used = 0;
      this.#open = -1;
    }
    this.#block.set(chunk, this.#used);
    const end = this.#used + chunk.length;
    if (this.#open < 0) {
      this.#open = this.#used;
      this.#add(this.#block.subarray(this.#open, end));
    } else {
      this.#chunks[this.#chunks.length - 1] = this.#block.subarray(this.#open, end);
    }
    this.#used = end;
  }

  /** The oldest chunk, or null when there is none. */
  shift(): Uint8Array | null {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    if (this.#chunks.length === 0) this.#open = -1;
    this.#cost -= chunk.length + CHUNK_COST;
    return chunk;
  }

  /** Puts bytes back in front. */
  unshift(chunk: Uint8Array): void {
    this.#chunks.unshift(chunk);
    this.#cost += chunk.length + CHUNK_COST;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#cost = 0;
    this.#open = -1;
  }

  #add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#cost += CHUNK_COST;
  }
}

/** Whether keeping it as it is keeps little else alive, and no more at once than a piece. */
function isMostOfItsRead({ length, buffer }: Uint8Array): boolean {
  return buffer.byteLength <= PIECE && length >= buffer.byteLength - buffer.byteLength / 4;
}
