// A shard that also misbehaves on command: tests start it in place of the product's entry, which knows no such
// commands. They come over a BroadcastChannel from the test's process.
import { BroadcastChannel, threadId } from 'node:worker_threads';
import type { ShardTask } from '../../src/shared/shard-task.js';
import { runShard } from '../../src/shard/run-shard.js';
import { FAULT_CHANNEL, type FaultCommand } from './shard-faults.js';

// eslint-disable-next-line no-restricted-exports -- a worker entry: piscina runs its default export
export default function faultyShard(task: ShardTask): Promise<void> {
  const channel = new BroadcastChannel(FAULT_CHANNEL);
  const failed = new Promise<never>((_, reject) => {
    channel.onmessage = (message: unknown) => {
      const { shard, fault, ms } = (message as { data: FaultCommand }).data;
      if (shard !== task.index) return;
      if (fault === 'reject') reject(new Error('the task rejects, its timers and sockets live on'));
      else commit(fault, ms ?? 0);
    };
  });
  failed.catch(() => undefined);
  return Promise.race([runShard(task, threadId), failed]);
}

function commit(fault: Exclude<FaultCommand['fault'], 'reject'>, ms: number): void {
  switch (fault) {
    case 'block':
      break;
    case 'throw':
      setImmediate(() => {
        throw new Error('a fault made by a test');
      });
      break;
    case 'exit':
      process.exit(3);
      break;
    case 'spin': {
      const until = performance.now() + ms;
      while (performance.now() < until) Math.random();
      break;
    }
    case 'oom': {
      const kept: number[][] = [];
      for (;;) kept.push(new Array<number>(1_000_000).fill(kept.length));
    }
  }
}
