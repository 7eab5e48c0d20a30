// Every key of the configuration, and the types made from them: the loader (src/main/config.ts), the example
// file and the documentation (scripts/config-docs.mjs) read this one table. Imported by every thread; reads no
// file and no environment.
import { LAVALINK_KEYS } from './config-keys-lavalink.js';
import { OBSERVING_KEYS } from './config-keys-observing.js';
import { OWN_KEYS } from './config-keys-own.js';
import { SERVER_KEYS } from './config-keys-server.js';
import { TUNING_KEYS } from './config-keys-tuning.js';
import type { ConfigValue, Row } from './config-row.js';

export const KEYS = {
  ...SERVER_KEYS,
  ...LAVALINK_KEYS,
  ...OBSERVING_KEYS,
  ...TUNING_KEYS,
  ...OWN_KEYS,
} as const;

export type ConfigPath = keyof typeof KEYS;

/**
 * The effective configuration: flat, keyed by canonical path, plain data that can cross threads. Durations are
 * milliseconds, sizes bytes, bit rates bits per second; null means not set.
 */
export type ConfigValues = {
  readonly [P in ConfigPath]: (typeof KEYS)[P] extends Row<infer V> ? V : never;
};

/** The paths whose values no shard, log or answer may show. */
export type SecretPath = {
  [P in ConfigPath]: (typeof KEYS)[P] extends { readonly secret: true } ? P : never;
}[ConfigPath];

/** What shards and senders get (architecture.md §4, rule 1). */
export type ShardConfig = Omit<ConfigValues, SecretPath>;

/** All paths, in the order of the documentation. */
export const CONFIG_PATHS = Object.keys(KEYS) as readonly ConfigPath[];

export function rowOf(path: ConfigPath): Row {
  return KEYS[path];
}

export function defaults(): ConfigValues {
  const values: Partial<Record<ConfigPath, ConfigValue>> = {};
  for (const path of CONFIG_PATHS) values[path] = rowOf(path).default;
  return values as ConfigValues;
}

/** The values without passwords, and without the free trees that may hold some. */
export function forShards(values: ConfigValues): ShardConfig {
  const kept = CONFIG_PATHS.filter((path) => !rowOf(path).secret).map(
    (path) => [path, values[path]] as const,
  );
  return Object.fromEntries(kept) as unknown as ShardConfig;
}
