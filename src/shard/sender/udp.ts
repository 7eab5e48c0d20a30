// The one socket of a sender, unconnected, for all its rings: the only file that imports node:dgram. Called by
// the sender's loop. It never throws and never waits; what fails is told to the listener, to be counted.

import dgram from 'node:dgram';

export interface UdpListener {
  /** A datagram from anywhere; the bytes are the listener's. */
  message(bytes: Buffer, address: string, port: number): void;
  /** A datagram was not sent, or the socket has an error of its own. */
  failed(): void;
}

export interface Udp {
  /** Before anything is sent; one listener. */
  listen(listener: UdpListener): void;
  /** Sends `length` bytes from `offset`. They must stay as they are while `queued` is not 0. */
  send(bytes: Buffer, offset: number, length: number, port: number, address: string): void;
  /** Datagrams that the kernel had no room for: they leave, from the memory they are in, by themselves. */
  readonly queued: number;
  close(): void;
}

/** Bytes that may wait in the kernel; it may give less. */
const SEND_BUFFER = 4 * 1024 * 1024;

export class UdpSocket implements Udp {
  readonly #socket: dgram.Socket;
  #listener: UdpListener | null = null;
  #closed = false;
  /** One for all sends: without it nobody hears of an error. */
  readonly #done = (error: Error | null): void => {
    if (error !== null) this.#listener?.failed();
  };

  constructor() {
    this.#socket = dgram.createSocket({
      type: 'udp4',
      sendBufferSize: SEND_BUFFER,
      // Addresses come resolved and guarded. Answered at once, a send is one call into the kernel and not a
      // job for later (discord-voice.md §3.5).
      lookup: (host, _options, answer) => answer(null, host, 4),
    });
    this.#socket.on('error', () => this.#listener?.failed());
    this.#socket.on('message', (bytes, from) => this.#listener?.message(bytes, from.address, from.port));
    this.#socket.bind(0);
  }

  listen(listener: UdpListener): void {
    this.#listener = listener;
  }

  send(bytes: Buffer, offset: number, length: number, port: number, address: string): void {
    try {
      this.#socket.send(bytes, offset, length, port, address, this.#done);
    } catch {
      this.#listener?.failed();
    }
  }

  get queued(): number {
    return this.#socket.getSendQueueCount();
  }

  /** May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = null;
    this.#socket.close();
  }
}
