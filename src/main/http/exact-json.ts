// JSON of a client with its large integers kept: JSON.parse rounds what lies beyond 2^53, and an int64 that a
// client sends (a position, a number in userData) has to come back as it was. Pure; used by body.ts.
import { randomBytes } from 'node:crypto';
import { readJson } from '../../shared/json.js';

/** Integers of that many digits may not fit a JavaScript number. */
const LONG_INTEGER = /\d{16}/;
/** A string, or a long integer outside one. A number with a fraction or an exponent is no integer. */
const TOKEN = /"(?:[^"\\]+|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;
/** Beyond this many digits it fits no field and is left to the parser. */
const MAX_DIGITS = 400;

/** Marks a text as an integer between the two passes; random, so that no client can write it. */
const MARK = `integer ${randomBytes(16).toString('hex')} `;

/** Like readJson, but integers beyond 2^53 are bigints. Throws PUM_HTTP_BAD_REQUEST. */
export function readExactJson(input: Uint8Array): unknown {
  const value = readJson(input);
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  if (!LONG_INTEGER.test(text)) return value;
  let found = false;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || token.length > MAX_DIGITS || Number.isSafeInteger(Number(token))) {
      return token;
    }
    found = true;
    return `"${MARK}${token}"`;
  });
  return found ? withIntegers(readJson(marked)) : value;
}

function withIntegers(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value;
  }
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== 'object' || value === null) return value;
  // fromEntries defines each key as the object's own, so one called __proto__ stays a plain key.
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withIntegers(part)]));
}
