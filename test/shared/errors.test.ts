// The table of errors is whole: well formed, used, documented; and an error keeps its meaning, and nothing of
// our files, on its way through a port.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { ERRORS, type ErrorCode, ServerError } from '../../src/shared/errors.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const CODES = Object.keys(ERRORS) as ErrorCode[];

/** Codes that no file throws yet, each with the reason why the row stands all the same. */
const UNUSED: Partial<Record<ErrorCode, string>> = {};

t.test('every code has the form PUM_AREA_WHAT', { timeout: 10_000 }, (t) => {
  for (const code of CODES) t.match(code, /^PUM(_[A-Z0-9]+){2,}$/);
  t.end();
});

t.test('every row has a status of an error, a known severity and a message', { timeout: 10_000 }, (t) => {
  for (const code of CODES) {
    const { status, severity, message } = ERRORS[code];
    t.ok(Number.isInteger(status) && status >= 400 && status <= 599, `${code}: status ${status}`);
    t.ok(['common', 'suspicious', 'fault'].includes(severity), `${code}: severity ${severity}`);
    t.ok(message.length > 0 && !/[{}]/.test(message.replace(/\{\w+\}/g, '')), `${code}: message ${message}`);
  }
  t.end();
});

t.test('docs/errors.md lists exactly the rows of the table', { timeout: 10_000 }, (t) => {
  const documented = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `PUM_'));
  const expected = CODES.map((code) => {
    const { status, severity, message } = ERRORS[code];
    return `| \`${code}\` | ${status} | ${severity} | ${message.replaceAll('|', '\\|')} |`;
  });
  t.strictSame(documented, expected, 'node scripts/docs-tables.mjs --write makes them equal');
  t.end();
});

t.test('every code is used in src, but for those that say why they are not', { timeout: 10_000 }, (t) => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.c?ts$/.test(file) && !file.endsWith(join('shared', 'errors.ts')))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'));
  const used = new Set(files.flatMap((text) => text.match(/\bPUM_[A-Z0-9_]+\b/g) ?? []));
  t.strictSame(
    CODES.filter((code) => !used.has(code)),
    CODES.filter((code) => Object.hasOwn(UNUSED, code)),
    'the unused codes are those of the list UNUSED',
  );
  t.end();
});

t.test('parameters fill the message, and one that is not given stays visible', { timeout: 10_000 }, (t) => {
  const full = new ServerError('PUM_HTTP_NOT_FOUND', { method: 'GET', path: '/v9' });
  t.equal(full.message, 'No endpoint GET /v9.');
  t.equal(full.status, 404);
  t.equal(full.severity, 'common');
  t.equal(new ServerError('PUM_HTTP_NOT_FOUND', { method: 'GET' }).message, 'No endpoint GET {path}.');
  t.equal(new ServerError('PUM_HTTP_DEADLINE', { ms: 0 }).message, 'No answer within 0 ms');
  t.end();
});

t.test('a parameter that looks like a template is not filled in again', { timeout: 10_000 }, (t) => {
  const error = new ServerError('PUM_HTTP_NOT_FOUND', { method: '{path}', path: '$&{method}' });
  t.equal(error.message, 'No endpoint {path} $&{method}.');
  t.end();
});

t.test('the chain names every cause, nearest first', { timeout: 10_000 }, (t) => {
  const socket = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const middle = new ServerError('PUM_SOURCE_CONNECT', {}, new TypeError('fetch failed', { cause: socket }));
  const error = new ServerError('PUM_LOAD_FAILED', {}, middle);
  t.strictSame(error.chain(), [
    'PUM_LOAD_FAILED: Something went wrong while looking up the track.',
    'PUM_SOURCE_CONNECT: Connecting to the URL failed.',
    'TypeError: fetch failed',
    'ECONNREFUSED: connect ECONNREFUSED',
  ]);
  t.strictSame(new ServerError('PUM_LOAD_FAILED', {}, 'a string').chain().slice(1), ['a string']);
  t.end();
});

t.test('neither chain nor shape contains a file name or a line number', { timeout: 10_000 }, (t) => {
  const error = new ServerError(
    'PUM_HTTP_INTERNAL',
    { reason: 'x' },
    new RangeError('deep', { cause: new Error('deeper') }),
  );
  const visible = JSON.stringify([
    error.chain(),
    error.toShape(),
    ServerError.fromShape(error.toShape()).chain(),
  ]);
  t.match(error.stack, /errors\.test/, 'the stack itself has them');
  t.notMatch(visible, /errors\.test|file:\/\/|node:internal|\bat |:\d+:\d+/);
  t.end();
});

t.test('an error that crossed a port says the same as the one that was sent', { timeout: 20_000 }, (t) => {
  const parameter = fc.oneof(fc.string({ maxLength: 20 }), fc.integer());
  const thrown = fc.letrec<{ cause: unknown }>((tie) => ({
    cause: fc.oneof(
      { depthSize: 'small' },
      fc.constant(undefined),
      fc.string(),
      fc.tuple(fc.string(), tie('cause')).map(([text, cause]) => new Error(text, { cause })),
      fc
        .tuple(fc.constantFrom(...CODES), tie('cause'))
        .map(([code, cause]) => new ServerError(code, {}, cause)),
    ),
  })).cause;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.constantFrom(...CODES),
        fc.dictionary(fc.constantFrom('reason', 'limit', 'ms', 'path', 'method'), parameter, {
          noNullPrototype: true,
        }),
        thrown,
        (code, parameters, cause) => {
          const sent = new ServerError(code, parameters, cause);
          const shape = structuredClone(sent.toShape());
          const received = ServerError.fromShape(shape);
          assert.equal(received.message, sent.message);
          assert.equal(received.status, sent.status);
          assert.deepEqual(received.chain(), sent.chain());
          assert.deepEqual(received.toShape(), sent.toShape(), 'so it may cross the next one too');
          assert.ok(received instanceof ServerError);
        },
      ),
      { numRuns: 200 },
    ),
  );
  t.end();
});

t.test(
  'a ServerError passes through `from` as it is, anything else becomes the cause',
  { timeout: 10_000 },
  (t) => {
    const known = new ServerError('PUM_NO_SHARD');
    t.equal(ServerError.from(known, 'PUM_HTTP_INTERNAL'), known);
    const unknown = ServerError.from(new Error('boom'), 'PUM_HTTP_INTERNAL', { reason: 'it broke' });
    t.equal(unknown.code, 'PUM_HTTP_INTERNAL');
    t.strictSame(unknown.chain(), ['PUM_HTTP_INTERNAL: Request processing failed: it broke', 'Error: boom']);
    t.end();
  },
);
