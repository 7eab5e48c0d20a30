// Modified UTF-8 in both directions.
import fc from 'fast-check';
import t from 'tap';

import { javaTextLength, readJavaText, writeJavaText } from '../../src/shared/java-text.js';

const timeout = 10_000;

const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

function written(text: string): Uint8Array {
  const bytes = new Uint8Array(javaTextLength(text));
  t.equal(writeJavaText(text, bytes, 0), bytes.length);
  return bytes;
}

void t.test('zero and supplementary characters have the forms of DataOutput', { timeout }, async (t) => {
  for (const [text, hex] of [
    ['\0', 'c080'],
    ['T\u00e9\u20ac', '54c3a9e282ac'],
    ['\ud83c\udfb5', 'eda0bcedbeb5'],
    ['\ud800', 'eda080'],
    ['\u007f\u0080\u07ff\u0800\uffff', '7fc280dfbfe0a080efbfbf'],
  ] as const) {
    t.equal(Buffer.from(written(text)).toString('hex'), hex);
  }
});

void t.test('any text, lone surrogates included, comes back unchanged', { timeout }, async () => {
  fc.assert(
    fc.property(anyText, (text) => readJavaText(written(text)) === text),
    { numRuns: 300 },
  );
});

void t.test('a text longer than one batch comes back unchanged', { timeout }, async (t) => {
  const text = 'na\u00efve \ud83c\udfb5 '.repeat(5_000);
  t.equal(readJavaText(written(text)), text);
});

void t.test('characters cut off and forms of four bytes are malformed', { timeout }, async (t) => {
  for (const hex of ['c3', 'e282', 'c341', 'e28241', '80', 'f09f8eb5', 'ff', 'e2c3a9']) {
    t.equal(readJavaText(Buffer.from(hex, 'hex')), null, hex);
  }
});

void t.test('plain zero bytes and over-long forms are read as Java reads them', { timeout }, async (t) => {
  t.equal(readJavaText(Uint8Array.of(0, 0xc1, 0x81)), '\0A');
});
