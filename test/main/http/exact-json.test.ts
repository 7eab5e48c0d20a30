// Claims about client JSON whose integers do not fit a JavaScript number.
import fc from 'fast-check';
import t from 'tap';
import { readExactJson } from '../../../src/main/http/exact-json.js';
import { writeJson } from '../../../src/shared/json.js';

const read = (text: string): unknown => readExactJson(Buffer.from(text));

t.test('integers beyond 2^53 come back digit by digit', { timeout: 10_000 }, (t) => {
  const text =
    '{"a":9223372036854775807,"b":[-12345678901234567890],"c":"12345678901234567890","d":1234567890123456}';
  t.equal(writeJson(read(text)), text);
  t.strictSame(read('12345678901234567890'), 12345678901234567890n);
  t.end();
});

t.test('what is no integer stays a number, and strings stay strings', { timeout: 10_000 }, (t) => {
  t.equal(read('12345678901234567890.5'), JSON.parse('12345678901234567890.5'));
  t.equal(read('12345678901234567890e3'), JSON.parse('12345678901234567890e3'));
  t.equal(read('0.12345678901234567890'), JSON.parse('0.12345678901234567890'));
  t.strictSame(read('["\\"12345678901234567890", "12345678901234567890\\\\"]'), [
    '"12345678901234567890',
    '12345678901234567890\\',
  ]);
  t.end();
});

t.test('a byte order mark does not matter', { timeout: 10_000 }, (t) => {
  t.strictSame(read('\ufeff{"a":12345678901234567890}'), { a: 12345678901234567890n });
  t.end();
});

/** Large integers as JSON.parse would have rounded them. */
function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, rounded(part)]));
}

t.test('apart from that it is JSON.parse', { timeout: 10_000 }, (t) => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      t.strictSame(rounded(read(text)), rounded(JSON.parse(text)));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('a megabyte of hostile text is answered in time', { timeout: 10_000 }, (t) => {
  const quotes = JSON.stringify('\\"1234567890123456'.repeat(50_000));
  t.equal(read(quotes), JSON.parse(quotes));
  t.throws(() => read('['.repeat(1_000_000)), { code: 'PUM_HTTP_BAD_REQUEST' });
  t.end();
});
