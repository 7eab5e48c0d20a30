// Written values into typed ones, by the row of their key (settings-and-metrics.md §1.2): durations, sizes,
// booleans, words, lists, bounds. Pure; main thread. Its messages never quote the value of a secret.
import { isIP } from 'node:net';
import type { ConfigValue, Row, Tree } from '../../shared/config-row.js';
import { ServerError } from '../../shared/errors.js';
import type { Raw } from './raw.js';
import { fold } from './raw.js';

export interface Converted {
  readonly value: ConfigValue;
  /** Why the value is not the written one, or null. */
  readonly adjusted: string | null;
}

/** The row's value. `undefined` stands for a value that counts as not given. Throws PUM_CONFIG_INVALID. */
export function convert(row: Row, raw: Raw): Converted | undefined {
  if (row.type === 'list') return plain(toList(row, raw));
  if (raw.kind !== 'scalar') throw wrong(row, null);
  const text = raw.text ?? '';
  if (text.trim() === '') {
    if (row.nullable) return plain(null);
    return raw.text !== null && row.default === '' ? plain('') : undefined;
  }
  switch (row.type) {
    case 'secret':
    case 'text':
      return plain(text);
    case 'path':
      return plain(text.replace(/^file:(?:\/\/(?=\/))?/i, ''));
    case 'boolean':
      return plain(toBoolean(row, text));
    case 'choice':
      return plain(toChoice(row, text));
    case 'integer':
    case 'number':
    case 'duration':
    case 'size':
    case 'bitrate':
      return toNumber(row, text.trim());
    case 'tree':
      return plain(toTree(raw));
  }
}

/** Throws unless a merged free value has the form of its row: a map, or a list of plugins. */
export function checkTree(row: Row, tree: Tree): void {
  if (Array.isArray(tree) === Array.isArray(row.default) && typeof tree === 'object' && tree !== null) return;
  throw invalid(`must be ${Array.isArray(row.default) ? 'a list of maps' : 'a map'}`);
}

const plain = (value: ConfigValue): Converted => ({ value, adjusted: null });

/** A free value; scalars are text. */
export function toTree(raw: Raw): Tree {
  if (raw.kind === 'scalar') return raw.text;
  if (raw.kind === 'list') return raw.items.map(toTree);
  return Object.fromEntries(raw.entries.map((entry) => [entry.key, toTree(entry.value)]));
}

function toList(row: Row, raw: Raw): readonly string[] {
  const items = listItems(row, raw);
  if (row.items === 'networks') {
    const bad = items.find((item) => !isNetwork(item));
    if (bad !== undefined) throw invalid(`${quote(bad)} is no address and no CIDR`);
  }
  return items;
}

function listItems(row: Row, raw: Raw): readonly string[] {
  if (raw.kind === 'map') throw wrong(row, null);
  if (raw.kind === 'list') {
    return raw.items.flatMap((item) => {
      if (item.kind !== 'scalar') throw wrong(row, null);
      return item.text === null ? [] : [item.text];
    });
  }
  return (raw.text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

function toBoolean(row: Row, text: string): boolean {
  const value = BOOLEANS.get(text.trim().toLowerCase());
  if (value === undefined) throw wrong(row, text);
  return value;
}

function toChoice(row: Row, text: string): string {
  const found = findChoice(row, text);
  if (found === null) throw wrong(row, text);
  return found;
}

/** The value of a choice that a word names, in any spelling, or null. */
export function findChoice(row: Row, word: string): string | null {
  const wanted = word.trim();
  const value = row.values.find((candidate) => fold(candidate) === fold(wanted));
  if (value !== undefined) return value;
  const synonym = wanted.toLowerCase();
  return Object.hasOwn(row.synonyms, synonym) ? (row.synonyms[synonym] ?? null) : null;
}

function toNumber(row: Row, text: string): Converted {
  const word = row.values.find((candidate) => fold(candidate) === fold(text));
  if (word !== undefined) return plain(word);
  const value = parseNumber(row, text);
  if (value === null || !Number.isSafeInteger(Math.trunc(value))) throw wrong(row, text);
  const { min, max, below, above, off } = row.range;
  if (off === true && value <= 0) return { value: 0, adjusted: value < 0 ? 'below 0 means off' : null };
  if (min !== undefined && value < min) return outside(row, text, below);
  if (max !== undefined && value > max) return outside(row, text, above);
  return plain(value);
}

function outside(row: Row, text: string, instead: number | undefined): Converted {
  const rule = `${quote(text)} is outside ${rangeText(row)}`;
  if (instead === undefined) throw invalid(rule);
  return { value: instead, adjusted: rule };
}

function parseNumber(row: Row, text: string): number | null {
  switch (row.type) {
    case 'number':
      return /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
    case 'duration':
      return parseDuration(text, row.unit === 's' ? 1_000 : 1);
    case 'size':
      return parseUnit(text, SIZES);
    case 'bitrate':
      return parseUnit(text, BITRATES);
    default:
      return /^[+-]?\d+$/.test(text) ? Number(text) : null;
  }
}

const KIB = 1024;
/** All of them powers of 1,024, as Spring has it. */
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: KIB,
  kib: KIB,
  mb: KIB ** 2,
  mib: KIB ** 2,
  gb: KIB ** 3,
  gib: KIB ** 3,
  tb: KIB ** 4,
  tib: KIB ** 4,
};
const BITRATES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1_000,
  kbps: 1_000,
  'kbit/s': 1_000,
  'bit/s': 1,
};
const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function parseUnit(text: string, units: Readonly<Record<string, number>>): number | null {
  const found = /^(\d+)\s*([a-z/]*)$/i.exec(text);
  const factor = found === null ? undefined : units[(found[2] ?? '').toLowerCase()];
  return factor === undefined ? null : Number(found?.[1]) * factor;
}

