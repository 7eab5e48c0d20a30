// The loader pool: loads beside one another, cancelling, and what a hostile file can do to it.
import t from 'tap';
import { LoaderPool } from '../../../src/main/dispatch/loader.js';
import { systemClock } from '../../../src/shared/clock.js';
import { defaults, forShards } from '../../../src/shared/config.js';
import type { LoadOutcome } from '../../../src/shared/load.js';
import { fixture } from '../../support/fixtures.js';
import { Origin } from '../../support/origin.js';

const LIMIT = { timeout: 30_000 };
const REAL = new URL('../../../src/shard/loader-entry.js', import.meta.url);
const WEDGED = new URL('../../support/wedged-loader-entry.js', import.meta.url);

function pool(entry: URL, deadlineMs = 10_000): LoaderPool {
  const config = { ...forShards(defaults()), 'pumice.sources.allowPrivate': ['127.0.0.1'] };
  return new LoaderPool({ clock: systemClock, config, deadlineMs, entry });
}

/** A signal that is never aborted, a new one for each load as each request has its own. */
const never = (): AbortSignal => new AbortController().signal;

/** The first load that is not caught behind a stuck one, or the last that was within five seconds. */
async function freshThread(loaders: LoaderPool): Promise<LoadOutcome> {
  const until = performance.now() + 5_000;
  for (;;) {
    const outcome = await loaders.load('anything', never());
    if (outcome.kind !== 'error' || performance.now() > until) return outcome;
  }
}

t.test('forty loads at once all find their track', LIMIT, async (t) => {
  const loaders = pool(REAL);
  const origin = await Origin.start();
  t.teardown(() => Promise.all([loaders.close(), origin.close()]));
  const { bytes, contentType } = fixture('mp3', 2);
  origin.file('/a.mp3', { body: bytes, contentType });
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, (_, n) => loaders.load(origin.url(`/a.mp3?${String(n)}`), never())),
  );
  t.same([...new Set(outcomes.map(({ kind }) => kind))].sort(), ['empty']);
  const found = await Promise.all(
    Array.from({ length: 40 }, () => loaders.load(origin.url('/a.mp3'), never())),
  );
  t.same([...new Set(found.map(({ kind }) => kind))], ['track']);
});

t.test('a cancelled load rejects within 100 ms and lets go of its connection', LIMIT, async (t) => {
  const loaders = pool(REAL);
  const origin = await Origin.start();
  t.teardown(() => Promise.all([loaders.close(), origin.close()]));
  origin.silent('/silent');
  await loaders.load(origin.url('/warm-up'), never());
  const control = new AbortController();
  const load = loaders.load(origin.url('/silent'), control.signal);
  load.catch(() => undefined);
  while (origin.requestsFor('/silent').length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const began = performance.now();
  control.abort();
  await t.rejects(load);
  t.ok(performance.now() - began < 100);
  await origin.socketsGone();
});

t.test('a silent origin ends at the deadline with a coded outcome', LIMIT, async (t) => {
  const loaders = pool(REAL, 300);
  const origin = await Origin.start();
  t.teardown(() => Promise.all([loaders.close(), origin.close()]));
  origin.silent('/silent');
  t.match(await loaders.load(origin.url('/silent'), never()), {
    kind: 'error',
    error: { code: 'PUM_LOAD_DEADLINE' },
  });
});

t.test('a loader caught in a loop is ended, and the next load finds a fresh one', LIMIT, async (t) => {
  const loaders = pool(WEDGED, 300);
  t.teardown(() => loaders.close());
  const began = performance.now();
  t.match(await loaders.load('spin', never()), { kind: 'error', error: { code: 'PUM_LOAD_DEADLINE' } });
  t.ok(performance.now() - began >= 300);
  // It shares the thread with the stuck one, or waits for its end; either way it is answered.
  const next = await loaders.load('anything', never());
  t.ok(['empty', 'error'].includes(next.kind));
  t.match(await freshThread(loaders), { kind: 'empty' }, 'the stuck thread has been ended');
});

t.test(
  'a cancelled load that does not listen is answered at once, and its thread ended',
  LIMIT,
  async (t) => {
    const loaders = pool(WEDGED, 300);
    t.teardown(() => loaders.close());
    await loaders.load('warm-up', never());
    const control = new AbortController();
    const load = loaders.load('spin', control.signal);
    load.catch(() => undefined);
    const began = performance.now();
    control.abort();
    await t.rejects(load, { code: 'PUM_LOAD_FAILED' });
    t.ok(performance.now() - began < 100);
    // It waits for a turn on the stuck thread, in vain, or is given one of its own: either way it is answered.
    t.match((await loaders.load('anything', never())).kind, /^(error|empty)$/);
    t.match(await freshThread(loaders), { kind: 'empty' });
  },
);

t.test('a loader that dies costs the loads of its own thread only', LIMIT, async (t) => {
  const loaders = pool(WEDGED);
  t.teardown(() => loaders.close());
  // Of two that come at once each starts a thread.
  const other = loaders.load('slow', never());
  t.match(await loaders.load('exit', never()), { kind: 'error', error: { code: 'PUM_LOAD_FAILED' } });
  t.match(await loaders.load('anything', never()), { kind: 'empty' });
  t.match(await other, { kind: 'empty' });
});
