// The environment as a layer of the configuration (settings-and-metrics.md §1.3): which variable sets which key.
// Takes the variables as an argument; only config.ts passes the real ones. Main thread, at start and reload.
import type { ConfigPath } from '../../shared/config.js';
import { rowOf } from '../../shared/config.js';
import { findName, findVariable } from './names.js';
import type { Findings } from './findings.js';
import type { Given, Raw, RawEntry, Where } from './raw.js';
import { scalar } from './raw.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Prefixes under which an unknown variable is worth a warning. */
const OURS = /^(?:LAVALINK|SERVER|METRICS|SENTRY|LOGGING|PUMICE|RUST)_/;

/** A layer of its own. */
const JSON_VARIABLE = 'SPRING_APPLICATION_JSON';

/** Free trees: what follows the prefix is a name below them. */
const TREES: readonly (readonly [prefix: string, path: ConfigPath, separator: string])[] = [
  ['LOGGING_LEVEL_', 'logging.level', '.'],
  ['LOGGING_PATTERN_', 'logging.pattern', '.'],
  ['SENTRY_TAGS_', 'sentry.tags', '_'],
  ['LAVALINK_SERVER_FILTERS_', 'lavalink.server.filters', '_'],
  ['PLUGINS_', 'plugins', '.'],
  ['MANAGEMENT_', 'management', '.'],
  ['SPRING_', 'spring', '.'],
];

/**
 * The values that the environment gives. `readSecret` reads the file a `…_FILE` variable names; it throws when
 * it cannot. An empty variable counts as absent.
 */
export function readEnvironment(
  environment: Environment,
  readSecret: (file: string) => string,
  findings: Findings,
): readonly Given[] {
  const reader = new Reader(readSecret, findings);
  for (const name of Object.keys(environment).sort()) {
    const value = environment[name];
    if (value !== undefined && value !== '' && name !== JSON_VARIABLE) reader.take(name, value);
  }
  return reader.givens();
}

class Reader {
  readonly #readSecret: (file: string) => string;
  readonly #findings: Findings;
  readonly #single: Given[] = [];
  /** Variables with an index, by list. */
  readonly #lists = new Map<ConfigPath, { via: string; where: Where; items: Map<number, Raw> }>();

  constructor(readSecret: (file: string) => string, findings: Findings) {
    this.#readSecret = readSecret;
    this.#findings = findings;
  }

  take(name: string, value: string): void {
    const where = { source: `environment variable ${name}`, line: null, column: null };
    // A service called "server" makes an orchestrator set SERVER_PORT to an address.
    if (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value)) {
      this.#findings.notice('warning', where, '', 'holds an address that an orchestrator put there; ignored');
      return;
    }
    const known = name.includes('.') ? findName(name) : findVariable(name);
    if (known !== null) {
      this.#add(known.path, known.name, [], scalar(value, where), name);
      return;
    }
    if (this.#secretFile(name, value, where) || this.#indexed(name, value, where)) return;
    for (const [prefix, path, separator] of TREES) {
      if (!name.startsWith(prefix) || name.length === prefix.length) continue;
      const rest = name.slice(prefix.length).toLowerCase().replaceAll('_', separator);
      this.#add(path, path, rest.split('.'), scalar(value, where), name);
      return;
    }
    if (OURS.test(name)) this.#findings.notice('warning', where, '', 'no key of that name; ignored');
  }

  givens(): readonly Given[] {
    const lists: Given[] = [...this.#lists].map(([path, { via, where, items }]) => {
      const inOrder = [...items.entries()].sort(([a], [b]) => a - b).map(([, item]) => item);
      return { path, rest: [], written: path, via, raw: { kind: 'list', items: inOrder, where }, where };
    });
    return [...this.#single, ...lists];
  }

  #add(path: ConfigPath, via: string, rest: readonly string[], raw: Raw, variable: string): void {
    this.#single.push({ path, rest, written: variable, via, raw, where: raw.where });
  }

  /** `X_FILE` for a secret `X`: the value is the content of the file, without its last line break. */
  #secretFile(name: string, file: string, where: Where): boolean {
    if (!/_(?:PASSWORD|DSN)_FILE$/.test(name)) return false;
    const known = findVariable(name.slice(0, -'_FILE'.length));
    if (known === null || rowOf(known.path).type !== 'secret') return false;
    try {
      const text = this.#readSecret(file).replace(/\r?\n$/, '');
      this.#add(known.path, known.name, [], scalar(text, where), name);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#findings.problem(where, known.path, `the file ${file} cannot be read: ${reason}`);
    }
    return true;
  }

  /** `LIST_0` for lists of plain strings, `LAVALINK_PLUGINS_0_DEPENDENCY` for plugins. */
  #indexed(name: string, value: string, where: Where): boolean {
    const plugin = /^LAVALINK_PLUGINS_(\d{1,4})_([A-Z]+)$/.exec(name);
    if (plugin !== null) {
      const list = this.#list('lavalink.plugins', 'lavalink.plugins', where);
      const index = Number(plugin[1]);
      const before = list.items.get(index);
      const entries: readonly RawEntry[] = before?.kind === 'map' ? before.entries : [];
      const entry = { key: (plugin[2] ?? '').toLowerCase(), where, value: scalar(value, where) };
      list.items.set(index, { kind: 'map', entries: [...entries, entry], where });
      return true;
    }
    const found = /^(.+)_(\d{1,4})$/.exec(name);
    const known = found === null ? null : findVariable(found[1] ?? '');
    if (found === null || known === null || rowOf(known.path).type !== 'list') return false;
    this.#list(known.path, known.name, where).items.set(Number(found[2]), scalar(value, where));
    return true;
  }

  #list(path: ConfigPath, via: string, where: Where): { items: Map<number, Raw> } {
    const list = this.#lists.get(path) ?? { via, where, items: new Map<number, Raw>() };
    this.#lists.set(path, list);
    return list;
  }
}
