// One UDP socket of the fake voice server on a thread of its own: arrivals are stamped there, however long the
// server's own thread is held up by MLS or decryption, and come over in batches. Opened by voice-udp.ts.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DatagramBatch, datagramsIn, sharedClockOffset } from './voice-datagrams.js';
import type { UdpAddress } from './voice-session.js';
import type { OnDatagram, VoiceSocket } from './voice-socket.js';

/** The first word of the thread; every later one is a batch. */
export interface SocketListening {
  readonly port: number;
  readonly receiveBuffer: number;
}

export class ThreadVoiceSocket implements VoiceSocket {
  readonly port: number;
  readonly receiveBuffer: number;
  readonly #worker: Worker;
  readonly #out = new DatagramBatch();

  private constructor(worker: Worker, listening: SocketListening, onDatagram: OnDatagram) {
    this.port = listening.port;
    this.receiveBuffer = listening.receiveBuffer;
    this.#worker = worker;
    worker.on('message', (batch: ArrayBuffer) => {
      for (const { packet, at, address, port } of datagramsIn(batch)) {
        onDatagram(packet, at, { address, port }, this);
      }
    });
  }

  static async open(onDatagram: OnDatagram): Promise<ThreadVoiceSocket> {
    const worker = new Worker(new URL('./voice-socket-worker.js', import.meta.url), {
      workerData: sharedClockOffset(),
    });
    const [listening] = (await once(worker, 'message')) as [SocketListening];
    return new ThreadVoiceSocket(worker, listening, onDatagram);
  }

  /** Goes out at the end of this turn, together with whatever else does. */
  send(packet: Buffer, { address, port }: UdpAddress): void {
    if (this.#out.size === 0) setImmediate(() => this.#flush());
    this.#out.add({ packet, at: 0, address, port });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #flush(): void {
    const batch = this.#out.take();
    this.#worker.postMessage(batch, [batch]);
  }
}
