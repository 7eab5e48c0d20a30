// The loader's task from end to end: a real origin, a real container, a real token. Everything speaks to
// 127.0.0.1.

import { once } from 'node:events';
import { MessageChannel, threadId } from 'node:worker_threads';
import t from 'tap';

import { defaults, forShards, type ShardConfig } from '../../src/shared/config.js';
import { decodeTrack } from '../../src/shared/track-token.js';
import loadTask from '../../src/shard/loader-entry.js';
import { FIXTURE_ARTIST, FIXTURE_TITLE, fixture } from '../support/fixtures.js';
import { Origin } from '../support/origin.js';

const limit = { timeout: 30_000 };

const config = (changes: Partial<ShardConfig> = {}): ShardConfig => ({
  ...forShards(defaults()),
  'pumice.sources.allowPrivate': ['127.0.0.1'],
  ...changes,
});

type Request = Readonly<{ identifier: string; deadlineMs: number; config: ShardConfig }>;

/** As main calls it: with a port that hears the thread's number, and that may take the load back. */
function load(request: Request): ReturnType<typeof loadTask> {
  return loadTask({ ...request, cancel: new MessageChannel().port2, nice: null });
}

t.test('a file at an origin becomes a track with its tags and its length', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  for (const name of ['mp3', 'oggOpus', 'flac'] as const) {
    const { bytes, contentType } = fixture(name);
    origin.file(`/${name}`, { body: bytes, contentType });
    const outcome = await load({ identifier: origin.url(`/${name}`), deadlineMs: 10_000, config: config() });
    if (outcome.kind !== 'track') {
      t.fail(`${name}: ${JSON.stringify(outcome)}`);
      continue;
    }
    const { info } = decodeTrack(outcome.token);
    t.match(info, {
      title: FIXTURE_TITLE,
      author: FIXTURE_ARTIST,
      sourceName: 'http',
      isStream: false,
      isSeekable: true,
    });
    t.equal(info.uri, origin.url(`/${name}`));
    t.ok(info.length > 500n && info.length < 600_000n, `${info.length}`);
    t.ok(origin.requestsFor(`/${name}`).length <= 3, 'few requests');
  }
  await origin.socketsGone();
});

t.test('a private address is an error outcome unless it is allowed', limit, async (t) => {
  const outcome = await load({
    identifier: 'http://127.0.0.1:9/',
    deadlineMs: 1_000,
    config: config({ 'pumice.sources.allowPrivate': [] }),
  });
  t.match(outcome, {
    kind: 'error',
    error: { code: 'PUM_SOURCE_REFUSED', parameters: { reason: 'loopback' } },
  });
});

t.test('the deadline holds against an origin that says nothing', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.silent('/silent');
  const outcome = await load({ identifier: origin.url('/silent'), deadlineMs: 200, config: config() });
  t.match(outcome, { kind: 'error', error: { code: 'PUM_LOAD_DEADLINE', parameters: { ms: 200 } } });
  await origin.socketsGone();
});

t.test('what is no audio is an unknown format, and what is missing is empty', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/text', { body: Buffer.from('hello '.repeat(1_000)), contentType: 'text/plain' });
  const outcome = await load({ identifier: origin.url('/text'), deadlineMs: 5_000, config: config() });
  t.match(outcome, { kind: 'error', error: { code: 'PUM_FORMAT_UNKNOWN' } });
  t.same(await load({ identifier: origin.url('/missing'), deadlineMs: 5_000, config: config() }), {
    kind: 'empty',
  });
  t.same(await load({ identifier: 'ytsearch:x', deadlineMs: 5_000, config: config() }), { kind: 'empty' });
  await origin.socketsGone();
});

t.test('main learns the thread, and can take a load back', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.silent('/silent');
  const { port1, port2 } = new MessageChannel();
  const outcome = loadTask({
    identifier: origin.url('/silent'),
    nice: null,
    deadlineMs: 10_000,
    config: config(),
    cancel: port2,
  });
  t.same(await once(port1, 'message'), [threadId]);
  port1.postMessage('cancel');
  t.match(await outcome, { kind: 'error', error: { code: 'PUM_LOAD_FAILED' } });
  await origin.socketsGone();
});
