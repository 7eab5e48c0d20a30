// Error bodies against Spring's form, field by field.
import t from 'tap';

import type { RequestLine } from '../../../src/main/http/engine.js';
import { errorReply, type ErrorRendering } from '../../../src/main/http/error-body.js';
import { reasonPhrase } from '../../../src/main/http/status.js';
import { ERRORS, ServerError } from '../../../src/shared/errors.js';
import { ManualClock } from '../../support/manual-clock.js';

const timeout = 10_000;
const rendering: ErrorRendering = { clock: new ManualClock(0, 1_700_000_000_123), traces: false };

function line(query = ''): RequestLine {
  return { method: 'GET', path: '/v4/sessions/x/players', query };
}

function bodyOf(
  error: ServerError,
  query = '',
  options: Partial<ErrorRendering> = {},
): Record<string, unknown> {
  const { body } = errorReply(error, line(query), { ...rendering, ...options });
  return JSON.parse(String(body)) as Record<string, unknown>;
}

void t.test('an error body has the fields of Spring in their order', { timeout }, async (t) => {
  const reply = errorReply(new ServerError('PUM_SESSION_NOT_FOUND'), line(), rendering);
  t.same(reply, {
    status: 404,
    headers: { 'Content-Type': 'application/json' },
    body:
      '{"timestamp":1700000000123,"status":404,"error":"Not Found",' +
      '"message":"Session not found","path":"/v4/sessions/x/players"}',
  });
});

void t.test('a missing or wrong password is a status without a body', { timeout }, async (t) => {
  for (const [code, status] of [
    ['PUM_AUTH_MISSING', 401],
    ['PUM_AUTH_WRONG', 403],
  ] as const) {
    t.same(errorReply(new ServerError(code), line('trace=true'), rendering), {
      status,
      headers: {},
      body: '',
    });
  }
});

void t.test('another 403 has a body', { timeout }, async (t) => {
  t.equal(bodyOf(new ServerError('PUM_SOURCE_REFUSED', { reason: 'private' }))['error'], 'Forbidden');
});

void t.test(
  'the trace is there only when asked for, and shows codes and messages',
  { timeout },
  async (t) => {
    const error = new ServerError('PUM_TOKEN_INVALID', { reason: 'cut' }, new TypeError('odd'));
    for (const query of ['trace', 'trace=true', 'a=b&trace=1']) {
      const body = bodyOf(error, query);
      t.equal(
        body['trace'],
        'PUM_TOKEN_INVALID: The encoded track is damaged: cut\nCaused by: TypeError: odd',
        query,
      );
      t.same(Object.keys(body), ['timestamp', 'status', 'error', 'trace', 'message', 'path']);
    }
    for (const query of ['', 'trace=false', 'trace=FALSE', 'xtrace=true']) {
      t.notOk('trace' in bodyOf(error, query), query);
    }
  },
);

void t.test('files and lines are shown only when configuration allows it', { timeout }, async (t) => {
  const error = new ServerError('PUM_NO_SHARD');
  t.notMatch(bodyOf(error, 'trace')['trace'], /\.[jt]s/);
  t.match(bodyOf(error, 'trace', { traces: true })['trace'], /error-body\.test\.[jt]s:\d+/);
});

void t.test("Spring's inclusion settings are kept", { timeout }, async (t) => {
  const error = new ServerError('PUM_NO_SHARD');
  t.ok('trace' in bodyOf(error, '', { includeTrace: 'always' }));
  t.notOk('trace' in bodyOf(error, 'trace', { includeTrace: 'never' }));
  t.notOk('message' in bodyOf(error, '', { includeMessage: 'never' }));
  t.notOk('message' in bodyOf(error, '', { includeMessage: 'on_param' }));
  t.equal(bodyOf(error, 'message', { includeMessage: 'on_param' })['message'], 'No shard is ready');
  t.equal(bodyOf(error, '', { includeException: true })['exception'], 'PUM_NO_SHARD');
});

void t.test('an empty message says so', { timeout }, async (t) => {
  const error = new ServerError('PUM_HTTP_BAD_REQUEST', { reason: '' });
  t.equal(bodyOf(error)['message'], 'No message available');
});

void t.test('every status of the error table has its phrase', { timeout }, async (t) => {
  for (const { status } of Object.values(ERRORS)) t.notMatch(reasonPhrase(status), /^Status/);
});
