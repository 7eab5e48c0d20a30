// One open WebSocket over uWebSockets.js. Made and told of its end by engine-uws.ts, used by sessions; main
// thread. It keeps the account of unsent bytes itself, because the library drops what exceeds its own ceiling
// (reliability.md case 27), and never touches the native socket after its end, where every call throws.
import type { SendResult, Socket } from './engine.js';

/** What is used of the library's socket. */
export interface NativeSocket {
  /** 1 sent, 0 queued, 2 dropped. */
  send(message: string): number;
  getBufferedAmount(): number;
  ping(): number;
  end(code: number, reason: string): void;
  close(): void;
}

/** Largest header of an unmasked frame. */
const FRAME_HEADER = 10;

const DROPPED = 2;
const SENT = 1;

export class UwsSocket<T> implements Socket<T> {
  readonly data: T;
  readonly remoteAddress: string;
  readonly #maxOutbox: number;
  #native: NativeSocket | null;

  constructor(native: NativeSocket, data: T, remoteAddress: string, maxOutbox: number) {
    this.#native = native;
    this.data = data;
    this.remoteAddress = remoteAddress;
    this.#maxOutbox = maxOutbox;
  }

  get isOpen(): boolean {
    return this.#native !== null;
  }

  get buffered(): number {
    return this.#native?.getBufferedAmount() ?? 0;
  }

  send(message: string): SendResult {
    const native = this.#native;
    if (native === null) return 'closed';
    const size = Buffer.byteLength(message) + FRAME_HEADER;
    if (native.getBufferedAmount() + size > this.#maxOutbox) {
      this.close(1008, 'outbox full');
      return 'closed';
    }
    const result = native.send(message);
    if (result === DROPPED) {
      // Cannot happen while the library's ceiling lies above ours; if it does, nothing may be missing unseen.
      this.terminate();
      return 'closed';
    }
    return result === SENT ? 'sent' : 'queued';
  }

  ping(): void {
    this.#native?.ping();
  }

  close(code: number, reason: string): void {
    this.#release()?.end(code, reason);
  }

  terminate(): void {
    this.#release()?.close();
  }

  /** The library reports the end; true when it was the other side's doing. */
  ended(): boolean {
    return this.#release() !== null;
  }

  #release(): NativeSocket | null {
    const native = this.#native;
    this.#native = null;
    return native;
  }
}
