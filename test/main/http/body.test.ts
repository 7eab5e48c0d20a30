// Claims about taking a JSON body (lavalink-v4.md §1.1; reliability.md case 25).
import t from 'tap';
import { jsonBody } from '../../../src/main/http/body.js';

const request = (type: string | null, body: string | Uint8Array) => ({
  header: (name: string) => (name === 'content-type' ? type : null),
  body: Buffer.from(body),
});

t.test('JSON of every media type for it is taken, in UTF-8', { timeout: 10_000 }, (t) => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/problem+json']) {
    t.strictSame(jsonBody(request(type, '{"a":"é"}')), { a: 'é' }, type);
  }
  t.end();
});

t.test('another media type, or none, is 415', { timeout: 10_000 }, (t) => {
  for (const type of [null, '', 'text/plain', 'application/jsonp', 'application/x-www-form-urlencoded']) {
    t.throws(() => jsonBody(request(type, '{}')), { code: 'PUM_HTTP_MEDIA_TYPE', status: 415 });
  }
  t.end();
});

t.test('nothing, no JSON, no UTF-8 and too deep nesting are 400', { timeout: 10_000 }, (t) => {
  for (const body of [
    '',
    '{',
    'NaN',
    Buffer.from([0x22, 0xff, 0x22]),
    '['.repeat(10_000) + ']'.repeat(10_000),
  ]) {
    t.throws(() => jsonBody(request('application/json', body)), {
      code: 'PUM_HTTP_BAD_REQUEST',
      status: 400,
    });
  }
  t.end();
});

t.test('no prototype is touched', { timeout: 10_000 }, (t) => {
  const body = jsonBody(request('application/json', '{"__proto__":{"polluted":12345678901234567890}}'));
  t.equal((body as { polluted?: unknown }).polluted, undefined);
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
  t.end();
});
