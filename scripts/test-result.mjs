// Prints what failed in the last `npm test`, each failure with the names above it and its diagnostic, and then
// the counts as one line, `N passed, N failed[, N skipped]`, read from tap's own closing summary. Called by .ci/run with the exit code of that run; exits with 1 when anything failed, when
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

const text = readResults();
for (const failure of failures(text)) console.log(failure);
const counts = readSummary(text);
// A file that dies between two assertions fails the run without failing an assertion.
const failed = Math.max(counts.fail ?? 0, values['exit-code'] === '0' ? 0 : 1);
const passed = counts.pass ?? 0;
const skipped = (counts.skip ?? 0) + (counts.todo ?? 0);
const enough = passed >= Number(values['at-least']);
if (!enough) console.error(`Only ${passed} assertions passed; at least ${values['at-least']} are expected`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || !enough ? 1 : 0;

function readResults() {
  try {
    return readFileSync(join(root, '.tap', 'results.tap'), 'utf8');
  } catch {
    // No result at all: the counts are zero, and zero is too few.
    return '';
  }
}

/**
 * The failed points of the innermost level, in order: a log of thousands of lines is often kept only in part,
 * and its end must say what went wrong. TAP indents a subtest by four spaces and closes it with its own point,
 * so the failures of a subtest stand before the line that names it.
 */
function failures(tap) {
  const lines = tap.split('\n');
  const found = [];
  for (let at = 0; at < lines.length; at++) {
    const point = /^( *)not ok \d+(?: - )?(.*)$/.exec(lines[at]);
    if (point === null || /# (SKIP|TODO)/i.test(point[2])) continue;
    const depth = point[1].length;
    const own = found.filter((failure) => failure.depth > depth && !failure.closed);
    const name = point[2].replace(/ # time=.*$/, '');
    for (const failure of own) failure.names.unshift(name);
    if (own.length === 0)
      found.push({ depth, names: [name], detail: detailOf(lines, at + 1), closed: false });
    for (const failure of found) failure.closed ||= depth === 0;
    for (const failure of own) failure.depth = depth;
  }
  return found.map(({ names, detail }) => ['FAILED  ' + names.join(' > '), ...detail].join('\n'));
}

/** The YAML block behind a failed point, if one follows; at most 40 lines of it. */
function detailOf(lines, from) {
  if (lines[from]?.trim() !== '---') return [];
  const end = lines.findIndex((line, at) => at > from && line.trim() === '...');
  return lines.slice(from + 1, end < 0 ? from + 41 : Math.min(end, from + 41));
}

/** tap's last comment but one: `# { total: 13, pass: 5, fail: 5, todo: 1, skip: 2 }`, zeros left out. */
function readSummary(tap) {
  const summary = [...tap.matchAll(/^# \{ (total: \d+.*) \}$/gm)].at(-1)?.[1] ?? '';
  return Object.fromEntries(
    summary
      .split(', ')
      .map((pair) => pair.split(': '))
      .filter((pair) => pair.length === 2)
      .map(([name, count]) => [name, Number(count)]),
  );
}
