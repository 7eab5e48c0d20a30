// `npm test [-- FILE… [--tap-option…]]`: sets up, then runs tap over the compiled tests. A FILE is a test's
// source or a part of its path (test/shared/errors.test.ts, shared/errors); options go to tap as they are.
// Leaves the raw result in .tap/results.tap, from which scripts/test-result.mjs counts.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { outputOf, root, setUp, sourceFiles } from './set-up.mjs';

const RESULTS = join(root, '.tap', 'results.tap');

setUp();

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const wanted = args.filter((arg) => !arg.startsWith('-'));
const files = wanted.flatMap((arg) => testsMatching(arg));

mkdirSync(join(root, '.tap'), { recursive: true });
rmSync(RESULTS, { force: true });

// With a reporter tap writes the raw result to a file beside it. Without one (no terminal) it would print
// everything twice, so its output is copied to the file here.
const reports = process.stdout.isTTY || options.some((option) => /^(-R|--reporter)/.test(option));
const tap = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs');
const output = reports ? [`--output-file=${RESULTS}`] : [];
const child = spawn(process.execPath, [tap, 'run', ...output, ...options, ...files], {
  cwd: root,
  stdio: ['inherit', reports ? 'inherit' : 'pipe', 'inherit'],
});
if (child.stdout !== null) {
  child.stdout.pipe(createWriteStream(RESULTS));
  child.stdout.pipe(process.stdout);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1;
});

function testsMatching(arg) {
  const part = arg
    .replace(/^\.\//, '')
    .replace(/^dist\//, '')
    .replace(/\.js$/, '.ts');
  const found = sourceFiles(['test']).filter((file) => file.endsWith('.test.ts') && file.includes(part));
  if (found.length > 0) return found.map((file) => relative(root, outputOf(file)));
  process.stderr.write(`No test matches ${arg}\n`);
  process.exit(1);
}
