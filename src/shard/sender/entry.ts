// The worker entry of a sender thread. Main starts it with a SenderTask and gives it a port and a slab for each
// shard; from then on it does nothing but put sealed packets on the wire. Main ends it.

import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../shared/clock.js';
import type { SenderOrder, SenderTask } from '../../shared/sender-task.js';
import { nameThread } from '../../shared/thread-name.js';
import { setThreadPriority } from '../../shared/thread-priority.js';
import { createSender } from './create-sender.js';
import { startPulse } from './pulse.js';
import { servePort } from './serve-port.js';

const task = workerData as SenderTask;
nameThread(`pumice-snd${String(task.index)}`);
setThreadPriority(task.nice);
const counters = new Float64Array(task.counters);
const { loop } = createSender(systemClock, counters);
startPulse(systemClock, counters);

parentPort?.on('message', ({ port, slab }: SenderOrder) => {
  servePort(port, slab, loop);
});
