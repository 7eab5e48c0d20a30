// GET of the Prometheus page; whether it needs a password is the route table's matter. Main thread.
import type { Reply } from '../engine.js';
import type { Metrics } from '../../metrics.js';
import type { Handler } from '../routes.js';

export function metricsPage(metrics: Metrics): Handler {
  return async ({ query }): Promise<Reply> => {
    const body = await metrics.page(query.getAll('name[]'));
    return { status: 200, headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }, body };
  };
}
