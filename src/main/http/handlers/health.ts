// GET /pumice/v1/health/live and /ready: for a supervisor or a load balancer, without a password. Live is
// answered as long as the main thread turns; ready only while new work is taken. Main thread.
import type { Reply } from '../engine.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function live(): Reply {
  return json({ status: 'live' });
}

export function ready({ node }: RouteCall): Reply {
  const isReady = node.drain.kind === 'serving' && node.fleet.ready;
  const shards = node.fleet.reports();
  const body = {
    status: isReady ? 'ready' : 'not ready',
    state: node.drain.kind,
    shards: { up: shards.filter((shard) => shard.up).length, total: shards.length },
  };
  return json(body, isReady ? 200 : 503);
}
