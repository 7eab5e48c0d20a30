// The worker entry of the loader pool: one identifier in, one outcome out, within its deadline. Main starts it
// by file name through its pool and sends plain data. What a hostile file does to this thread hurts no player.

import { threadId } from 'node:worker_threads';
import { openContainer } from '../audio/open-container.js';
import { systemClock } from '../shared/clock.js';
import type { ShardConfig } from '../shared/config.js';
import { ServerError } from '../shared/errors.js';
import type { LoadOutcome } from '../shared/load.js';
import type { LoadTask } from '../shared/shard-task.js';
import { nameThread } from '../shared/thread-name.js';
import { setThreadPriority } from '../shared/thread-priority.js';
import { Loader } from './load.js';
import { AllowList } from './source/address.js';
import { Guard } from './source/guard.js';
import { buildRegistry } from './source/registry.js';
import { sourceSettings } from './source/settings.js';

nameThread('pumice-ld');

let built: { readonly from: string; readonly loader: Loader } | null = null;

/** Never rejects for what the identifier or the far end gets wrong; a bad configuration does reject. */
export default async function load({
  identifier,
  deadlineMs,
  config,
  cancel,
  nice,
}: LoadTask): Promise<LoadOutcome> {
  setThreadPriority(nice);
  const deadline = new AbortController();
  const timer = systemClock.after(deadlineMs, () => {
    deadline.abort(new ServerError('PUM_LOAD_DEADLINE', { ms: deadlineMs }));
  });
  // Main learns which thread to end should this one never answer, and takes the load back over the same port.
  cancel.postMessage(threadId);
  cancel.once('message', () => {
    deadline.abort(new ServerError('PUM_LOAD_FAILED'));
  });
  try {
    return await loaderFor(config).load(identifier, deadline.signal);
  } finally {
    timer.cancel();
    cancel.close();
  }
}

/** Built once per worker, and again only when the configuration that concerns it has changed. */
function loaderFor(config: ShardConfig): Loader {
  const settings = sourceSettings(config);
  const allowed = config['pumice.sources.allowPrivate'];
  const from = JSON.stringify([settings, allowed]);
  if (built?.from !== from) {
    const guard = new Guard({ allow: new AllowList(allowed), clock: systemClock });
    built = { from, loader: new Loader(buildRegistry(settings, guard, systemClock), openContainer) };
  }
  return built.loader;
}
