// The worker entry of a shard: its one task, which does not end before the shard is drained. Puts the
// parts together (guard, sources, driver, shard) from what main has handed over.
import { threadId } from 'node:worker_threads';
import type { ShardTask } from '../shared/shard-task.js';
import { runShard } from './run-shard.js';

export default function shard(task: ShardTask): Promise<void> {
  return runShard(task, threadId);
}
