// Claims about reading single JSON values as kotlinx-serialization reads them (lavalink-v4.md §0, §1.5).
import fc from 'fast-check';
import t from 'tap';
import {
  field,
  readBoolean,
  readDouble,
  readFloat,
  readInt,
  readLong,
  readString,
} from '../../../src/main/http/json-fields.js';

const refused = { code: 'PUM_HTTP_BAD_REQUEST', message: /^Bad Request: volume / };

t.test('whole numbers pass quoted, with an exponent, and as they are', { timeout: 10_000 }, (t) => {
  t.equal(readInt(50, 'volume'), 50);
  t.equal(readInt('50', 'volume'), 50);
  t.equal(readInt('-7', 'volume'), -7);
  t.equal(readInt('1e2', 'volume'), 100);
  t.equal(readInt('100e-2', 'volume'), 1);
  t.equal(readInt(JSON.parse('1e2'), 'volume'), 100);
  t.equal(readLong('9223372036854775807', 'volume'), 9223372036854775807n);
  t.equal(readLong(9223372036854775807n, 'volume'), 9223372036854775807n);
  t.equal(readLong('-9223372036854775808', 'volume'), -9223372036854775808n);
  t.end();
});

t.test('fractions, other types and what does not fit are refused by name', { timeout: 10_000 }, (t) => {
  const wrong = [
    1.5,
    '1.5',
    '1e-1',
    '1e999',
    '0x10',
    '',
    ' 5',
    null,
    true,
    [],
    {},
    2 ** 31,
    -(2 ** 31) - 1,
    NaN,
  ];
  for (const value of wrong) t.throws(() => readInt(value, 'volume'), refused, JSON.stringify(value));
  t.throws(() => readLong('9223372036854775808', 'volume'), refused);
  t.throws(() => readLong(`1${'0'.repeat(500)}`, 'volume'), refused);
  t.end();
});

t.test('every 32-bit number passes in every spelling', { timeout: 10_000 }, (t) => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      t.equal(readInt(value, 'volume'), value);
      t.equal(readInt(String(value), 'volume'), value);
      t.equal(readInt(`${value}e0`, 'volume'), value);
      t.equal(readLong(BigInt(value), 'volume'), BigInt(value));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('booleans pass quoted and in any letter case', { timeout: 10_000 }, (t) => {
  for (const value of [true, 'true', 'TRUE', 'True']) t.equal(readBoolean(value, 'volume'), true);
  for (const value of [false, 'false', 'FALSE']) t.equal(readBoolean(value, 'volume'), false);
  for (const value of [1, 0, 'yes', '', null, {}]) t.throws(() => readBoolean(value, 'volume'), refused);
  t.end();
});

t.test('a float is rounded to 32 bits and prints as Java prints it', { timeout: 10_000 }, (t) => {
  t.equal(readFloat(0.1, 'volume'), 0.1);
  t.equal(readFloat(0.123456789, 'volume'), 0.12345679);
  t.equal(readFloat('0.5', 'volume'), 0.5);
  t.equal(readFloat('1e3f', 'volume'), 1_000);
  t.equal(readDouble(0.123456789, 'volume'), 0.123456789);
  for (const value of ['NaN', 'Infinity', '1e999', 1e39, null, 'x', true, '']) {
    t.throws(() => readFloat(value, 'volume'), refused, String(value));
  }
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      t.equal(Math.fround(readFloat(value, 'volume')), value === 0 ? readFloat(value, 'volume') : value);
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('a string is a string, and only own fields are fields', { timeout: 10_000 }, (t) => {
  t.equal(readString('x', 'volume'), 'x');
  t.throws(() => readString(5, 'volume'), refused);
  t.throws(() => readString(null, 'volume'), refused);
  t.equal(field({}, 'constructor'), undefined);
  t.equal(field(JSON.parse('{"__proto__":1}') as Record<string, unknown>, '__proto__'), 1);
  t.end();
});
