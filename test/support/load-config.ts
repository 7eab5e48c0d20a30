// Loads a configuration from files made for one test. Used by test/main/config*.test.ts; every test gets a folder
// of its own, and no variable of the real environment is seen.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { loadConfig, noticeLine } from '../../src/main/config.js';
import type { ConfigOutcome, Notice } from '../../src/main/config.js';
import type { ConfigValues } from '../../src/shared/config.js';

export interface Case {
  readonly files?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Given by the environment unless the test says otherwise, so that start-up is not refused for it. */
  readonly password?: string | null;
}

export function load(t: Test, of: Case): ConfigOutcome {
  const cwd = t.testdir({});
  for (const [name, text] of Object.entries(of.files ?? {})) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const password = of.password === undefined ? 'a test password' : of.password;
  const secret = password === null ? {} : { LAVALINK_SERVER_PASSWORD: password };
  return loadConfig(of.argv ?? [], { ...secret, ...of.env }, cwd);
}

/** The values and notices of a case that starts; anything else fails the test with what was printed. */
export function started(
  t: Test,
  of: Case,
): { values: ConfigValues; notices: readonly Notice[]; lines: string } {
  const outcome = load(t, of);
  if (outcome.kind === 'exit') throw new Error(`it did not start: ${outcome.stderr.join('\n')}`);
  return { ...outcome, lines: outcome.notices.map(noticeLine).join('\n') };
}

/** What a refused start prints, one line each; it must be refused with 78. */
export function refused(t: Test, of: Case): readonly string[] {
  const outcome = load(t, of);
  if (outcome.kind === 'run') throw new Error('it started');
  t.equal(outcome.code, 78, 'the exit code is that of a configuration error');
  t.ok(outcome.stderr.length > 0, 'it says why');
  return outcome.stderr;
}
