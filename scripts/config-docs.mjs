// Makes config/application.yml and docs/settings.md from the configuration table, or checks that they are what
// it makes. Run after a build: `node scripts/config-docs.mjs --write` or `--check`. PUMICE_DIST names another
// build folder than dist.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = resolve(ROOT, process.env.PUMICE_DIST ?? 'dist');
const { CONFIG_PATHS, rowOf } = await import(pathToFileURL(join(DIST, 'src/shared/config.js')).href);

const WIDTH = 108;
const MIB = 1024 * 1024;

/** A value as it may stand in the file. */
function written(row, value) {
  if (value === null) return '';
  if (Array.isArray(value)) return `[${value.map((item) => `'${item}'`).join(', ')}]`;
  if (typeof value === 'object') return '{}';
  if (row.type === 'duration') return row.unit === 'ms' ? String(value) : durationText(value);
  if (row.type === 'size') return sizeText(value);
  if (row.type === 'bitrate') return value % 1000 === 0 ? `${value / 1000}k` : String(value);
  if (typeof value === 'string') return /^[\w./-]*[A-Za-z][\w./-]*$/.test(value) ? value : `'${value}'`;
  return String(value);
}

function durationText(ms) {
  if (ms % 1000 !== 0) return `${ms}ms`;
  if (ms === 0 || ms % 60_000 !== 0) return `${ms / 1000}s`;
  if (ms % 3_600_000 !== 0) return `${ms / 60_000}m`;
  return ms % 86_400_000 === 0 ? `${ms / 86_400_000}d` : `${ms / 3_600_000}h`;
}

function sizeText(bytes) {
  if (bytes === 0) return '0';
  if (bytes % (1024 * MIB) === 0) return `${bytes / (1024 * MIB)}GB`;
  if (bytes % MIB === 0) return `${bytes / MIB}MB`;
  return bytes % 1024 === 0 ? `${bytes / 1024}KB` : String(bytes);
}

/** The keys of files as a tree of sections, in the order of the table. */
function sections() {
  const root = { name: '', path: null, children: new Map() };
  for (const path of CONFIG_PATHS) {
    if (rowOf(path).variable) continue;
    let node = root;
    for (const name of path.split('.')) {
      if (!node.children.has(name)) node.children.set(name, { name, path: null, children: new Map() });
      node = node.children.get(name);
    }
    node.path = path;
  }
  return root;
}

