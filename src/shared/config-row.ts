// The shape of one row of the configuration table, and the constructors the tables are written with. Used by
// config-keys-*.ts when they are loaded; holds no state and reads nothing.

/** A free-form value: a map, list or scalar as it stood in the file, scalars as text. */
export type Tree = null | string | readonly Tree[] | { readonly [name: string]: Tree };

/** What `lavalink.plugins`, `plugins`, `spring` and the like hold: names the server does not know. */
export type TreeMap = Readonly<Record<string, Tree>>;

export type ConfigValue = null | boolean | number | string | readonly string[] | Tree;

export type RowType =
  | 'integer'
  | 'number'
  | 'boolean'
  | 'text'
  | 'path'
  | 'secret'
  | 'choice'
  | 'list'
  | 'duration'
  | 'size'
  | 'bitrate'
  | 'tree';

/** The unit of a bare number in a file. Values in memory are always milliseconds, bytes or bits per second. */
export type Unit = 'ms' | 's' | 'bytes' | 'bit/s' | 'none';

/** When a change of the file is felt: at a reload, by players and sessions made after it, or at a restart. */
export type TakesEffect = 'live' | 'new' | 'restart';

/** What the key does in this build; anything but `applied` is printed at start and by --validate. */
export type Status = 'applied' | `no effect: ${string}` | `no effect yet: ${string}` | `limited: ${string}`;

/** Bounds of a number, in the unit of the value in memory. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** The value taken instead of one below `min` or above `max`; without it such a value fails start-up. */
  readonly below?: number;
  readonly above?: number;
  /** Zero and less are kept as 0, which switches the thing off. */
  readonly off?: true;
}

/** A value that fails start-up with a reason although its type is right. */
export interface Refusal {
  /** The refused value; absent: every value. */
  readonly only?: ConfigValue;
  readonly reason: string;
}

interface Spec {
  /** Other full paths of the same key. `rust.X` for `pumice.X` is understood and never listed. */
  readonly aliases?: readonly string[];
  readonly takesEffect: TakesEffect;
  /** `applied` where absent. */
  readonly status?: Status;
  /** The status is reported for this value only. */
  readonly only?: ConfigValue;
  readonly refuse?: Refusal;
  /** One or two sentences for the operator; they stand in docs/settings.md and config/application.yml. */
  readonly doc: string;
  /** Set, and not commented out, in the shipped config/application.yml. */
  readonly shipped?: ConfigValue;
  /** What the entries of a list are: addresses or CIDRs. */
  readonly items?: 'networks';
  /** Further environment variables, where Lavalink documents a misspelt name. */
  readonly variables?: readonly string[];
}

export interface Row<V extends ConfigValue = ConfigValue> {
  readonly type: RowType;
  readonly unit: Unit;
  readonly default: V;
  readonly aliases: readonly string[];
  readonly takesEffect: TakesEffect;
  readonly status: Status;
  readonly only?: ConfigValue;
  readonly refuse?: Refusal;
  readonly doc: string;
  readonly shipped?: ConfigValue;
  readonly items?: 'networks';
  readonly variables: readonly string[];
  /** Null is a value of its own: not set. */
  readonly nullable: boolean;
  /** The values of a choice; words that a number takes beside digits. */
  readonly values: readonly string[];
  /** Other words for values of a choice, lower case, as Lavalink's own libraries take them. */
  readonly synonyms: Readonly<Record<string, string>>;
  readonly range: Range;
  /** Never printed, never sent to a shard. */
  readonly secret: boolean;
  /** Read from the environment only; a file may name it, without effect. */
  readonly variable: boolean;
}

/** A row whose value no shard and no log may see. */
export type SecretRow<V extends ConfigValue> = Row<V> & { readonly secret: true };

function row<V extends ConfigValue>(
  type: RowType,
  fallback: V,
  spec: Spec,
  rest: Partial<Row<V>> = {},
): Row<V> {
  return {
    type,
    unit: 'none',
    default: fallback,
    aliases: [],
    status: 'applied',
    variables: [],
    nullable: fallback === null,
    values: [],
    synonyms: {},
    range: {},
    secret: false,
    variable: false,
    ...spec,
    ...rest,
  };
}

export const flag = (fallback: boolean, spec: Spec): Row<boolean> => row('boolean', fallback, spec);

export const integer = (fallback: number, range: Range, spec: Spec): Row<number> =>
  row('integer', fallback, spec, { range });

/** A whole number, or nothing. */
export const optionalInteger = (range: Range, spec: Spec): Row<number | null> =>
  row<number | null>('integer', null, spec, { range });

/** A whole number or one of a few words. */
export const integerOr = <W extends string>(
  word: W,
  fallback: number,
  range: Range,
  spec: Spec,
): Row<number | W> => row<number | W>('integer', fallback, spec, { range, values: [word] });

export const ratio = (fallback: number, range: Range, spec: Spec): Row<number> =>
  row('number', fallback, spec, { range });

/** A duration; `unit` is that of a bare number, `fallback` and `range` are milliseconds. */
export const duration = (unit: 'ms' | 's', fallback: number, range: Range, spec: Spec): Row<number> =>
  row('duration', fallback, spec, { unit, range });

/** A size in bytes. */
export const size = (fallback: number, range: Range, spec: Spec): Row<number> =>
  row('size', fallback, spec, { unit: 'bytes', range });

export const optionalSize = (range: Range, spec: Spec): Row<number | null> =>
  row<number | null>('size', null, spec, { unit: 'bytes', range });

export const bitrate = (fallback: number, range: Range, spec: Spec): Row<number> =>
  row('bitrate', fallback, spec, { unit: 'bit/s', range });

export const text = (fallback: string, spec: Spec): Row<string> => row('text', fallback, spec);

export const optionalText = (spec: Spec): Row<string | null> => row<string | null>('text', null, spec);

export const path = (fallback: string, spec: Spec): Row<string> => row('path', fallback, spec);

export const optionalPath = (spec: Spec): Row<string | null> => row<string | null>('path', null, spec);

export const secret = (spec: Spec): SecretRow<string | null> => ({
  ...row<string | null>('secret', null, spec),
  secret: true,
});

export const choice = <const W extends string>(
  values: readonly W[],
  fallback: NoInfer<W>,
  spec: Spec,
  synonyms: Readonly<Record<string, NoInfer<W>>> = {},
): Row<W> => row<W>('choice', fallback, spec, { values, synonyms });

/** A list of plain strings. */
export const list = (fallback: readonly string[], spec: Spec): Row<readonly string[]> =>
  row('list', fallback, spec);

/** A free map, kept letter for letter. */
export const tree = (spec: Spec): Row<TreeMap> => row<TreeMap>('tree', {}, spec);

/** A free map that may carry credentials of things the server does not know. */
export const secretTree = (spec: Spec): SecretRow<TreeMap> => ({
  ...row<TreeMap>('tree', {}, spec),
  secret: true,
});

/** A free list of maps. */
export const treeList = (spec: Spec): Row<readonly Tree[]> => row<readonly Tree[]>('tree', [], spec);

/** A variable of the environment that is no key of a file. */
export const variable = <V extends ConfigValue>(of: Row<V>): Row<V> => ({ ...of, variable: true });
