// Small reads for a demuxer out of large reads from a ByteSource: the last few blocks are kept, so that
// walking forwards asks the far end for each byte once. One per open container, in a shard or a loader;
// counts what it fetches, and its budget bounds what a stranger's file may make us read.
import { ServerError } from '../shared/errors.js';
import { AUDIO } from '../shared/limits.js';
import type { ByteSource } from './bytes.js';

/** Asked for at once; the far end may give less, and then more goes into the same block. */
const BLOCK = 16 * 1_024;
/** Blocks kept: behind a far end that cannot go back, enough for recognising what it sends. */
const KEPT_SEEKABLE = 2;
const KEPT_FORWARD = 4;

/**
 * Of a window that is walked through: small blocks, which are filled again and again. Blocks of seconds' age would
 * die old, and thousands of readers would have the collector mark the whole heap for them again and again.
 */
const WALKED_BLOCK = 8 * 1_024;
const WALKED_KEPT = 2;

/** No page of Ogg and no frame is longer. */
const LAST_ELEMENT = 64 * 1_024;

interface Block {
  at: number;
  readonly bytes: Uint8Array;
  /** May be filled again. */
  readonly own: boolean;
  /** Bytes of it that are there; those never change again. */
  filled: number;
}

export class ByteWindow {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal;
  /** Newest first. */
  #blocks: Block[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #left = Number.POSITIVE_INFINITY;
  #closed = false;
  #dry = false;
  #walked = false;
  /** How often a block has been filled again: views from before may show something else now. */
  refills = 0;

