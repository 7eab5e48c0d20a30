// Where the packets of the packet bench go: a socket on the loopback that nobody reads. Full after the first few
// hundred, it takes the rest for the same price from every sender, and wakes nobody. A thread of its own that
// sleeps, because a socket of Node that belongs to a running loop is always read.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

export interface Sink {
  readonly port: number;
  close(): Promise<void>;
}

export async function openSink(): Promise<Sink> {
  const worker = new Worker(new URL(import.meta.url));
  const [port] = (await once(worker, 'message')) as [number];
  return {
    port,
    async close() {
      await worker.terminate();
    },
  };
}

if (!isMainThread && parentPort) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  parentPort.postMessage(socket.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
