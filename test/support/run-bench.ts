// Runs a command of bench/ in a process of its own, as an operator would, and gives back what it said. For the
// tests of the demo and the benches.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Kept } from '../../bench/results.js';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

const CEILING_MS = 160_000;

export function runBench(name: string, args: readonly string[], cwd: string): Promise<Ended> {
  const entry = fileURLToPath(new URL(`../../bench/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    timeout: CEILING_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, out, errors });
    });
  });
}

/** What the bench keeps, with what it prints; rejects with that when it keeps nothing. */
export async function keptBy<Result>(
  t: Pick<Test, 'teardown'>,
  name: string,
  args: readonly string[],
): Promise<Kept<Result> & { readonly out: string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'pumice-bench-'));
  t.teardown(() => rm(cwd, { recursive: true, force: true }));
  const { out, errors } = await runBench(name, [...args, '--out', 'raw.json'], cwd);
  const raw = await readFile(join(cwd, 'raw.json'), 'utf8').catch(() => {
    throw new Error(`no result:\n${out}${errors}`);
  });
  return { ...(JSON.parse(raw) as Kept<Result>), out };
}
