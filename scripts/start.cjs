// `npm start`: sets up, then runs the server in this very process, so that there is one process to signal,
// to measure and to name. CommonJS, unlike its neighbours: by the time an ES module has been loaded on
// Node 20 libuv's thread pool exists, and `pumice.performance.blockingThreads` could no longer size it.

const { join } = require('node:path');
const { root, setUp } = require('./set-up.mjs');

setUp({ production: true });

const entry = join(root, 'dist', 'src', 'main', 'start.cjs');
process.argv[1] = entry;
process.setSourceMapsEnabled(true);
require(entry);
