// The configuration table itself: every row is complete, and the generated files are what it makes.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CONFIG_PATHS, defaults, forShards, rowOf } from '../../src/shared/config.js';
import type { ConfigPath } from '../../src/shared/config.js';
import type { ConfigValue, Row } from '../../src/shared/config-row.js';
import { KNOWN_NAMES } from '../../src/main/config/names.js';
import { foldPath } from '../../src/main/config/raw.js';

const LIMIT = { timeout: 10_000 };
const HERE = fileURLToPath(import.meta.url);
/** The build folder that this test runs from, and the package around it. */
const DIST = HERE.slice(0, HERE.lastIndexOf(`${sep}test${sep}`));
const ROOT = dirname(DIST);

function hasType(row: Row, value: ConfigValue): boolean {
  if (value === null) return row.nullable;
  switch (row.type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
    case 'path':
    case 'secret':
      return typeof value === 'string';
    case 'choice':
      return typeof value === 'string' && row.values.includes(value);
    case 'list':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'tree':
      return typeof value === 'object';
    case 'number':
      return typeof value === 'number';
    default:
      return Number.isSafeInteger(value);
  }
}

t.test('every row has a documentation line and a default of its own type and range', LIMIT, async (t) => {
  for (const path of CONFIG_PATHS) {
    const row = rowOf(path);
    t.match(row.doc, /^[A-Za-z0].{10,}\.$/, `${path} has a full sentence`);
    t.ok(hasType(row, row.default), `${path} has a default of type ${row.type}`);
    if (row.shipped !== undefined) t.ok(hasType(row, row.shipped), `${path} ships a value of its type`);
    const { min = -Infinity, max = Infinity } = row.range;
    if (typeof row.default === 'number') {
      t.ok(row.default >= min && row.default <= max, `${path} has a default within its range`);
    }
    t.match(row.status, /^(?:applied$|(?:no effect|no effect yet|limited): \S)/, `${path} has a status`);
  }
});

t.test('no two names of keys are one after folding, nor as variables', LIMIT, async (t) => {
  const folded = new Map<string, string>();
  const joined = new Map<string, string>();
  for (const { name } of KNOWN_NAMES) {
    const asPath = foldPath(name);
    t.notOk(folded.has(asPath), `${name} is not also ${folded.get(asPath) ?? ''}`);
    folded.set(asPath, name);
    const asVariable = asPath.replaceAll('.', '');
    t.notOk(joined.has(asVariable), `${name} has a variable of its own`);
    joined.set(asVariable, name);
  }
});

t.test('the values can cross threads, and shards get no secret', LIMIT, async (t) => {
  const values = { ...defaults(), 'lavalink.server.password': 'hush', plugins: { x: { token: 'hush' } } };
  t.strictSame(structuredClone(values), values);
  const shard = forShards(values);
  t.notMatch(JSON.stringify(shard), /hush/);
  t.equal(shard['lavalink.server.frameBufferDurationMs'], 5_000);
  const kept: readonly string[] = Object.keys(shard);
  t.strictSame(
    CONFIG_PATHS.filter((path) => !kept.includes(path)),
    CONFIG_PATHS.filter((path) => rowOf(path).secret),
  );
});

t.test('the generated files are what the table makes', LIMIT, async (t) => {
  const result = spawnSync(process.execPath, [join(ROOT, 'scripts/config-docs.mjs'), '--check'], {
    env: { ...process.env, PUMICE_DIST: DIST },
    encoding: 'utf8',
    timeout: 9_000,
  });
  t.equal(result.stderr, '');
  t.equal(result.status, 0);
});

t.test('every key is in docs/settings.md, and nothing else is', LIMIT, async (t) => {
  const page = readFileSync(join(ROOT, 'docs/settings.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((found) => found[1]);
  t.strictSame([...documented].sort(), [...CONFIG_PATHS].sort());
});

t.test('every key is in config/application.yml, and nothing else is', LIMIT, async (t) => {
  const file = readFileSync(join(ROOT, 'config/application.yml'), 'utf8');
  const found: string[] = [];
  const sections: string[] = [];
  for (const line of file.split('\n')) {
    const key = /^#?((?: {2})*)([\w-]+):(?: (.*))?$/.exec(line);
    if (key === null) continue;
    const depth = (key[1] ?? '').length / 2;
    sections.length = depth;
    sections[depth] = key[2] ?? '';
    found.push(sections.join('.'));
  }
  const isSection = (path: string): boolean => CONFIG_PATHS.some((known) => known.startsWith(`${path}.`));
  const keys = CONFIG_PATHS.filter((path: ConfigPath) => !rowOf(path).variable);
  t.strictSame(
    keys.filter((path) => !found.includes(path)),
    [],
    'every key is there',
  );
  t.strictSame(
    found.filter((path) => !(keys as readonly string[]).includes(path) && !isSection(path)),
    [],
    'every line is a key',
  );
});
