// A loader that never comes back from the identifier `spin`, dies of `exit`, takes half a second over `slow`, and
// loads nothing otherwise.
import { threadId } from 'node:worker_threads';
import type { LoadOutcome } from '../../src/shared/load.js';
import type { LoadTask } from '../../src/shared/shard-task.js';

// eslint-disable-next-line no-restricted-exports -- a worker entry: piscina runs its default export
export default async function load({ identifier, cancel }: LoadTask): Promise<LoadOutcome> {
  cancel.postMessage(threadId);
  // A parser caught in a loop: nothing but the end of the thread stops it.
  if (identifier === 'spin') for (;;) Math.random();
  if (identifier === 'exit') process.exit(1);
  if (identifier === 'slow') await new Promise((resolve) => setTimeout(resolve, 500));
  cancel.close();
  return { kind: 'empty' };
}
