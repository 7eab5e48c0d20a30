// The one file that knows the yaml package: text into scalars, lists and maps with positions. Every scalar stays
// text. Pure; main thread, at start and at a reload. Its messages never quote the file, which holds a password.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node, Scalar } from 'yaml';
import { ServerError } from '../../shared/errors.js';
import type { Findings } from './findings.js';
import type { Raw, RawEntry, RawMap, Where } from './raw.js';
import { scalar } from './raw.js';

const MAX_DEPTH = 64;
/** Nodes of a document, aliases counted at every use: `a: [*b, *b]` over and over would fill the memory. */
const MAX_NODES = 100_000;

/** The documents of a YAML (or JSON) text, in order; empty ones are left out. */
export function readYaml(text: string, source: string, findings: Findings): readonly RawMap[] {
  const lines = new LineCounter();
  const at = (offset: number): Where => {
    const { line, col } = lines.linePos(offset);
    return { source, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const found = parse(text, lines);
  if (found === null) {
    findings.problem(at(0), '', 'not readable as YAML: nested too deeply');
    return [];
  }
  const maps: RawMap[] = [];
  for (const document of found) {
    for (const error of document.errors) {
      findings.problem(at(error.pos[0]), '', `not readable as YAML: ${sentence(error.message)}`);
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    const raw = new Conversion(document, at, findings).root();
    if (raw === null || (raw.kind === 'scalar' && raw.text === null)) continue;
    if (raw.kind === 'map') maps.push(raw);
    else findings.problem(raw.where, '', 'must hold keys and values');
  }
  return maps;
}

function parse(text: string, lineCounter: LineCounter): readonly Document.Parsed[] | null {
  try {
    const documents = parseAllDocuments(text, {
      lineCounter,
      schema: 'failsafe',
      stringKeys: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    return 'empty' in documents ? [] : documents;
  } catch {
    // The parser recurses; only text nested some thousand levels deep brings it here.
    return null;
  }
}

/** The parser's message up to the point where it begins to quote. */
const sentence = (message: string): string => message.split(/: |"|\n/, 1)[0]?.trim() ?? message;

class Conversion {
  readonly #document: Document.Parsed;
  readonly #at: (offset: number) => Where;
  readonly #findings: Findings;
  #nodes = 0;

  constructor(document: Document.Parsed, at: (offset: number) => Where, findings: Findings) {
    this.#document = document;
    this.#at = at;
    this.#findings = findings;
  }

  /** The document's contents, or null after a problem. */
  root(): Raw | null {
    try {
      return this.#convert(this.#document.contents, 0, this.#at(0));
    } catch (thrown) {
      if (!(thrown instanceof ServerError)) throw thrown;
      this.#findings.problem(this.#at(0), '', `not readable as YAML: ${thrown.message}`);
      return null;
    }
  }

  #convert(node: unknown, depth: number, fallback: Where): Raw {
    this.#nodes += 1;
    if (depth > MAX_DEPTH || this.#nodes > MAX_NODES)
      throw new ServerError('PUM_CONFIG_INVALID', { reason: 'too large or nested too deeply' });
    if (isAlias(node)) {
      const where = this.#where(node, fallback);
      const target = node.resolve(this.#document);
      // Not quoted: it may be a password that begins with an asterisk.
      if (target === undefined) {
        this.#findings.problem(where, '', 'not readable as YAML: an alias has no anchor (quote the value?)');
      }
      return this.#convert(target, depth + 1, where);
    }
    if (isMap(node)) {
      const where = this.#where(node, fallback);
      const entries: RawEntry[] = [];
      const merged: RawEntry[] = [];
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? pair.key : null;
        const keyAt = key === null ? where : this.#where(key, where);
        const value = this.#convert(pair.value, depth + 1, keyAt);
        if (key !== null && isMerge(key)) merged.push(...mergedEntries(value));
        else entries.push({ key: key === null ? '' : textOf(key), where: keyAt, value });
      }
      const own = new Set(entries.map((entry) => entry.key));
      return { kind: 'map', entries: [...entries, ...merged.filter((entry) => !own.has(entry.key))], where };
    }
    if (isSeq(node)) {
      const where = this.#where(node, fallback);
      return { kind: 'list', items: node.items.map((item) => this.#convert(item, depth + 1, where)), where };
    }
    if (isScalar(node)) {
      const text = textOf(node);
      const absent = node.type === 'PLAIN' && /^(?:~|null|)$/i.test(text);
      return scalar(absent ? null : text, this.#where(node, fallback));
    }
    return scalar(null, fallback);
  }

  #where(node: Node, fallback: Where): Where {
    const offset = node.range?.[0];
    return offset === undefined ? fallback : this.#at(offset);
  }
}

const textOf = (node: Scalar): string => node.source ?? String(node.value);

/** `<<` takes in the keys of another map; the map's own keys win. */
const isMerge = (key: Scalar): boolean => key.type === 'PLAIN' && textOf(key) === '<<';

function mergedEntries(value: Raw): readonly RawEntry[] {
  if (value.kind === 'map') return value.entries;
  if (value.kind === 'scalar') return [];
  const seen = new Set<string>();
  const entries: RawEntry[] = [];
  for (const entry of value.items.flatMap(mergedEntries)) {
    if (seen.has(entry.key)) continue;
    seen.add(entry.key);
    entries.push(entry);
  }
  return entries;
}
