// Keeps the raw result of a bench as JSON under bench/results/, with the command, the commit and the machine it
// was measured on, and has report.ts write the tables of bench/README.md anew from all of them.
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { RESULTS, writeReport } from './report.js';

export interface Kept<Result> {
  /** Name of the bench; it decides which table shows the results, where `table` does not. */
  readonly bench: string;
  readonly table?: string;
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly results: readonly Result[];
}

export interface KeepOptions {
  readonly bench: string;
  /** Of the file's name, behind the bench's; absent where there is one result of that bench. */
  readonly variant?: string;
  /** Where the bench's results have a shape of their own. */
  readonly table?: string;
  /** A file of its own, which no table shows. */
  readonly out?: string | undefined;
}

/** Prints the results as JSON, too. */
export async function keep(options: KeepOptions, results: readonly unknown[]): Promise<void> {
  const { bench, variant, table, out } = options;
  const kept: Kept<unknown> = {
    bench,
    ...(table === undefined ? {} : { table }),
    command: `npm run bench -- ${bench} ${process.argv.slice(2).join(' ')}`.trim(),
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    node: process.version,
    machine: machine(),
    results,
  };
  const file = out ?? join(RESULTS, `${variant === undefined ? bench : `${bench}-${variant}`}.json`);
  const text = `${JSON.stringify(kept, rounded, 2)}\n`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  process.stdout.write(text);
  if (out === undefined) await writeReport();
}

/** Nothing here is measured more finely than that. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' && Number.isFinite(value) ? Number(value.toFixed(4)) : value;
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  return `${String(cpus().length)} × ${model}, ${memory} GiB, Linux ${release()}`;
}

/** With a plus where what runs is not what was committed. */
function commit(): string {
  try {
    const head = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain', '--', 'src', 'package.json') === '' ? head : `${head}+`;
  } catch {
    return 'unknown';
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
