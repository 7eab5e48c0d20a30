// The JSON writer against JSON.stringify and the reader against JSON.parse and JSON bombs.
import fc from 'fast-check';
import t from 'tap';

import { float32, readJson, writeJson } from '../../src/shared/json.js';
import { UNKNOWN_LENGTH } from '../../src/shared/track.js';

const timeout = 10_000;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

void t.test('any JSON value is written as JSON.stringify writes it', { timeout }, async (t) => {
  const value = fc.anything({ withNullPrototype: true, withSparseArray: true });
  fc.assert(
    fc.property(value, (value) => {
      t.equal(writeJson({ value }), JSON.stringify({ value }));
    }),
    { numRuns: 300 },
  );
});

void t.test('what is written reads back to the same value', { timeout }, async () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      return writeJson(readJson(utf8(writeJson(value)))) === text;
    }),
    { numRuns: 300 },
  );
});

void t.test('an int64 is printed digit by digit', { timeout }, async (t) => {
  t.equal(writeJson({ length: UNKNOWN_LENGTH }), '{"length":9223372036854775807}');
  fc.assert(fc.property(fc.bigInt(), (value) => writeJson([value]) === `[${value}]`));
});

void t.test('keys without a value are left out, order is kept', { timeout }, async (t) => {
  t.equal(writeJson({ b: 1, gone: undefined, a: null }), '{"b":1,"a":null}');
  t.equal(writeJson({ gone: undefined, a: [undefined] }), '{"a":[null]}');
  t.equal(writeJson(undefined), 'null');
});

void t.test('NaN and infinities are null and minus zero is 0', { timeout }, async (t) => {
  t.equal(writeJson([NaN, Infinity, -Infinity, -0]), '[null,null,null,0]');
});

void t.test('lone surrogates are escaped, so that the text has a UTF-8 form', { timeout }, async (t) => {
  t.equal(writeJson({ '\ud800': '\udfff' }), '{"\\ud800":"\\udfff"}');
});

void t.test('a function is a fault of the caller', { timeout }, async (t) => {
  t.throws(() => writeJson({ run: () => 0 }), TypeError);
});

void t.test('a float32 prints as the shortest decimal that reads back to it', { timeout }, async (t) => {
  for (const [given, printed] of [
    [0.1, '0.1'],
    [0.123456789, '0.12345679'],
    [-0.25, '-0.25'],
    [1, '1'],
    [16_777_217, '16777216'],
    [1e-45, '1e-45'],
    [0, '0'],
  ] as const) {
    t.equal(writeJson(float32(given)), printed);
  }
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (value) => {
      const printed = float32(value);
      if (Math.fround(printed) !== value) return false;
      const digits = (number: number) => number.toExponential().replace(/e.*|\D/g, '').length;
      return digits(printed) <= Math.min(9, digits(value));
    }),
    { numRuns: 300 },
  );
  t.ok(Number.isNaN(float32(NaN)));
  t.equal(float32(1e39), Infinity);
});

void t.test('any text that JSON.parse takes is read as JSON.parse reads it', { timeout }, async (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.same(readJson(utf8(text)), JSON.parse(text));
      t.same(readJson(text), JSON.parse(text));
    }),
    { numRuns: 150 },
  );
});

void t.test('random bytes and damaged JSON give PUM_HTTP_BAD_REQUEST or a value', { timeout }, async () => {
  const damaged = fc
    .tuple(fc.json(), fc.nat(), fc.nat(255))
    .map(([text, at, byte]) => utf8(text).with(at % utf8(text).length, byte));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged), (bytes) => {
      try {
        readJson(bytes);
        return true;
      } catch (error) {
        return (error as { code?: unknown }).code === 'PUM_HTTP_BAD_REQUEST';
      }
    }),
    { numRuns: 300 },
  );
});

void t.test('64 levels pass and 65 do not, whatever stands in strings', { timeout }, async (t) => {
  const nested = (levels: number) => `${'['.repeat(levels)}"]]}}\\"[[{{"${']'.repeat(levels)}`;
  t.ok(Array.isArray(readJson(utf8(nested(64)))));
  t.throws(() => readJson(utf8(nested(65))), { code: 'PUM_HTTP_BAD_REQUEST', message: /deeper than 64/ });
  const objects = `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`;
  t.throws(() => readJson(utf8(objects)), { message: /deeper than 64/ });
  t.equal(typeof readJson(utf8(objects), 65), 'object');
});

void t.test('a mebibyte of brackets is refused without recursion', { timeout }, async (t) => {
  for (const bracket of ['[', '{"a":', '[[]']) {
    const bomb = utf8(bracket.repeat(1_048_576 / bracket.length));
    t.throws(() => readJson(bomb), { code: 'PUM_HTTP_BAD_REQUEST', message: /deeper/ });
  }
});

void t.test('keys that name a prototype stay plain keys', { timeout }, async (t) => {
  const value = readJson(utf8('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
  t.equal(Object.getPrototypeOf(value), Object.prototype);
  t.same(Object.keys(value as object), ['__proto__', 'constructor']);
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
  t.equal(writeJson(value), '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
});

void t.test('malformed UTF-8 is refused and a byte order mark skipped', { timeout }, async (t) => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0xaf, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    t.throws(() => readJson(Uint8Array.from(bytes)), { code: 'PUM_HTTP_BAD_REQUEST', message: /UTF-8/ });
  }
  t.equal(readJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)), 1);
});
