// `${NAME}` and `${NAME:fallback}` inside values (settings-and-metrics.md §1.2). Pure: what a name stands for is
// an argument. Main thread, at start and at a reload.
import { ServerError } from '../../shared/errors.js';
import type { Raw } from './raw.js';

const MAX_DEPTH = 16;
/** Characters of one value after every name is replaced; names that hold names would grow without end. */
const MAX_LENGTH = 64 * 1024;

/** Names replaced in one value; each may hold further ones, so their number could grow without end as well. */
const MAX_REPLACEMENTS = 1_000;

/** The text of a name, or null where nothing has it. */
export type Lookup = (name: string) => string | null;

export type Unresolved = 'fail' | 'keep';

/** The value with every placeholder replaced. Throws PUM_CONFIG_INVALID naming the one that cannot be. */
export function expand(raw: Raw, lookup: Lookup, unresolved: Unresolved): Raw {
  if (raw.kind === 'scalar') {
    if (raw.text?.includes('${') !== true) return raw;
    return { ...raw, text: new Expansion(lookup, unresolved).text(raw.text, []) };
  }
  if (raw.kind === 'list')
    return { ...raw, items: raw.items.map((item) => expand(item, lookup, unresolved)) };
  const entries = raw.entries.map((entry) => ({ ...entry, value: expand(entry.value, lookup, unresolved) }));
  return { ...raw, entries };
}

class Expansion {
  readonly #lookup: Lookup;
  readonly #unresolved: Unresolved;
  #replaced = 0;

  constructor(lookup: Lookup, unresolved: Unresolved) {
    this.#lookup = lookup;
    this.#unresolved = unresolved;
  }

  /** `inside` holds the names whose values are being expanded. */
  text(text: string, inside: readonly string[]): string {
    let result = '';
    let position = 0;
    for (;;) {
      const start = text.indexOf('${', position);
      const end = start === -1 ? -1 : closing(text, start + 2);
      if (end === -1) return bounded(result + text.slice(position));
      const value = this.#resolve(text.slice(start + 2, end), inside);
      result = bounded(result + text.slice(position, start) + value);
      position = end + 1;
    }
  }

  #resolve(body: string, inside: readonly string[]): string {
    const colon = body.indexOf(':');
    const name = (colon === -1 ? body : body.slice(0, colon)).trim();
    const fallback = colon === -1 ? null : body.slice(colon + 1);
    this.#replaced += 1;
    if (inside.includes(name)) throw invalid(`the placeholder \${${name}} refers to itself`);
    if (inside.length >= MAX_DEPTH || this.#replaced > MAX_REPLACEMENTS) {
      throw invalid(`the placeholder \${${name}} is nested too deeply`);
    }
    const found = this.#lookup(name);
    if (found !== null) return this.text(found, [...inside, name]);
    if (fallback !== null) return this.text(fallback, inside);
    if (this.#unresolved === 'keep') return `\${${body}}`;
    throw invalid(`the placeholder \${${name}} has no value and no fallback`);
  }
}

/** The brace that closes the one before `from`, or -1. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let index = from; index < text.length; index += 1) {
    if (text.startsWith('${', index)) depth += 1;
    else if (text[index] === '}') depth -= 1;
    if (depth === 0) return index;
  }
  return -1;
}

function bounded(text: string): string {
  if (text.length > MAX_LENGTH) throw invalid(`the value is longer than ${MAX_LENGTH} characters`);
  return text;
}

const invalid = (reason: string): ServerError => new ServerError('PUM_CONFIG_INVALID', { reason });
