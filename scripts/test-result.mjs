// Prints the counts of the last `npm test` as one line, `N passed, N failed[, N skipped]`, read from tap's own
// closing summary. Called by .ci/run with the exit code of that run; exits with 1 when anything failed, when
// fewer than `--at-least N` assertions passed, or when tap left no summary.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './set-up.mjs';

const { values } = parseArgs({
  options: {
    'exit-code': { type: 'string', default: '0' },
    'at-least': { type: 'string', default: '1' },
  },
});

const counts = readSummary();
// A file that dies between two assertions fails the run without failing an assertion.
const failed = Math.max(counts.fail ?? 0, values['exit-code'] === '0' ? 0 : 1);
const passed = counts.pass ?? 0;
const skipped = (counts.skip ?? 0) + (counts.todo ?? 0);
const enough = passed >= Number(values['at-least']);
if (!enough) console.error(`Only ${passed} assertions passed; at least ${values['at-least']} are expected`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || !enough ? 1 : 0;

/** tap's last comment but one: `# { total: 13, pass: 5, fail: 5, todo: 1, skip: 2 }`, zeros left out. */
function readSummary() {
  let text = '';
  try {
    text = readFileSync(join(root, '.tap', 'results.tap'), 'utf8');
  } catch {
    // No result at all: the counts are zero, and zero is too few.
  }
  const summary = [...text.matchAll(/^# \{ (total: \d+.*) \}$/gm)].at(-1)?.[1] ?? '';
  return Object.fromEntries(
    summary
      .split(', ')
      .map((pair) => pair.split(': '))
      .filter((pair) => pair.length === 2)
      .map(([name, count]) => [name, Number(count)]),
  );
}
