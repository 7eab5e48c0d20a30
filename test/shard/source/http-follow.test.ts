// Redirects, hop by hop, each through the guard. Everything speaks to 127.0.0.1. Reliability case 33.

import t from 'tap';

import { SOURCE } from '../../../src/shared/limits.js';
import { failure, never, opened, readAll, testSource } from '../../support/http-source.js';
import { Origin } from '../../support/origin.js';

const limit = { timeout: 10_000 };

t.test('a redirect is followed, and the final address is the location', limit, async (t) => {
  const origin = await Origin.start();
  const other = await Origin.start();
  t.teardown(() => Promise.all([origin.close(), other.close()]));
  other.file('/final.mp3', Uint8Array.of(1, 2, 3));
  for (const status of [301, 302, 303, 307, 308]) {
    origin.redirect('/start', other.url('/final.mp3'), status);
    const media = await opened(testSource(), origin.url('/start'));
    t.equal(media.location, other.url('/final.mp3'), `${status}`);
    t.equal(media.hint.extension, 'mp3');
    t.equal((await readAll(media)).length, 3);
    media.bytes.close();
  }
  for (const { headers } of other.requests) {
    t.notOk(headers.authorization ?? headers.cookie ?? headers.referer, 'nothing is carried across origins');
  }
});

t.test('a relative redirect is read against the address that gave it', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.redirect('/a/b', '../c/d.ogg?x#y');
  origin.file('/c/d.ogg?x', Uint8Array.of(1));
  const media = await opened(testSource(), origin.url('/a/b'));
  t.equal(media.location, origin.url('/c/d.ogg?x'));
  media.bytes.close();
});

t.test('a redirect to a private address or another scheme is refused at its hop', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  const targets = [
    'http://127.0.0.2/',
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://2130706434/',
    '//127.0.0.2/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'data:audio/mpeg;base64,SUQz',
    'gopher://127.0.0.1/',
    'http://user:password@example.com/',
    'http://inside.example.com/',
  ];
  for (const [index, target] of targets.entries()) {
    origin.redirect(`/${index}`, target);
    origin.redirect(`/twice/${index}`, origin.url(`/${index}`));
    const before = origin.connections;
    const source = testSource({ resolver: async () => ['127.0.0.2'] });
    t.equal(
      (await failure(source.resolve(origin.url(`/${index}`), never))).code,
      'PUM_SOURCE_REFUSED',
      target,
    );
    t.equal(
      (await failure(source.resolve(origin.url(`/twice/${index}`), never))).code,
      'PUM_SOURCE_REFUSED',
      target,
    );
    t.equal(origin.connections - before, 3);
  }
  await origin.socketsGone();
});

t.test('five hops are followed and the sixth is not', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  t.equal(SOURCE.maxRedirects, 5);
  for (let hop = 1; hop <= 6; hop++) origin.redirect(`/${hop}`, origin.url(`/${hop - 1}`));
  origin.file('/0', Uint8Array.of(1));
  const media = await opened(testSource(), origin.url('/5'));
  t.equal(media.location, origin.url('/0'));
  media.bytes.close();
  const error = await failure(testSource().resolve(origin.url('/6'), never));
  t.equal(error.code, 'PUM_SOURCE_REDIRECTS');
  t.equal(error.parameters['limit'], 5);
  t.equal(origin.requestsFor('/1').length, 2, 'the sixth hop is where it ends');
  t.equal(origin.requestsFor('/0').length, 1);
});

t.test('a circle of redirects is named as one', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.redirect('/self', '/self');
  origin.redirect('/a', '/b');
  origin.redirect('/b', '/c');
  origin.redirect('/c', '/a#elsewhere');
  for (const path of ['/self', '/a']) {
    const error = await failure(testSource().resolve(origin.url(path), never));
    t.equal(error.code, 'PUM_SOURCE_REDIRECTS');
    t.match(error.chain().join(), 'circle back to hop 1');
  }
  t.equal(origin.requests.length, 4);
});

t.test('a redirect without a place, or to nonsense, is not playable', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.status('/none', 302);
  origin.redirect('/nonsense', 'http://[');
  t.equal((await failure(testSource().resolve(origin.url('/none'), never))).code, 'PUM_SOURCE_STATUS');
  t.equal((await failure(testSource().resolve(origin.url('/nonsense'), never))).code, 'PUM_SOURCE_URL');
});
