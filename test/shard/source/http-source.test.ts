// The http source as the registry sees it: what it accepts, resolves, opens and refuses. Everything speaks to
// 127.0.0.1.

import t from 'tap';

import { UNKNOWN_LENGTH, type Track } from '../../../src/shared/track.js';
import { failure, never, opened, readAll, testSource } from '../../support/http-source.js';
import { Origin } from '../../support/origin.js';

const limit = { timeout: 10_000 };

const trackOf = (identifier: string): Track => ({
  info: {
    identifier,
    isSeekable: false,
    author: '',
    length: UNKNOWN_LENGTH,
    isStream: true,
    position: 0n,
    title: '',
    uri: identifier,
    sourceName: 'http',
    artworkUrl: null,
    isrc: null,
  },
  trailer: new Uint8Array(0),
});

t.test('http, https and icy are accepted, and nothing else', limit, async (t) => {
  const source = testSource();
  for (const url of ['http://a', 'https://a', 'icy://a', 'HTTP://A']) t.ok(source.accepts(url), url);
  for (const url of ['ftp://a', 'file:///a', 'http:a', 'a', '', 'ytsearch:http://a', ' http://a', '//a']) {
    t.notOk(source.accepts(url), url);
  }
});

t.test('what the origin says about itself is handed on', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/dir/Song.OGG?x=.mp3', {
    body: new Uint8Array(100),
    contentType: 'audio/ogg; codecs=opus',
    headers: { 'icy-name': 'Station', 'icy-description': 'All day' },
  });
  const url = origin.url('/dir/Song.OGG?x=.mp3');
  const media = await opened(testSource(), url);
  t.match(media, {
    hint: { contentType: 'audio/ogg', extension: 'ogg' },
    location: url,
    title: 'Station',
    author: 'All day',
    live: false,
  });
  media.bytes.close();
});

t.test('the location is the identifier as it was written, unless it was icy', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/a', new Uint8Array(1));
  const written = `HTTP://127.0.0.1:${origin.port}/a`;
  const media = await opened(testSource(), written);
  t.equal(media.location, written);
  media.bytes.close();
  const icy = await opened(testSource(), `icy://127.0.0.1:${origin.port}/a`);
  t.equal(icy.location, origin.url('/a'));
  icy.bytes.close();
});

t.test('404 is nothing, any other bad status is an error', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  t.equal(await testSource().resolve(origin.url('/missing'), never), null);
  for (const status of [204, 400, 401, 403, 410, 429, 500, 503]) {
    origin.status('/bad', status);
    const error = await failure(testSource().resolve(origin.url('/bad'), never));
    t.equal(error.code, 'PUM_SOURCE_STATUS');
    t.equal(error.parameters['status'], status);
  }
  for (const status of [200, 203]) {
    origin.file('/good', { body: new Uint8Array(1), status });
    (await opened(testSource(), origin.url('/good'))).bytes.close();
  }
  await origin.socketsGone();
});

t.test('a server error is asked about once more at play, and only then', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/moody', { body: Uint8Array.of(1, 2), statuses: [503] });
  const media = await testSource().open(trackOf(origin.url('/moody')), never);
  t.equal((await readAll(media)).length, 2);
  t.equal(origin.requests.length, 2);
  origin.status('/down', 500);
  t.equal((await failure(testSource().open(trackOf(origin.url('/down')), never))).parameters['status'], 500);
  t.equal(origin.requestsFor('/down').length, 2);
  origin.status('/forbidden', 403);
  await failure(testSource().open(trackOf(origin.url('/forbidden')), never));
  t.equal(origin.requestsFor('/forbidden').length, 1);
});

t.test('a track that has gone is not found at play, and the guard is asked again', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  t.equal(
    (await failure(testSource().open(trackOf(origin.url('/gone')), never))).code,
    'PUM_SOURCE_NOT_FOUND',
  );
  const strict = testSource({ allow: [] });
  t.equal((await failure(strict.open(trackOf(origin.url('/gone')), never))).code, 'PUM_SOURCE_REFUSED');
});

t.test('an abort while ranges are found out closes the body that is open already', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  const abort = new AbortController();
  origin.handle('/a', (request, response) => {
    if (request.headers.range !== undefined) return abort.abort(new Error('enough'));
    response.writeHead(200, { 'content-length': '1000000' });
    response.write(Buffer.alloc(1_000));
  });
  await t.rejects(testSource().resolve(origin.url('/a'), abort.signal), { message: 'enough' });
  await origin.socketsGone();
});
