// What --validate, --print-config and a refused start print. Pure; main thread.
import { CONFIG_PATHS, rowOf } from '../../shared/config.js';
import type { Findings, Notice, Problem } from './findings.js';
import type { Draft } from './resolve.js';
import { showValue } from './show.js';

/** One line for a notice: where, key, kind, reason. */
export function noticeLine(notice: Notice): string {
  return `${placeOf(notice)}: ${notice.kind}: ${notice.text}`;
}

export function problemLine(problem: Problem): string {
  return `${placeOf(problem)}: ${problem.text}`;
}

/** Where it was given and which key; once, when an environment variable is both. */
function placeOf({ where, path }: Pick<Notice, 'where' | 'path'>): string {
  return path === '' || where.endsWith(` ${path}`) ? where : `${where} ${path}`;
}

/** The kinds that --strict does not accept (§1.5). */
const STRICT: ReadonlySet<string> = new Set(['limited', 'no effect', 'no effect yet']);

export interface Report {
  readonly code: 0 | 78;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

export function validationReport(draft: Draft, findings: Findings, strict: boolean): Report {
  const stdout = findings.notices.map(noticeLine);
  const refused = strict ? findings.notices.filter((notice) => STRICT.has(notice.kind)).length : 0;
  const stderr = findings.problems.map(problemLine);
  if (refused > 0)
    stderr.push(`${count(refused, 'key is', 'keys are')} limited or without effect (--strict)`);
  if (stderr.length > 0) return { code: 78, stdout, stderr };
  return {
    code: 0,
    stdout: [...stdout, `${count(draft.origins.size, 'key is', 'keys are')} set; the configuration is valid`],
    stderr,
  };
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

/** Every key with its value and the layer it came from, secrets masked. */
export function printedConfig(draft: Draft): readonly string[] {
  return CONFIG_PATHS.map((path) => {
    const layer = draft.origins.get(path)?.layer ?? 'default';
    return `${path}: ${showValue(rowOf(path), draft.values[path])}  # ${layer}`;
  });
}
