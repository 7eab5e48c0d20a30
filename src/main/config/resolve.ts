// Layers into one set of values (settings-and-metrics.md §1.1, §1.4): the highest layer that gives a key wins,
// free trees merge, two names of one key in one layer must agree. Pure; main thread, at start and at a reload.
import { CONFIG_PATHS, defaults, rowOf } from '../../shared/config.js';
import type { ConfigPath, ConfigValues } from '../../shared/config.js';
import type { ConfigValue, Row, Tree } from '../../shared/config-row.js';
import { ServerError } from '../../shared/errors.js';
import { checkTree, convert, toTree } from './convert.js';
import type { Converted } from './convert.js';
import type { Environment } from './environment.js';
import { findName } from './names.js';
import { expand } from './placeholders.js';
import type { Lookup } from './placeholders.js';
import { whereText } from './raw.js';
import type { Findings } from './findings.js';
import type { Given, Layer } from './raw.js';
import { showValue } from './show.js';

/** Where a value that is no default came from. */
export interface Origin {
  readonly layer: string;
  readonly where: string;
  /** The path as it was written. */
  readonly written: string;
}

/** The values while rules may still change them. */
export interface Draft {
  readonly values: { -readonly [P in ConfigPath]: ConfigValues[P] };
  readonly origins: Map<ConfigPath, Origin>;
  readonly environment: Environment;
}

/** The merged values of the layers, highest first. */
export function resolveLayers(layers: readonly Layer[], environment: Environment, findings: Findings): Draft {
  const resolver = new Resolver(layers, environment, findings);
  for (const path of CONFIG_PATHS) {
    if (rowOf(path).type === 'tree') resolver.tree(path);
    else resolver.key(path);
  }
  return resolver.draft;
}

interface Candidate extends Converted {
  readonly given: Given;
}

class Resolver {
  readonly draft: Draft;
  readonly #findings: Findings;
  readonly #layers: readonly {
    readonly layer: Layer;
    readonly byPath: ReadonlyMap<ConfigPath, readonly Given[]>;
  }[];
  readonly #lookup: Lookup;

  constructor(layers: readonly Layer[], environment: Environment, findings: Findings) {
    this.draft = { values: { ...defaults() }, origins: new Map(), environment };
    this.#findings = findings;
    this.#layers = layers.map((layer) => ({ layer, byPath: byPath(layer.givens) }));
    this.#lookup = lookupIn(layers, environment);
  }

  key(path: ConfigPath): void {
    const row = rowOf(path);
    let settled = false;
    for (const { layer, byPath: groups } of this.#layers) {
      const givens = groups.get(path) ?? [];
      if (givens.length === 0) continue;
      if (row.variable && layer.kind !== 'environment') {
        const [first] = givens;
        if (first !== undefined) this.#notRead(path, first);
        continue;
      }
      // A value that a higher layer replaces is not looked at, except where its layer contradicts itself.
      if (settled && givens.length === 1) continue;
      const found = this.#pick(path, row, givens);
      if (found === null || settled) continue;
      settled = true;
      this.#settle(path, row, layer, found);
    }
  }

  tree(path: ConfigPath): void {
    const row = rowOf(path);
    let merged: Tree = row.default as Tree;
    for (const { layer, byPath: givens } of this.#layers.toReversed()) {
      for (const given of givens.get(path) ?? []) {
        try {
          const written = nest(given.rest, toTree(expand(given.raw, this.#lookup, 'keep')));
          checkTree(row, written);
          merged = merge(merged, written);
          this.#from(path, layer, given);
        } catch (thrown) {
          this.#failed(given, thrown);
        }
      }
    }
    this.#set(path, path === 'logging.level' ? flatten(merged) : merged);
  }

  /** The one value that a layer gives, or null. */
  #pick(path: ConfigPath, row: Row, givens: readonly Given[]): Candidate | null {
    const candidates = givens.flatMap((given) => this.#convert(row, given));
    const [first, ...others] = candidates.filter((candidate) => !this.#yields(path, candidate, candidates));
    if (first === undefined) return null;
    for (const other of others) {
      const names = `${first.given.written} and ${other.given.written}`;
      const places = `${whereText(first.given.where)} and ${whereText(other.given.where)}`;
      if (sameValue(first.value, other.value)) {
        this.#findings.notice('alias', other.given.where, path, `given as ${names}, with the same value`);
      } else {
        const shown = row.secret
          ? ''
          : ` (${showValue(row, first.value)} and ${showValue(row, other.value)})`;
        this.#findings.problem(other.given.where, path, `conflict: ${names} differ${shown}, at ${places}`);
      }
    }
    return first;
  }

  /** 0 worker threads means automatic and yields to any other number (§1.4). */
  #yields(path: ConfigPath, candidate: Candidate, all: readonly Candidate[]): boolean {
    if (path !== 'pumice.performance.workerThreads' || candidate.value !== 0) return false;
    return all.some((other) => other.value !== 0);
  }

  #convert(row: Row, given: Given): readonly Candidate[] {
    try {
      const converted = convert(row, expand(given.raw, this.#lookup, 'fail'));
      return converted === undefined ? [] : [{ ...converted, given }];
    } catch (thrown) {
      this.#failed(given, thrown);
      return [];
    }
  }

  #failed(given: Given, thrown: unknown): void {
    if (!(thrown instanceof ServerError)) throw thrown;
    this.#findings.problem(given.raw.where, nameOf(given), thrown.message);
  }

  #settle(path: ConfigPath, row: Row, layer: Layer, found: Candidate): void {
    const { given, value, adjusted } = found;
    this.#set(path, value);
    this.#from(path, layer, given);
    if (given.via !== path) {
      this.#findings.notice('alias', given.where, nameOf(given), `is ${path}, ${showValue(row, value)}`);
    }
    if (adjusted !== null) {
      this.#findings.notice('adjusted', given.where, path, `${adjusted}; taken as ${showValue(row, value)}`);
    }
  }

  /** The table's types are kept by convert, which the compiler cannot follow. */
  #set(path: ConfigPath, value: ConfigValue): void {
    const values: Record<ConfigPath, ConfigValue> = this.draft.values;
    values[path] = value;
  }

  #from(path: ConfigPath, layer: Layer, given: Given): void {
    const { written, where } = given;
    this.draft.origins.set(path, { layer: layer.label, where: whereText(where), written });
  }

  #notRead(path: ConfigPath, given: Given): void {
    const reason =
      path === 'MALLOC_ARENA_MAX'
        ? 'read by glibc before the server starts'
        : 'only the environment variable is read';
    this.#findings.notice('no effect', given.where, path, reason);
  }
}

