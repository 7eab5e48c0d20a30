// Which files make up the configuration and in which order (settings-and-metrics.md §1.1): the one file, its
// documents, what it imports, and the files of the active profiles. Reads through a function it is given. Main
// thread, at start and at a reload.
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { rowOf } from '../../shared/config.js';
import { ServerError } from '../../shared/errors.js';
import { convert } from './convert.js';
import { readProperties } from './flat.js';
import { lookUpFlat, lookUpMap } from './lookup.js';
import { expand } from './placeholders.js';
import type { Environment } from './environment.js';
import type { Findings } from './findings.js';
import type { Given, Layer, RawMap } from './raw.js';
import { readYaml } from './yaml.js';

const MAX_FILES = 32;
const EXTENSIONS = ['.yml', '.yaml', '.properties'];
const DEFAULT_FILES = ['config/application', 'application'].flatMap((stem) =>
  EXTENSIONS.map((extension) => `${stem}${extension}`),
);

/** The text of a file, or null where there is none. Throws where it cannot be read. */
export type ReadFile = (path: string) => string | null;

interface Context {
  readonly cwd: string;
  readonly environment: Environment;
  readonly read: ReadFile;
  readonly findings: Findings;
}

export interface FileLayers {
  /** Highest first. */
  readonly layers: readonly Layer[];
  /** The files that were read, the main one first. */
  readonly files: readonly string[];
}

/**
 * The layers of all files. `named` is the file of --config or PUMICE_CONFIG, which must exist; `above` are the
 * layers that rank higher and may name profiles and imports as well.
 */
export function readFiles(
  named: { readonly file: string; readonly by: string } | null,
  above: readonly Layer[],
  context: Context,
): FileLayers {
  return new Files(context).all(named, above);
}

/** One document of a file before it is known which profiles are active. */
interface Part {
  readonly layer: Layer;
  /** The profiles of spring.config.activate.on-profile, or null. */
  readonly when: readonly string[] | null;
}

class Files {
  readonly #context: Context;
  readonly #files: string[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  all(named: { readonly file: string; readonly by: string } | null, above: readonly Layer[]): FileLayers {
    const { findings } = this.#context;
    const main = named === null ? this.#first(DEFAULT_FILES) : this.#open(named.file);
    if (named !== null && main === null)
      findings.problem(named.by, '', `the file ${named.file} does not exist`);
    const mainFile = this.#files[0] ?? 'config/application.yml';
    const imported = above.flatMap((layer) => this.#imports(layer.givens, null).toReversed());
    const base = [...imported, ...(main ?? [])];
    const profiles = this.#profiles([...above, ...base.map((part) => part.layer)]);
    const stem = withoutExtension(mainFile);
    const ofProfiles = profiles
      .toReversed()
      .flatMap((profile) =>
        EXTENSIONS.flatMap((extension) => this.#open(`${stem}-${profile}${extension}`) ?? []),
      );
    const active = [...ofProfiles, ...base].filter((part) => isActive(part.when, profiles));
    return { layers: active.map((part) => part.layer), files: this.#files };
  }

  #first(candidates: readonly string[]): readonly Part[] | null {
    for (const candidate of candidates) {
      const parts = this.#open(candidate);
      if (parts !== null) return parts;
    }
    return null;
  }

  /** The documents of a file and of what it imports, highest first; null where there is no such file. */
  #open(file: string): readonly Part[] | null {
    const { cwd, read, findings } = this.#context;
    const path = resolve(cwd, file);
    const name = shown(cwd, path);
    if (this.#files.includes(name)) return [];
    const text = this.#read(read, path, name);
    if (text === null) return null;
    this.#files.push(name);
    if (this.#files.length > MAX_FILES) {
      findings.problem(name, '', `more than ${MAX_FILES} files are imported`);
      return [];
    }
    const documents = this.#documents(text, name);
    return documents.flatMap((part) => [part, ...this.#imports(part.layer.givens, path)]).toReversed();
  }

  #read(read: ReadFile, path: string, name: string): string | null {
    try {
      return read(path);
    } catch (thrown) {
      this.#context.findings.problem(name, '', thrown instanceof Error ? thrown.message : String(thrown));
      return '';
    }
  }

  #documents(text: string, name: string): readonly Part[] {
    const { findings } = this.#context;
    const layer = (givens: readonly Given[]): Part => ({
      layer: { label: name, kind: 'file', givens },
      when: this.#when(givens),
    });
    if (extname(name) === '.properties') return [layer(lookUpFlat(readProperties(text, name), findings))];
    return readYaml(text, name, findings).map((map: RawMap) => layer(lookUpMap(map, findings)));
  }

  /** What a document imports, lowest first: each overrides the ones before it. */
  #imports(givens: readonly Given[], importer: string | null): readonly Part[] {
    const { cwd, findings } = this.#context;
    const given = givens.find((candidate) => candidate.path === 'spring.config.import');
    if (given === undefined) return [];
    return (this.#values(given) ?? []).flatMap((location) => {
      const optional = location.startsWith('optional:');
      const target = optional ? location.slice('optional:'.length) : location;
      const prefix = /^([a-z][a-z0-9+.-]+):/i.exec(target)?.[1]?.toLowerCase() ?? null;
      if (prefix !== null && prefix !== 'file') {
        findings.notice('no effect yet', given.where, given.path, `${prefix}: locations are not read`);
        return [];
      }
      // As Spring has it: `file:` counts from the working directory, a bare name from the importing file.
      const base = prefix === 'file' || importer === null ? cwd : dirname(importer);
      const file = target.replace(/^file:(?:\/\/(?=\/))?/i, '');
      const parts = this.#open(isAbsolute(file) ? file : join(base, file));
      if (parts === null && !optional) {
        findings.problem(given.where, given.path, `the file ${file} does not exist (optional: allows that)`);
      }
      return [...(parts ?? [])].toReversed();
    });
  }

  #profiles(layers: readonly Layer[]): readonly string[] {
    for (const layer of layers) {
      const given = layer.givens.find((candidate) => candidate.path === 'spring.profiles.active');
      const names = given === undefined ? null : this.#values(given);
      if (names !== null) return names.filter((name) => /^[\w.@-]+$/.test(name));
    }
    return [];
  }

  #when(givens: readonly Given[]): readonly string[] | null {
    const given = givens.find((candidate) => candidate.path === 'spring.config.activate.on-profile');
    return given === undefined ? null : this.#values(given);
  }

  /** The texts of a list; names in it may come from the environment. The resolver reports what is wrong. */
  #values(given: Given): readonly string[] | null {
    const { environment } = this.#context;
    try {
      const raw = expand(given.raw, (name) => environment[name] ?? null, 'keep');
      return convert(rowOf('spring.profiles.active'), raw)?.value as readonly string[];
    } catch (thrown) {
      if (!(thrown instanceof ServerError)) throw thrown;
      return null;
    }
  }
}

/** `prod`, `!prod`, or several of which one must hold. */
function isActive(when: readonly string[] | null, profiles: readonly string[]): boolean {
  if (when === null || when.length === 0) return true;
  return when.some((name) =>
    name.startsWith('!') ? !profiles.includes(name.slice(1)) : profiles.includes(name),
  );
}

function withoutExtension(name: string): string {
  return join(dirname(name), basename(name, extname(name)));
}

/** A path as messages show it: relative where it lies below the working directory. */
function shown(cwd: string, path: string): string {
  const inside = relative(cwd, path);
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? path : inside;
}
