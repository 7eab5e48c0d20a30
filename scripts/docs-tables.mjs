// Makes docs/errors.md and docs/limits.md from the tables of src/shared. `--write` writes them, `--check` (the
// default) fails when they differ, so a row that is missing and a row too many are both found. Runs after
// set-up: the values come from the compiled tables, the explanations from the comments of their sources.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { outputOf, root, setUp } from './set-up.mjs';

setUp();
const write = process.argv.includes('--write');
const ts = (await import('typescript')).default;
const { ERRORS } = await load('src/shared/errors.ts');
const limits = await load('src/shared/limits.ts');

const pages = {
  'docs/errors.md': errorsPage(),
  'docs/limits.md': limitsPage(),
};
for (const [file, text] of Object.entries(pages)) {
  const path = join(root, file);
  if (write) {
    mkdirSync(join(root, 'docs'), { recursive: true });
    writeFileSync(path, text);
    continue;
  }
  const difference = firstDifference(readOrEmpty(path), text);
  if (difference !== null) {
    console.error(`${file} does not match its table (make it with node scripts/docs-tables.mjs --write)`);
    console.error(difference);
    process.exitCode = 1;
  }
}

function load(file) {
  return import(pathToFileURL(outputOf(file)).href);
}

function errorsPage() {
  const groups = membersOf('src/shared/errors.ts', 'ERRORS');
  const lines = [
    '# Errors',
    '',
    'Every error that the server reports has a code. The HTTP status is what REST answers; the severity is what a',
    'client reads in an exception of a track; `{name}` in a message is filled in. Made from `src/shared/errors.ts` by',
    '`node scripts/docs-tables.mjs --write`; do not edit it.',
  ];
  let heading = null;
  for (const { name, section } of groups) {
    if (section !== null && section !== heading) {
      heading = section;
      lines.push('', `## ${heading}`, '', '| code | status | severity | message |', '|---|---|---|---|');
    }
    const { status, severity, message } = ERRORS[name];
    lines.push(`| \`${name}\` | ${status} | ${severity} | ${cell(message)} |`);
  }
  return `${lines.join('\n')}\n`;
}

function limitsPage() {
  const lines = [
    '# Limits',
    '',
    'Every ceiling of the server. Reaching one is always visible: a coded error (`errors.md`), a closed socket or a',
    'counter. Made from `src/shared/limits.ts` by `node scripts/docs-tables.mjs --write`; do not edit it.',
  ];
  // A module lists its exports by the alphabet; a reader wants the order of the source.
  for (const group of exportsOf('src/shared/limits.ts')) {
    const values = limits[group];
    const about = commentOf('src/shared/limits.ts', group);
    lines.push(
      '',
      `## ${group}`,
      '',
      ...(about === null ? [] : [about, '']),
      '| limit | value | meaning |',
      '|---|---|---|',
    );
    const members = membersOf('src/shared/limits.ts', group);
    const comments = new Map(members.map(({ name, comment }) => [name, comment]));
    for (const [name, value] of Object.entries(values)) {
      lines.push(`| \`${name}\` | ${show(value)} | ${cell(comments.get(name) ?? '')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function show(value) {
  if (Array.isArray(value)) return value.map((element) => show(element)).join(' / ');
  return typeof value === 'number' ? value.toLocaleString('en-GB') : cell(String(value));
}

/** The members of an exported object literal in order, with their comment and the `//` section they stand in. */
function membersOf(file, name) {
  const { source, initializer } = declarationOf(file, name);
  if (initializer === undefined || !ts.isObjectLiteralExpression(initializer)) return [];
  let section = null;
  return initializer.properties.map((property) => {
    const { line, doc } = leading(source, property);
    section = line?.replace(/\.$/, '') ?? section;
    return { name: property.name.getText(source), comment: doc, section };
  });
}

/** Names of the tables a file exports, in the order of the source. */
function exportsOf(file) {
  const source = parse(file);
  return source.statements
    .filter((statement) => ts.isVariableStatement(statement))
    .flatMap((statement) => statement.declarationList.declarations)
    .map((declaration) => declaration.name.getText(source))
    .filter((name) => typeof limits[name] === 'object');
}

function commentOf(file, name) {
  const { source, statement } = declarationOf(file, name);
  return statement === undefined ? null : leading(source, statement).doc;
}

function declarationOf(file, name) {
  const source = parse(file);
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      if (declaration.name.getText(source) !== name) continue;
      let { initializer } = declaration;
      while (initializer && (ts.isAsExpression(initializer) || ts.isSatisfiesExpression(initializer))) {
        initializer = initializer.expression;
      }
      return { source, statement, initializer };
    }
  }
  return { source, statement: undefined, initializer: undefined };
}

function parse(file) {
  return ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);
}

/** The comments before a node: `//` lines and the `/** … *\/` block, each as one line of text, or null. */
function leading(source, node) {
  const ranges = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  const texts = ranges.map(({ pos, end }) => source.text.slice(pos, end));
  const join = (parts) => (parts.length === 0 ? null : parts.join(' ').replace(/\s+/g, ' ').trim());
  return {
    line: join(texts.filter((text) => text.startsWith('//')).map((text) => text.slice(2))),
    doc: join(
      texts
        .filter((text) => text.startsWith('/**'))
        .map((text) => text.slice(3, -2).replace(/^\s*\* ?/gm, ' ')),
    ),
  };
}

function cell(text) {
  return text.replaceAll('|', '\\|');
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function firstDifference(found, wanted) {
  if (found === wanted) return null;
  const [a, b] = [found.split('\n'), wanted.split('\n')];
  const at = b.findIndex((line, index) => line !== a[index]);
  const index = at === -1 ? b.length : at;
  return `  line ${index + 1}\n  - ${a[index] ?? '(nothing)'}\n  + ${b[index] ?? '(nothing)'}`;
}
