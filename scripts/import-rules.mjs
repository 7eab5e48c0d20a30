// Checks the import rules of .dependency-cruiser.cjs over src, test and bench. Called by scripts/ready.mjs.
// Also checks that the tool looked at all: with a compiler it does not know it finds no imports, or no files,
// and reports success.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceFiles } from './set-up.mjs';

const folders = ['src', 'test', 'bench'].filter((folder) => existsSync(join(root, folder)));
const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const run = spawnSync(
  process.execPath,
  [cruiser, ...folders, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
  { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, stdio: ['ignore', 'pipe', 'inherit'] },
);
let result;
try {
  result = JSON.parse(run.stdout);
} catch {
  console.error(`dependency-cruiser gave no result (exit code ${run.status})`);
  process.exit(1);
}

const { modules, summary } = result;
const problems = summary.violations.map(
  (violation) =>
    `${violation.rule.name}: ${violation.from} → ${violation.to}` +
    (violation.cycle === undefined ? '' : ` (${violation.cycle.map((step) => step.name).join(' → ')})`) +
    `\n    ${violation.comment ?? commentOf(violation.rule.name)}`,
);

const seen = new Set(modules.map((module) => module.source));
const unseen = sourceFiles().filter((file) => !seen.has(file));
if (unseen.length > 0) problems.push(`not looked at: ${unseen.join(', ')}`);

const imports = modules
  .filter((module) => /^src\//.test(module.source))
  .flatMap((module) => module.dependencies);
const fromSource = sourceFiles(['src']).length;
if (fromSource === 0 || imports.length < fromSource) {
  problems.push(`only ${imports.length} imports seen in ${fromSource} files of src: the parser did not work`);
}

for (const problem of problems) console.error(`  ${problem}`);
console.log(`${seen.size} modules, ${imports.length} imports of src, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

function commentOf(name) {
  return summary.ruleSetUsed?.forbidden?.find((rule) => rule.name === name)?.comment ?? '';
}