  constructor(source: ByteSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Total bytes, or null when nobody knows. */
  get size(): number | null {
    return this.#source.size;
  }

  get seekable(): boolean {
    return this.#source.seekable;
  }

  /** Whether the last fetch came to the end of the source, or so near that the rest is one cut element. */
  get atEnd(): boolean {
    const latest = this.#blocks[0];
    const { size } = this.#source;
    return (
      this.#dry || (latest !== undefined && size !== null && size - latest.at - latest.filled < LAST_ELEMENT)
    );
  }

  /** Whether the beginning can be read without asking the far end to go back. */
  get atBeginning(): boolean {
    return this.seekable || (this.#blocks.at(-1)?.at ?? 0) === 0;
  }

  /** From here on at most `bytes` are fetched; beyond them reads reject with PUM_FORMAT_UNKNOWN. */
  limit(bytes: number): void {
    this.#left = bytes;
  }

  /** From here on nobody keeps what was read beyond the next read: blocks are used again. */
  walk(): void {
    this.#walked = true;
  }

  /**
   * `length` bytes from `offset`, fewer only at the end of the source. The result is never written to again, unless
   * the window is walked through: then it is good until the next read.
   * Rejects with a ServerError or the signal's reason; reads are served in the order of the calls.
   */
  read(offset: number, length: number): Promise<Uint8Array> {
    const kept = this.peek(offset, length);
    if (kept !== null) return Promise.resolve(kept);
    const result = this.#queue.then(() => this.#fetch(offset, length));
    this.#queue = result.catch(() => undefined);
    return untilAborted(result, this.#signal);
  }

  close(): void {
    this.#closed = true;
    this.#blocks = [];
    this.#source.close();
  }

  /** The same, if they lie in one block already; else null. */
  peek(offset: number, length: number): Uint8Array | null {
    return this.peekOn(offset, length)?.subarray(0, length) ?? null;
  }

  /** All that lies from there on in the same block, if that is `length` bytes or more; else null. */
  peekOn(offset: number, length: number): Uint8Array | null {
    for (const block of this.#blocks) {
      const from = offset - block.at;
      if (from >= 0 && from + length <= block.filled) return block.bytes.subarray(from, block.filled);
    }
    return null;
  }

  async #fetch(offset: number, length: number): Promise<Uint8Array> {
    const kept = this.peek(offset, length);
    if (kept !== null) return kept;
    if (length > AUDIO.maxContainerRead)
      throw new ServerError('PUM_FORMAT_BROKEN', { reason: 'an element is too large' });
    if (!this.#source.seekable && !(await this.#walkTo(offset))) return new Uint8Array(0);
    const whole = new Uint8Array(Math.min(length, this.#allowance(offset)));
    let have = 0;
    while (have < whole.length) {
      const copied = this.#copy(offset + have, whole, have);
      have += copied;
      if (copied === 0 && !(await this.#more(offset + have, whole.length - have)))
        return whole.subarray(0, have);
    }
    return whole;
  }

  /** A far end that cannot go back is read without holes, or what lies in them would be lost. */
  async #walkTo(offset: number): Promise<boolean> {
    for (;;) {
      const latest = this.#blocks[0];
      const end = latest === undefined ? 0 : latest.at + latest.filled;
      if (end >= offset) return true;
      if (!(await this.#more(end, offset - end))) return false;
    }
  }

  #allowance(offset: number): number {
    const { size } = this.#source;
    return size === null ? Number.POSITIVE_INFINITY : Math.max(0, size - offset);
  }

  #copy(offset: number, to: Uint8Array, at: number): number {
    for (const block of this.#blocks) {
      const from = offset - block.at;
      if (from < 0 || from >= block.filled) continue;
      const part = block.bytes.subarray(from, Math.min(block.filled, from + to.length - at));
      to.set(part, at);
      return part.length;
    }
    return 0;
  }

  /** Fetches at least one byte from `offset` into a block; false at the end. */
  async #more(offset: number, wanted: number): Promise<boolean> {
    this.#signal.throwIfAborted();
    if (this.#closed) throw new ServerError('PUM_SOURCE_BROKEN');
    if (this.#left <= 0) throw new ServerError('PUM_FORMAT_UNKNOWN');
    const latest = this.#blocks[0];
    const goesOn = latest !== undefined && latest.at + latest.filled === offset;
    const room = goesOn ? latest.bytes.length - latest.filled : 0;
    // Large reads (an index, a cover) come in parts as well, so that the budget holds.
    const least = this.#walked ? WALKED_BLOCK : BLOCK;
    const length = room > 0 ? room : Math.min(Math.max(wanted, least), this.#walked ? least : 16 * BLOCK);
    const bytes = await this.#source.read(offset, Math.min(length, Math.max(1, this.#left)), this.#signal);
    this.#dry = bytes === null || bytes.length === 0;
    if (bytes === null || bytes.length === 0) return false;
    this.#left -= bytes.length;
    if (goesOn && bytes.length <= room) {
      latest.bytes.set(bytes, latest.filled);
      latest.filled += bytes.length;
      return true;
    }
    if (this.#walked) this.#again(offset, bytes);
    else this.#keep(offset, bytes);
    return true;
  }

  #keep(at: number, bytes: Uint8Array): void {
    const block: Block = {
      at,
      bytes: new Uint8Array(Math.max(BLOCK, bytes.length)),
      filled: bytes.length,
      own: false,
    };
    block.bytes.set(bytes);
    const kept = this.#source.seekable ? KEPT_SEEKABLE : KEPT_FORWARD;
    this.#blocks = [block, ...this.#blocks.slice(0, kept - 1)];
  }

  /** Into the oldest block, if it is one of these; the source keeps what is its own. */
  #again(at: number, bytes: Uint8Array): void {
    this.#blocks.length = Math.min(this.#blocks.length, WALKED_KEPT);
    const oldest = this.#blocks.length === WALKED_KEPT ? this.#blocks.pop() : undefined;
    const block =
      oldest?.bytes.length === WALKED_BLOCK && oldest.own
        ? oldest
        : { at, bytes: new Uint8Array(WALKED_BLOCK), filled: 0, own: true };
    this.refills++;
    block.at = at;
    block.filled = bytes.length;
    block.bytes.set(bytes);
    this.#blocks.unshift(block);
  }
}

/** The promise, or the signal's reason if that comes first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      // An abort's reason is whatever its owner gave; it is passed on as it is.
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
