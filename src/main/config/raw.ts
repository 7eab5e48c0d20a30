// Configuration as written, before anything is known about its keys: text with positions. Made by the readers
// (config-yaml.ts, config-flat.ts, config-environment.ts), consumed by config-lookup.ts. Main thread only.
import type { ConfigPath } from '../../shared/config.js';

/** Where something was written; line and column count from 1 and are null where there are none. */
export interface Where {
  /** A file name, `command line`, or `environment variable NAME`. */
  readonly source: string;
  readonly line: number | null;
  readonly column: number | null;
}

export const whereText = (where: Where): string =>
  where.line === null ? where.source : `${where.source}:${where.line}:${where.column ?? 1}`;

/** A scalar is always text, so that `0123` stays four characters; null is YAML's null. */
export interface RawScalar {
  readonly kind: 'scalar';
  readonly text: string | null;
  readonly where: Where;
}

export interface RawList {
  readonly kind: 'list';
  readonly items: readonly Raw[];
  readonly where: Where;
}

export interface RawEntry {
  readonly key: string;
  /** Where the key stands. */
  readonly where: Where;
  readonly value: Raw;
}

export interface RawMap {
  readonly kind: 'map';
  readonly entries: readonly RawEntry[];
  readonly where: Where;
}

export type Raw = RawScalar | RawList | RawMap;

export const scalar = (text: string | null, where: Where): RawScalar => ({ kind: 'scalar', text, where });

/** An entry whose key is a whole path, as `.properties` files and the command line have them. */
export interface FlatEntry {
  readonly segments: readonly string[];
  readonly where: Where;
  readonly value: Raw;
}

/** A value found for a known key, in one layer. */
export interface Given {
  readonly path: ConfigPath;
  /** Names below a free tree, letter for letter; empty for every other key. */
  readonly rest: readonly string[];
  /** The path as it was written, for messages. */
  readonly written: string;
  /** The known path it was written as: `path` itself or one of its aliases. */
  readonly via: string;
  readonly raw: Raw;
  readonly where: Where;
}

/** One source of values. A layer is never changed after it was read. */
export interface Layer {
  /** What --print-config shows. */
  readonly label: string;
  readonly kind: 'command line' | 'json' | 'environment' | 'file';
  readonly givens: readonly Given[];
}

/** Names are compared without `-` and `_` and in lower case (settings-and-metrics.md §1.2). */
export const fold = (name: string): string => name.replace(/[-_]/g, '').toLowerCase();

export const foldPath = (path: string): string => path.split('.').map(fold).join('.');
