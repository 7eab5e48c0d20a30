// Runs a command of bench/ in a process of its own, as an operator would, and gives back what it said. For the
// tests of the demo and the benches.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

const CEILING_MS = 80_000;

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