function byPath(givens: readonly Given[]): ReadonlyMap<ConfigPath, readonly Given[]> {
  const groups = new Map<ConfigPath, Given[]>();
  for (const given of givens) {
    const group = groups.get(given.path);
    if (group === undefined) groups.set(given.path, [given]);
    else group.push(given);
  }
  return groups;
}

/** The path to show beside the place: that of a variable, whose own name the place already holds. */
const nameOf = (given: Given): string =>
  given.where.source.endsWith(` ${given.written}`) ? given.via : given.written;

/** A placeholder's name is a variable, or else a key in any spelling. */
function lookupIn(layers: readonly Layer[], environment: Environment): Lookup {
  return (name) => {
    const variable = environment[name];
    if (variable !== undefined) return variable;
    const known = findName(name);
    if (known === null) return null;
    for (const layer of layers) {
      const given = layer.givens.find((candidate) => candidate.path === known.path);
      if (given?.raw.kind === 'scalar' && given.raw.text !== null) return given.raw.text;
    }
    return null;
  };
}

export function sameValue(a: ConfigValue | undefined, b: ConfigValue | undefined): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

const isMap = (tree: Tree): tree is Readonly<Record<string, Tree>> =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree);

const nest = (rest: readonly string[], value: Tree): Tree =>
  rest.reduceRight<Tree>((inner, name) => ({ [name]: inner }), value);

/** Maps merge key by key; anything else replaces. */
function merge(low: Tree, high: Tree): Tree {
  if (!isMap(low) || !isMap(high)) return high;
  const merged = new Map<string, Tree>(Object.entries(low));
  for (const [name, value] of Object.entries(high)) {
    const before = merged.get(name);
    merged.set(name, before === undefined ? value : merge(before, value));
  }
  return Object.fromEntries(merged);
}

/** `{a: {b: x}}` as `{'a.b': x}`: the names of loggers hold dots. */
function flatten(tree: Tree): Readonly<Record<string, Tree>> {
  const flat: Record<string, Tree> = {};
  if (!isMap(tree)) return flat;
  for (const [name, value] of Object.entries(tree)) {
    if (!isMap(value)) flat[name] = value;
    else for (const [inner, leaf] of Object.entries(flatten(value))) flat[`${name}.${inner}`] = leaf;
  }
  return flat;
}