function comment(text, indent) {
  const lines = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function node(of, depth) {
  const indent = '  '.repeat(depth);
  // A section without keys is harmless, so that taking away one # is enough.
  const mark = of.children.size > 0 || rowOf(of.path).shipped !== undefined ? '' : '#';
  const row = of.path === null ? null : rowOf(of.path);
  const lines = row === null ? [] : comment(docOf(row), indent);
  const value = row === null || of.children.size > 0 ? '' : written(row, row.shipped ?? row.default);
  lines.push(`${mark}${indent}${of.name}:${value === '' ? '' : ` ${value}`}`);
  for (const child of of.children.values()) lines.push(...node(child, depth + 1));
  return lines;
}

const docOf = (row) => (row.status === 'applied' ? row.doc : `${row.doc} (${row.status})`);

export function exampleFile() {
  const lines = [
    '# The configuration of Pumice. Made from the table in src/shared/config.ts by scripts/config-docs.mjs; every',
    '# key is here, those at their default are commented out: take the # away to change one. docs/settings.md explains',
    '# the rules. A file written for Lavalink works as it is.',
  ];
  for (const child of sections().children.values()) lines.push('', ...node(child, 0));
  lines.push('', '# Read from the environment only:');
  for (const path of CONFIG_PATHS) {
    const row = rowOf(path);
    if (row.variable) lines.push(...comment(`${[path, ...row.aliases].join(', ')} - ${docOf(row)}`, ''));
  }
  return `${lines.join('\n')}\n`;
}

const TAKES_EFFECT = { live: 'at a reload', new: 'for what is made afterwards', restart: 'at a restart' };

const INTRODUCTION = `# Settings

Made from the table in \`src/shared/config.ts\` by \`scripts/config-docs.mjs\`; do not edit it by hand.

## Where values come from

Highest first; a higher layer replaces a value or a whole list, maps merge key by key:

1. the command line: \`--server.port=2333\`, any key;
2. \`SPRING_APPLICATION_JSON\`, a JSON tree; then single environment variables;
3. \`application-PROFILE.yml\` beside the main file, for each name in \`spring.profiles.active\`;
4. one file: \`--config FILE\`, else \`PUMICE_CONFIG\`, else \`config/application.yml\`, else \`application.yml\` in the
   working directory; what it imports by \`spring.config.import\` overrides it. \`.yml\`, \`.yaml\` and \`.properties\`;
5. the defaults below.

\`--validate\` (or \`--check-config\`) loads every layer, prints one line for each key that is not plainly applied and
exits with 0, or with 78 where the server would refuse to start; with \`--strict\` also where a key is limited or has
no effect. \`--print-config\` prints every value with the layer it came from. Secrets are shown as \`***\`.

## Spelling and values

- \`bufferDurationMs\`, \`buffer-duration-ms\` and \`buffer_duration_ms\` are one key, in any case of letters. Two
  spellings of one key in one mapping, a repeated key and an unknown key fail start-up with file, line and column.
- \`rust.X\` is \`pumice.X\`, for every key.
- Durations: \`500ms\`, \`30s\`, \`2m\`, \`1h\`, \`1d\`, \`PT30S\`; a bare number counts the unit in the table. Sizes: \`64KB\`,
  \`10MB\`, \`1GB\`, powers of 1,024; a bare number counts bytes. Booleans: true, yes, on, 1 and their opposites.
- \`\${NAME}\` and \`\${NAME:fallback}\` in a value stand for a variable of the environment or for another key.
- Variables of the environment: the key in capitals, \`.\` becomes \`_\`, words joined or split:
  \`LAVALINK_SERVER_PLAYERUPDATEINTERVAL\`, \`LAVALINK_SERVER_PLAYER_UPDATE_INTERVAL\`. Lists: separated by commas, or
  \`NAME_0\`, \`NAME_1\`. An empty variable counts as absent. A secret may be given as \`…_PASSWORD_FILE\` or
  \`…_DSN_FILE\` with the path of a file that holds it.
- Free maps (type map) are kept letter for letter; unknown names in them are reported and never an error.

## Keys
`;

const cell = (text) => text.replaceAll('|', '\\|');

function rangeText(row) {
  const { min, max, below, above, off } = row.range;
  if (min === undefined && max === undefined) return '';
  const show = (value) => written(row, value);
  const parts = [max === undefined ? `${show(min)} and more` : `${show(min)} to ${show(max)}`];
  if (off === true) parts.push('0 and less: off');
  if (below !== undefined) parts.push(`less: ${show(below)}`);
  if (above !== undefined) parts.push(`more: ${show(above)}`);
  return parts.join('; ');
}

function typeText(row) {
  if (row.type === 'choice') return row.values.join(', ');
  const words = row.values.length > 0 ? `, ${row.values.join(', ')}` : '';
  const unit = row.type === 'duration' ? ` (${row.unit})` : '';
  const range = rangeText(row);
  return `${row.type === 'tree' ? 'map' : row.type}${unit}${words}${range === '' ? '' : `, ${range}`}`;
}

function tableRow(path) {
  const row = rowOf(path);
  const aliases = row.aliases.length === 0 ? '' : ` Also \`${row.aliases.join('`, `')}\`.`;
  const state = row.status === 'applied' && row.refuse !== undefined ? 'refused' : row.status;
  const only = row.only === undefined || row.status === 'applied' ? '' : ` (where ${written(row, row.only)})`;
  const value = written(row, row.default);
  const cells = [
    `\`${path}\``,
    typeText(row),
    value === '' ? 'none' : `\`${value}\``,
    TAKES_EFFECT[row.takesEffect],
    `${state}${only}`,
    `${row.doc}${aliases}`,
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

export function settingsPage() {
  const groups = new Map();
  for (const path of CONFIG_PATHS) {
    const group = rowOf(path).variable ? 'Variables of the environment only' : `\`${path.split('.')[0]}\``;
    groups.set(group, [...(groups.get(group) ?? []), path]);
  }
  const parts = [INTRODUCTION];
  for (const [group, paths] of groups) {
    parts.push(
      `### ${group}\n`,
      '| Key | Type | Default | A change is felt | State | Meaning |\n| --- | --- | --- | --- | --- | --- |',
      `${paths.map(tableRow).join('\n')}\n`,
    );
  }
  return parts.join('\n');
}

const OUTPUTS = [
  ['config/application.yml', exampleFile],
  ['docs/settings.md', settingsPage],
];

function main(flag) {
  if (flag !== '--write' && flag !== '--check') {
    console.error('usage: node scripts/config-docs.mjs --write | --check');
    return 64;
  }
  let stale = 0;
  for (const [file, make] of OUTPUTS) {
    const path = join(ROOT, file);
    if (flag === '--write') {
      writeFileSync(path, make());
    } else if (read(path) !== make()) {
      console.error(`${file} is not what the table makes; run node scripts/config-docs.mjs --write`);
      stale += 1;
    }
  }
  return stale === 0 ? 0 : 1;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

process.exitCode = main(process.argv[2]);
