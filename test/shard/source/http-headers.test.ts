// Reading the header fields of an origin that may write anything.

import fc from 'fast-check';
import t from 'tap';

import {
  contentRangeOf,
  contentTypeOf,
  extensionOf,
  headerOf,
  isIcy,
  isPlain,
  lengthOf,
  stationOf,
  unsatisfiedSizeOf,
  validatorOf,
} from '../../../src/shard/source/http-headers.js';

const limit = { timeout: 10_000 };

t.test('a repeated or blank field is read as its first value or as absent', limit, async (t) => {
  t.equal(headerOf({ a: ['x', 'y'] }, 'a'), 'x');
  t.equal(headerOf({ a: '  ' }, 'a'), null);
  t.equal(headerOf({}, 'a'), null);
});

t.test('a length is a whole number or unknown', limit, async (t) => {
  t.equal(lengthOf({ 'content-length': '0' }), 0);
  t.equal(lengthOf({ 'content-length': '123456789012' }), 123_456_789_012);
  for (const bad of ['-1', '1.5', '1e3', '0x10', 'many', '12345678901234567890', '1, 1']) {
    t.equal(lengthOf({ 'content-length': bad }), null, bad);
  }
});

t.test('a content range is believed only when it makes sense', limit, async (t) => {
  t.same(contentRangeOf({ 'content-range': 'bytes 5-9/10' }), { from: 5, size: 10 });
  t.same(contentRangeOf({ 'content-range': 'bytes 0-0/*' }), { from: 0, size: null });
  for (const bad of [
    'bytes 5-9/9',
    'bytes 9-5/10',
    'bytes */10',
    'items 0-1/2',
    'bytes 0-1',
    '',
    'bytes -1-2/3',
  ]) {
    t.equal(contentRangeOf({ 'content-range': bad }), null, bad);
  }
  t.equal(unsatisfiedSizeOf({ 'content-range': 'bytes */10' }), 10);
  t.equal(unsatisfiedSizeOf({ 'content-range': 'bytes 0-1/10' }), null);
});

t.test('any sensible content range is read back as written', limit, async () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (from, more, rest) => {
      const range = contentRangeOf({
        'content-range': `bytes ${from}-${from + more}/${from + more + 1 + rest}`,
      });
      return range?.from === from && range.size === from + more + 1 + rest;
    }),
    { numRuns: 200 },
  );
});

t.test('a media type loses its parameters and its case', limit, async (t) => {
  t.equal(contentTypeOf({ 'content-type': 'Audio/MPEG; charset=x' }), 'audio/mpeg');
  t.equal(contentTypeOf({ 'content-type': ';' }), null);
});

t.test('only identity is plain', limit, async (t) => {
  t.ok(isPlain({}));
  t.ok(isPlain({ 'content-encoding': 'Identity' }));
  for (const coding of ['gzip', 'br', 'identity, gzip', 'x'])
    t.notOk(isPlain({ 'content-encoding': coding }), coding);
});

t.test('a weak tag is no validator, a date is', limit, async (t) => {
  t.equal(validatorOf({ etag: '"a"', 'last-modified': 'b' }), '"a"');
  t.equal(validatorOf({ etag: 'W/"a"', 'last-modified': 'b' }), 'b');
  t.equal(validatorOf({ etag: 'W/"a"' }), null);
});

t.test('a radio is known by its fields and names itself', limit, async (t) => {
  t.ok(isIcy({ 'icy-br': '128' }));
  t.notOk(isIcy({ icy: '1' }));
  t.same(stationOf({ 'icy-name': 'A', 'icy-url': 'u' }), { title: 'A', author: 'u' });
  t.same(stationOf({ 'icy-description': 'd', 'icy-url': 'u' }), { title: null, author: 'd' });
  t.equal(stationOf({ 'icy-name': 'x'.repeat(10_000) }).title?.length, 512);
});

t.test('an extension is that of the last segment', limit, async (t) => {
  t.equal(extensionOf('/a.b/c.MP3'), 'mp3');
  for (const path of ['/a.b/c', '/', '', '/a.', '/a.verylongextension', '.'])
    t.equal(extensionOf(path), null, path);
});
