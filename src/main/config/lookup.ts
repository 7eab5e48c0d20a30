// What was written against what is known: walks one source's keys through the trie of names and yields the
// values found, and a problem for each unknown, repeated or misplaced key. Pure; main thread.
import { rowOf } from '../../shared/config.js';
import { isInvented } from './invented.js';
import { NAMES, nearest } from './names.js';
import type { KnownName, NameNode } from './names.js';
import { fold, whereText } from './raw.js';
import type { Findings } from './findings.js';
import type { FlatEntry, Given, Raw, RawMap, Where } from './raw.js';

/** A place in the trie that a written path has reached. */
interface Place {
  /** Null below the known names of a free tree. */
  readonly node: NameNode | null;
  /** The nearest free tree at or above this place. */
  readonly tree: KnownName | null;
  /** Names written since that tree. */
  readonly rest: readonly string[];
  readonly written: string;
}

const ROOT: Place = { node: NAMES, tree: null, rest: [], written: '' };

/** The values of a document. */
export function lookUpMap(map: RawMap, findings: Findings): readonly Given[] {
  const walk = new Walk(findings);
  walk.map(ROOT, map);
  return walk.givens;
}

/** The values of a source of whole paths. */
export function lookUpFlat(entries: readonly FlatEntry[], findings: Findings): readonly Given[] {
  const walk = new Walk(findings);
  for (const entry of entries) walk.flat(entry);
  return walk.givens;
}

class Walk {
  readonly givens: Given[] = [];
  readonly #findings: Findings;
  /** What was given under which name, for keys that reach one place by two ways (`a.b` and `a: b:`). */
  readonly #seen = new Map<string, Where>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  map(place: Place, map: RawMap): void {
    const seen = new Map<string, Where>();
    for (const entry of map.entries) {
      const key = place.tree === null ? fold(entry.key) : entry.key;
      const before = seen.get(key);
      if (before !== undefined) {
        this.#repeated(join(place.written, entry.key), before, entry.where);
        continue;
      }
      seen.set(key, entry.where);
      const next = this.#step(place, entry.key, entry.where);
      if (next !== null) this.#value(next, entry.value, entry.where);
    }
  }

  flat(entry: FlatEntry): void {
    let place: Place | null = ROOT;
    for (const segment of entry.segments) {
      place = this.#step(place, segment, entry.where);
      if (place === null) return;
    }
    this.#value(place, entry.value, entry.where);
  }

  /** Goes down by one written key, which may hold dots; null after a problem. */
  #step(from: Place, key: string, where: Where): Place | null {
    let place = from;
    const segments = key.split('.');
    for (const [index, segment] of segments.entries()) {
      const child = place.node?.children.get(fold(segment));
      const written = join(place.written, segment);
      if (child !== undefined) {
        const isTree = child.known !== null && rowOf(child.known.path).type === 'tree';
        place = isTree
          ? { node: child, tree: child.known, rest: [], written }
          : { node: child, tree: place.tree, rest: [...place.rest, segment], written };
        continue;
      }
      const remainder = segments.slice(index).join('.');
      if (place.tree !== null) {
        const rest = [...place.rest, remainder];
        return { node: null, tree: place.tree, rest, written: join(place.written, remainder) };
      }
      this.#unknown(place, remainder, where);
      return null;
    }
    return place;
  }

  #value(place: Place, raw: Raw, where: Where): void {
    const known = place.node?.known ?? null;
    const isTree = known !== null && rowOf(known.path).type === 'tree';
    // Another name may stand below this one, or below the tree it is in.
    if (raw.kind === 'map' && place.node !== null && (known === null || isTree)) {
      this.map(place, raw);
      return;
    }
    const empty = raw.kind === 'scalar' && (raw.text ?? '') === '';
    if (known !== null) {
      if (!isTree || !empty) this.#give(known, [], place, raw, where);
    } else if (place.node !== null && empty) {
      return;
    } else if (place.tree !== null) {
      this.#give(place.tree, place.rest, place, raw, where);
    } else {
      this.#findings.problem(where, place.written, 'is a section of keys and takes no value itself');
    }
  }

  #give(known: KnownName, rest: readonly string[], place: Place, raw: Raw, where: Where): void {
    const id = [known.name, ...rest].join('\n');
    const before = this.#seen.get(id);
    if (before !== undefined) {
      this.#repeated(place.written, before, where);
      return;
    }
    this.#seen.set(id, where);
    if (rest.length > 0 || rowOf(known.path).type === 'tree') this.#checkTree(raw, place.written);
    this.givens.push({ path: known.path, rest, written: place.written, via: known.name, raw, where });
  }

  /** Inside a free tree only an exact repetition is an error. */
  #checkTree(raw: Raw, written: string): void {
    if (raw.kind === 'list') for (const item of raw.items) this.#checkTree(item, written);
    if (raw.kind !== 'map') return;
    const seen = new Map<string, Where>();
    for (const entry of raw.entries) {
      const path = join(written, entry.key);
      const before = seen.get(entry.key);
      if (before === undefined) seen.set(entry.key, entry.where);
      else this.#repeated(path, before, entry.where);
      this.#checkTree(entry.value, path);
    }
  }

  #repeated(path: string, before: Where, where: Where): void {
    const first = before.line === null ? whereText(before) : `line ${before.line}`;
    const second = where.line === null ? '' : ` and line ${where.line}`;
    this.#findings.problem(where, path, `given twice, at ${first}${second}`);
  }

  #unknown(place: Place, key: string, where: Where): void {
    const path = join(place.written, key);
    const near = place.node === null ? null : nearest(place.node, key);
    const hint = near === null ? '' : ` (did you mean ${near}?)`;
    const invented = isInvented(path.split('.')) ? '; documented by Lavalink-rust, implemented nowhere' : '';
    this.#findings.problem(where, path, `unknown key${hint}${invented}`);
  }
}

const join = (parent: string, key: string): string => (parent === '' ? key : `${parent}.${key}`);
