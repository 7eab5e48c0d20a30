// A sender thread that also misbehaves on command: tests start it in place of the product's entry. Its number in a
// FaultCommand is 1,000 above that of the sender, so that no shard means itself.
import { spawnSync } from 'node:child_process';
import { BroadcastChannel, workerData } from 'node:worker_threads';
import type { SenderTask } from '../../src/shared/sender-task.js';
import { FAULT_CHANNEL, SENDER_FAULT, type FaultCommand } from './shard-faults.js';

const { index } = workerData as SenderTask;
const channel = new BroadcastChannel(FAULT_CHANNEL);
channel.onmessage = (message: unknown) => {
  const { shard, fault, ms } = (message as { data: FaultCommand }).data;
  if (shard !== SENDER_FAULT + index) return;
  if (fault === 'exit') process.exit(3);
  if (fault === 'block') spawnSync('sleep', [String((ms ?? 0) / 1_000)]);
  if (fault === 'throw') {
    setImmediate(() => {
      throw new Error('a fault made by a test');
    });
  }
  const until = performance.now() + (fault === 'spin' ? (ms ?? 0) : 0);
  while (performance.now() < until) Math.random();
};

// Behind it, so that no command is lost once main has seen that the thread is up.
await import('../../src/shard/sender/entry.js');
