// `npm run ready [-- --without-tests]`: everything a change has to pass, in one command: format, lint with type
// information, type check, import rules, the tables in docs/, then the tests. Every step runs even when an
// earlier one failed, so that one run shows all there is to mend.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, setUp } from './set-up.mjs';

const withoutTests = process.argv.includes('--without-tests');

// The type check: the build fails on any type error in src, test or bench.
setUp();

const bin = (name, file) => join(root, 'node_modules', name, ...file.split('/'));
const script = (name) => join(root, 'scripts', name);

const steps = [
  ['format', [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level=warn', ...formatted()]],
  ['lint', [bin('eslint', 'bin/eslint.js'), '--max-warnings=0', '.']],
  ['import rules', [script('import-rules.mjs')]],
  ['tables in docs/', [script('docs-tables.mjs'), '--check']],
  ...(existsSync(script('config-docs.mjs'))
    ? [['settings in docs/', [script('config-docs.mjs'), '--check']]]
    : []),
  ...(withoutTests ? [] : [['tests', [script('test.mjs')]]]),
];

console.log('ok      types');
const failed = steps.filter(([title, args]) => {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  console.log(`${status === 0 ? 'ok     ' : 'FAILED '} ${title}`);
  return status !== 0;
});
if (failed.length > 0) {
  console.log(`\nNot ready: ${failed.map(([title]) => title).join(', ')}`);
  process.exitCode = 1;
}

/** Source and configuration; prose and the generated tables keep their own line breaks. */
function formatted() {
  const folders = ['src', 'test', 'bench', 'scripts'].filter((folder) => existsSync(join(root, folder)));
  const patterns = folders.flatMap((folder) =>
    hasFiles(folder) ? [`${folder}/**/*.{ts,cts,mjs,cjs,js}`] : [],
  );
  return [...patterns, '*.{js,cjs,json}', '.*.{cjs,json}'];
}

function hasFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).some((file) =>
    /\.[cm]?[jt]s$/.test(file),
  );
}
