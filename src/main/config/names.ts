// The known names, for looking up what was written: a trie of paths and aliases, the environment's spelling of
// each, and the nearest known name to an unknown one. Built once when it is loaded. Main thread only.
import type { ConfigPath } from '../../shared/config.js';
import { CONFIG_PATHS, rowOf } from '../../shared/config.js';
import { fold, foldPath } from './raw.js';

/** A known path: the canonical one of its row, or an alias. */
export interface KnownName {
  readonly path: ConfigPath;
  readonly name: string;
}

export interface NameNode {
  readonly children: Map<string, NameNode>;
  /** Null for a section that is no key itself. */
  known: KnownName | null;
}

/** `rust.X` stands beside `pumice.X` for every path (settings-and-metrics.md §1.4). */
export function namesOf(path: ConfigPath): readonly string[] {
  return [path, ...rowOf(path).aliases].flatMap((name) =>
    name.startsWith('pumice.') ? [name, `rust.${name.slice('pumice.'.length)}`] : [name],
  );
}

export const KNOWN_NAMES: readonly KnownName[] = CONFIG_PATHS.flatMap((path) =>
  namesOf(path).map((name) => ({ path, name })),
);

export const NAMES: NameNode = trie();

function trie(): NameNode {
  const root: NameNode = { children: new Map(), known: null };
  for (const known of KNOWN_NAMES) {
    let node = root;
    for (const segment of known.name.split('.')) {
      const key = fold(segment);
      const next = node.children.get(key) ?? { children: new Map<string, NameNode>(), known: null };
      node.children.set(key, next);
      node = next;
    }
    node.known = known;
  }
  return root;
}

/** The row a path names, written in any of its spellings, or null. */
export function findName(path: string): KnownName | null {
  let node: NameNode | undefined = NAMES;
  for (const segment of path.split('.')) node = node?.children.get(fold(segment));
  return node?.known ?? null;
}

/** A pattern for the words of one segment; names of variables are taken as they are. */
const words = (segment: string): string => (/^[A-Z_]+$/.test(segment) ? segment : wordsOf(segment));

const wordsOf = (segment: string): string =>
  segment
    .split(/(?=[A-Z])|[-_]/)
    .filter((word) => word !== '')
    .map((word) => word.toUpperCase())
    .join('_?');

const VARIABLES: ReadonlyMap<string, { readonly pattern: RegExp; readonly known: KnownName }> = new Map(
  // `PLUGINS` or `SPRING` alone is no setting.
  KNOWN_NAMES.filter(({ path }) => rowOf(path).type !== 'tree').map((known) => [
    foldPath(known.name).replaceAll('.', ''),
    { pattern: new RegExp(`^${known.name.split('.').map(words).join('_')}$`), known },
  ]),
);

const EXTRA_VARIABLES: ReadonlyMap<string, KnownName> = new Map(
  CONFIG_PATHS.flatMap((path) => rowOf(path).variables.map((name) => [name, { path, name: path }] as const)),
);

/** The key that a variable sets: words joined or split, sections always split (§1.3). */
export function findVariable(name: string): KnownName | null {
  const extra = EXTRA_VARIABLES.get(name);
  if (extra !== undefined) return extra;
  const found = VARIABLES.get(name.replaceAll('_', '').toLowerCase());
  return found?.pattern.test(name) === true ? found.known : null;
}

/** The variable that sets a key, words split, as the documentation names it. */
export const variableOf = (path: ConfigPath): string =>
  path.split('.').map(words).join('_').replaceAll('?', '');

/**
 * What an unknown name may have meant: a sibling's name in the spelling of the unknown one, else a whole path
 * elsewhere that ends in the same name, else null.
 */
export function nearest(node: NameNode, unknown: string): string | null {
  const siblings = [...node.children.values()].map((child) => lastName(child));
  const near = closest(
    fold(unknown),
    siblings.filter((name) => name !== null),
  );
  if (near !== null) return spelled(near, unknown);
  const last = fold(unknown.split('.').at(-1) ?? unknown);
  const same = CONFIG_PATHS.find((path) => fold(path.split('.').at(-1) ?? '') === last);
  if (same !== undefined) return same;
  return closest(last, CONFIG_PATHS, (path) => fold(path.split('.').at(-1) ?? ''));
}

/** The own name of a trie node, as the table writes it. */
function lastName(node: NameNode, depth = 1): string | null {
  if (node.known !== null) return node.known.name.split('.').at(-depth) ?? null;
  for (const child of node.children.values()) {
    const name = lastName(child, depth + 1);
    if (name !== null) return name;
  }
  return null;
}

/** `trackCacheSize` as the operator would have written it. */
function spelled(name: string, like: string): string {
  if (like.includes('_')) return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (like.includes('-')) return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return name;
}

function closest(
  wanted: string,
  names: readonly string[],
  key: (name: string) => string = fold,
): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.ceil(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, key(name), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Levenshtein's distance; anything at or above `ceiling` is reported as `ceiling`. */
function editDistance(a: string, b: string, ceiling: number): number {
  if (Math.abs(a.length - b.length) >= ceiling) return ceiling;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return Math.min(previous[b.length] ?? ceiling, ceiling);
}