/** Milliseconds of `500ms`, `30s`, `PT1M30S` or a bare number of `unit` milliseconds; null if it is none. */
function parseDuration(text: string, unit: number): number | null {
  const simple = /^([+-]?\d+)\s*([a-z]*)$/i.exec(text);
  if (simple !== null) {
    const suffix = (simple[2] ?? '').toLowerCase();
    const factor = suffix === '' ? unit : DURATIONS[suffix];
    return factor === undefined ? null : Number(simple[1]) * factor;
  }
  const iso = /^([+-]?)P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(text);
  const parts: readonly (string | undefined)[] = iso?.slice(2) ?? [];
  if (iso === null || parts.every((part) => part === undefined)) return null;
  const [days, hours, minutes, seconds] = parts.map((part) => Number(part ?? 0));
  const total = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
  return Math.round(total * 1_000) * (iso[1] === '-' ? -1 : 1);
}

/** What a row takes, in words. */
export function typeText(row: Row): string {
  const or = row.values.length > 0 ? ` or ${row.values.join(', ')}` : '';
  switch (row.type) {
    case 'integer':
      return `a whole number${or}`;
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${row.values.join(', ')}`;
    case 'list':
      return row.items === 'networks' ? 'a list of addresses or CIDRs' : 'a list of texts';
    case 'duration':
      return `a duration such as 500ms, 30s or PT30S (a bare number counts ${row.unit === 's' ? 'seconds' : 'milliseconds'})`;
    case 'size':
      return 'a size such as 64KB or 10MB (a bare number counts bytes)';
    case 'bitrate':
      return 'a bit rate such as 128k (a bare number counts bits per second)';
    case 'path':
      return 'a path';
    case 'tree':
      return 'a map';
    default:
      return 'a text';
  }
}

/** The bounds of a row in the unit a person writes. */
function rangeText(row: Row): string {
  const show = (value: number): string => numberText(row, value);
  const { min, max } = row.range;
  if (max === undefined) return `${min === undefined ? '' : show(min)} and more`;
  return `${min === undefined ? '' : show(min)} to ${show(max)}`;
}

/** A number in its row's unit, `5000` as `5000 ms`. */
export function numberText(row: Row, value: number): string {
  if (row.type === 'duration') return `${value} ms`;
  if (row.type === 'size') return `${value} bytes`;
  if (row.type === 'bitrate') return `${value} bit/s`;
  return String(value);
}

const quote = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

const invalid = (reason: string): ServerError => new ServerError('PUM_CONFIG_INVALID', { reason });

function wrong(row: Row, text: string | null): ServerError {
  const given = text === null || row.secret ? '' : `, not ${quote(text)}`;
  return invalid(`must be ${typeText(row)}${given}`);
}
