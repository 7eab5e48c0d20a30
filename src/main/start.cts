// The entry point: what has to happen before anything is loaded. libuv reads UV_THREADPOOL_SIZE at the first
// use of its pool, which already the loading of a module is, so it is looked for here, cheaply, in the places
// where src/main/config.ts reads `pumice.performance.blockingThreads` for good; index.ts does the rest.
// CommonJS, because the imports of a module are loaded before its first line runs.
import fs = require('node:fs');
import path = require('node:path');

/** Default and bounds of the key, as in the configuration's table. */
const DEFAULT = 8;
const MOST = 1_024;
const NAME = 'blocking[-_]?threads';

function configured(): number | null {
  return fromArguments() ?? fromEnvironment() ?? fromFile();
}

function fromArguments(): number | null {
  const option = new RegExp(`^--(?:pumice|rust)\\.performance\\.${NAME}=(\\d+)$`, 'i');
  return first(process.argv.slice(2), option);
}

function fromEnvironment(): number | null {
  const name = new RegExp(`^(?:PUMICE|RUST)_PERFORMANCE_${NAME}$`, 'i');
  for (const [key, value] of Object.entries(process.env)) if (name.test(key)) return number(value);
  return null;
}

function fromFile(): number | null {
  const option = process.argv.indexOf('--config');
  const named =
    process.argv.find((argument) => argument.startsWith('--config='))?.slice('--config='.length) ??
    (option === -1 ? undefined : process.argv[option + 1]) ??
    process.env['PUMICE_CONFIG'];
  const candidates =
    named === undefined ? [path.join('config', 'application.yml'), 'application.yml'] : [named];
  for (const candidate of candidates) {
    try {
      const lines = fs.readFileSync(candidate, 'utf8').split('\n');
      return first(lines, new RegExp(`^\\s*(?:max[-_]?)?${NAME}\\s*:\\s*(\\d+)`, 'i'));
    } catch {
      continue; // config.ts tells why a file cannot be read.
    }
  }
  return null;
}

function first(texts: readonly string[], pattern: RegExp): number | null {
  for (const text of texts) {
    const found = number(pattern.exec(text)?.[1]);
    if (found !== null) return found;
  }
  return null;
}

function number(text: string | undefined): number | null {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= MOST ? value : null;
}

process.title = 'pumice';
process.env['UV_THREADPOOL_SIZE'] ??= String(configured() ?? DEFAULT);

void import('./index.js');
