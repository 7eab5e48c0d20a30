// JSON as the Lavalink protocol needs it: a writer that prints int64 exactly (lavalink-v4.md §0) and a reader
// for untrusted bytes with a ceiling on depth (reliability.md case 25). Every thread; pure functions.
import { ServerError } from './errors.js';
import { EDGE } from './limits.js';

/**
 * Text of a value: a bigint as an integer literal, NaN and infinities as null, keys without a value left out;
 * else what JSON.stringify prints. Objects are taken by their own enumerable keys. Throws TypeError for a value
 * that is no data, and RangeError for a cycle.
 */
export function writeJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value === 0 ? 0 : value) : 'null';
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'null';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value) : writeObject(value);
    default:
      throw new TypeError(`A ${typeof value} is no JSON`);
  }
}

function writeArray(values: readonly unknown[]): string {
  let text = '[';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ',';
    text += writeJson(values[index]);
  }
  return `${text}]`;
}

function writeObject(object: object): string {
  let text = '{';
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key)}:${writeJson(value)}`;
  }
  return `${text}}`;
}

/**
 * The number that prints as the shortest decimal which reads back to the same float32, as Java prints a Float:
 * 0.1 stays 0.1 instead of 0.10000000149011612, and 0.123456789 becomes 0.12345679.
 */
export function float32(value: number): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) return rounded;
  // Nine significant digits tell every float32 from its neighbours.
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(rounded.toPrecision(digits));
    if (Math.fround(short) === rounded) return short;
  }
  return Number(rounded.toPrecision(9));
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The value of untrusted JSON, given as UTF-8 bytes (a byte order mark is skipped) or as text. Own keys named
 * `__proto__` or `constructor` stay plain keys, so copy such objects with care. Throws PUM_HTTP_BAD_REQUEST
 * with a short reason: not UTF-8, nested deeper than `maxDepth`, or not JSON.
 */
export function readJson(input: Uint8Array | string, maxDepth: number = EDGE.maxJsonDepth): unknown {
  const text = typeof input === 'string' ? input : decode(input);
  // Before the parser, which recurses.
  if (depth(text) > maxDepth) throw refuse(`JSON is nested deeper than ${maxDepth} levels`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw refuse('The body is not JSON', error);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw refuse('The body is not UTF-8', error);
  }
}

function refuse(reason: string, cause?: unknown): ServerError {
  return new ServerError('PUM_HTTP_BAD_REQUEST', { reason }, cause);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Deepest nesting of brackets outside strings; right for every valid text, finite for any other. */
function depth(text: string): number {
  let level = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (code === 0x5b || code === 0x7b) {
      level++;
      if (level > deepest) deepest = level;
    } else if (code === 0x5d || code === 0x7d) {
      level--;
    }
  }
  return deepest;
}
