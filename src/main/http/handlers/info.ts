// GET /v4/info: what this build is and can do, the same for the life of the process (lavalink-v4.md §1.3).
// Main thread.
import { enabledFilters } from '../../filters.js';
import type { Node } from '../../node.js';
import { LAVALINK_VERSION, PUMICE_VERSION } from '../../version.js';
import { json } from '../reply.js';
import type { Handler } from '../routes.js';

/** Field order is the protocol's. */
export function infoJson(node: Node): object {
  const { settings } = node;
  return {
    version: LAVALINK_VERSION,
    // -1 and "unknown" are what Lavalink says of a build that does not know them.
    buildTime: -1,
    git: { branch: 'unknown', commit: 'unknown', commitTime: -1 },
    jvm: `Node.js ${process.versions.node}`,
    lavaplayer: `pumice-${PUMICE_VERSION}`,
    sourceManagers: settings.sources,
    filters: enabledFilters((name) => settings.filterSwitches[name]),
    plugins: [],
  };
}

export function info(node: Node): Handler {
  const reply = json(infoJson(node));
  return () => reply;
}
