// A connection as undici gets it from http.ts: a stream between the socket and the parser that can be held
// back and that understands radios. undici's own pause is not used: when the far end goes away while its parser
// is paused, an assertion in it takes the whole process down.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

import { ServerError } from '../../shared/errors.js';
import { errorCode } from './error-code.js';

/** SHOUTcast servers answer `ICY 200 OK` where HTTP has its version; what they mean is "until I close". */
const ICY = Buffer.from('ICY ');
const HTTP = Buffer.from('HTTP/1.0 ');

export class HeldSocket extends Duplex {
  readonly #socket: Socket;
  /** The first bytes while they are too few to tell what they begin; null afterwards. */
  #head: Buffer | null = Buffer.alloc(0);

  /** Takes over a connected socket; destroying either destroys both. */
  constructor(socket: Socket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    // Whoever uses the stream hears of it as well; an error that nobody awaits must not end the process.
    this.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (this.#head === null) this.push(chunk);
      else this.#begin(Buffer.concat([this.#head, chunk]));
    });
    socket.on('end', () => {
      if (this.#head !== null) this.push(this.#head);
      this.push(null);
    });
    // Under another name: undici takes ECONNRESET for the end of a body that has no length.
    socket.on('error', (error) => this.destroy(broken(errorCode(error))));
    socket.on('close', () => {
      if (!this.readableEnded && !socket.readableEnded) this.destroy(broken('closed'));
    });
  }

  /** Nothing more reaches the parser, so the far end is held back; at most one chunk is on its way. */
  hold(): void {
    this.#socket.pause();
  }

  release(): void {
    this.#socket.resume();
  }

  override _read(): void {
    // The socket pushes by itself; hold() is what slows it.
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #begin(head: Buffer): void {
    this.#head = head;
    if (head.length < ICY.length && ICY.subarray(0, head.length).equals(head)) return;
    this.#head = null;
    const icy = head.subarray(0, ICY.length).equals(ICY);
    this.push(icy ? Buffer.concat([HTTP, head.subarray(ICY.length)]) : head);
  }
}

function broken(cause: string): ServerError {
  return new ServerError('PUM_SOURCE_BROKEN', {}, cause);
}
