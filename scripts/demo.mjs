// `npm run demo [-- args]`: sets up, then runs bench/demo.ts in this process.

import { pathToFileURL } from 'node:url';
import { outputOf, setUp } from './set-up.mjs';

setUp();

const entry = outputOf('bench/demo.ts');
process.argv = [process.argv[0], entry, ...process.argv.slice(2)];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(entry).href);
