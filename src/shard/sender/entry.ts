// The worker entry of a sender thread. Main starts it with a SenderTask and gives it a port and a slab for each
// shard; from then on it does nothing but put sealed packets on the wire. It ends when main tells it to.

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { systemClock } from '../../shared/clock.js';
import type { SenderOrder, SenderTask } from '../../shared/sender-task.js';
import { nameThread } from '../../shared/thread-name.js';
import { createSender } from './create-sender.js';
import { servePort } from './serve-port.js';

const task = workerData as SenderTask;
nameThread(`pumice-snd${String(task.index)}`);
const sender = createSender(systemClock, new Float64Array(task.counters));
const ports = new Set<MessagePort>();

parentPort?.on('message', (order: SenderOrder) => {
  if (order.op === 'attach') {
    const { port } = order;
    ports.add(port);
    port.on('close', () => ports.delete(port));
    servePort(port, order.slab, sender.loop);
    return;
  }
  sender.close();
  for (const port of ports) port.close();
  parentPort?.close();
});
