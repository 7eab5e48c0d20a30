// Loads an identifier for a client, within the deadline and no longer than it waits, and counts what was
// found. Called by loadtracks and by PATCH with an identifier, on the main thread; probing itself happens in
// the loader pool behind `fleet.loader`.
import { ServerError } from '../shared/errors.js';
import type { LoadOutcome } from '../shared/load.js';
import { decodeTrack } from '../shared/track-token.js';
import type { Node } from './node.js';

/** Rejects with PUM_LOAD_DEADLINE or PUM_LOAD_BUSY, or with the reason of `signal` when the client went away. */
export function loadIdentifier(node: Node, identifier: string, signal: AbortSignal): Promise<LoadOutcome> {
  return node.loads.pass(() => loadInTime(node, identifier, signal));
}

async function loadInTime(node: Node, identifier: string, signal: AbortSignal): Promise<LoadOutcome> {
  const ms = node.settings.loadDeadline;
  const deadline = new AbortController();
  const timer = node.clock.after(ms, () => deadline.abort(new ServerError('PUM_LOAD_DEADLINE', { ms })));
  const either = AbortSignal.any([signal, deadline.signal]);
  let stop = (): void => undefined;
  // The loader is told through the signal; the answer does not depend on its hearing it.
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(ServerError.from(either.reason, 'PUM_LOAD_FAILED'));
    either.addEventListener('abort', stop, { once: true });
    if (either.aborted) stop();
  });
  try {
    const outcome = await Promise.race([node.fleet.loader.load(identifier, either), aborted]);
    count(node, outcome);
    return outcome;
  } finally {
    timer.cancel();
    either.removeEventListener('abort', stop);
  }
}

function count(node: Node, outcome: LoadOutcome): void {
  if (outcome.kind === 'empty' || outcome.kind === 'error') return;
  const token = outcome.kind === 'track' ? outcome.token : outcome.tokens[0];
  if (outcome.kind === 'search' && token === undefined) return; // A search of nothing is answered `empty`.
  node.tallies.tracksLoaded.add({ source: sourceOf(node, token), type: outcome.kind });
}

/** A label out of a closed set. */
function sourceOf(node: Node, token: string | undefined): string {
  if (token === undefined) return 'none';
  const { sourceName } = decodeTrack(token).info;
  return (node.settings.sources as readonly string[]).includes(sourceName) ? sourceName : 'other';
}
