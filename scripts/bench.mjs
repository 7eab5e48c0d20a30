// `npm run bench -- NAME [args]`: sets up, then runs bench/NAME.ts in this process. Without a name it lists
// what there is.

import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { outputOf, setUp, sourceFiles } from './set-up.mjs';

setUp();

const [name, ...args] = process.argv.slice(2);
const names = sourceFiles(['bench'])
  .filter((file) => /^bench\/[^/]+\.ts$/.test(file))
  .map((file) => basename(file, '.ts'));
if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [args]\nBenches: ${names.join(', ') || 'none yet'}`);
  process.exit(name === undefined ? 0 : 1);
}

const entry = outputOf(`bench/${name}.ts`);
process.argv = [process.argv[0], entry, ...args];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(entry).href);
