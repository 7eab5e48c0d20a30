// The thread of voice-socket-thread.ts: binds a UDP socket, stamps what arrives and hands it over, sends what it is
// given. Never imported; ends when it is terminated.

import { parentPort, workerData } from 'node:worker_threads';
import { DatagramBatch, datagramsIn, sharedClockOffset } from './voice-datagrams.js';
import { bindUdp } from './voice-socket.js';
import type { SocketListening } from './voice-socket-thread.js';

const FLUSH_MS = 5;
const FLUSH_BYTES = 256 * 1024;

const socket = await bindUdp();
const batch = new DatagramBatch();
let timer: NodeJS.Timeout | null = null;
/** From this thread's performance.now() to that of the server's thread. */
const shift = sharedClockOffset() - (workerData as number);

function flush(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  const bytes = batch.take();
  parentPort?.postMessage(bytes, [bytes]);
}

socket.on('message', (packet, { address, port }) => {
  batch.add({ packet, at: performance.now() + shift, address, port });
  if (batch.size > FLUSH_BYTES) flush();
  else timer ??= setTimeout(flush, FLUSH_MS);
});
parentPort?.on('message', (out: ArrayBuffer) => {
  for (const { packet, address, port } of datagramsIn(out)) socket.send(packet, port, address);
});
const listening: SocketListening = {
  port: socket.address().port,
  receiveBuffer: socket.getRecvBufferSize(),
};
parentPort?.postMessage(listening);
