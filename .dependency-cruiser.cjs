// Which file may import what: the table of layers and the table of adapters of ARCHITECTURE.md, checked by
// `npm run ready` (scripts/import-rules.mjs) and proved to bite by test/rules.test.ts. Type-only imports
// count like any other unless a rule says so.

/** Package → the only files that may import it. A package that is not here may not be imported by src. */
const ADAPTERS = {
  'uWebSockets.js': ['src/main/http/engine-uws.ts'],
  ws: ['src/main/http/engine-node.ts', 'src/shard/voice/gateway.ts'],
  piscina: ['src/main/dispatch/pool.ts'],
  lmdb: ['src/main/state-store.ts'],
  'prom-client': ['src/main/metrics.ts'],
  yaml: ['src/main/config/yaml.ts'],
  msgpackr: ['src/shared/channel.ts'],
  undici: ['src/shard/source/http.ts'],
  'prism-media': ['src/shard/source/ffmpeg.ts'],
  // sodium-native under another name: @discordjs/voice must not find it.
  'sealing-sodium': ['src/shard/voice/seal.ts'],
  '@snazzah/davey': ['src/shard/voice/dave.ts'],
  '@discordjs/voice': ['src/shard/voice/discordjs-driver.ts'],
  mediabunny: ['src/audio/demux.ts'],
  'node-av': ['src/audio/decode.ts', 'src/audio/resample.ts'],
  '@discordjs/opus': ['src/audio/opus.ts'],
};

/** Module of Node → the files that may import it, as patterns. */
const NODE_MODULES = {
  // The Worker class cannot be told from MessagePort by its module, so types are free and values are listed.
  worker_threads: [
    'src/main/dispatch/',
    'src/shared/channel.ts',
    'src/shard/entry.ts',
    'src/shard/loader-entry.ts',
    'src/shard/sender/entry.ts',
  ],
  dgram: ['src/shard/sender/udp.ts'],
  dns: ['src/shard/source/guard.ts'],
  'dns/promises': ['src/shard/source/guard.ts'],
  http: ['src/main/http/engine-node.ts'],
  https: ['src/main/http/engine-node.ts'],
  http2: [],
  child_process: ['src/shard/source/ffmpeg.ts'],
  cluster: [],
  vm: [],
  repl: [],
};

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
const startsWith = (files) => files.map((file) => `^${escape(file)}${file.endsWith('/') ? '' : '$'}`);
/** A package as dependency-cruiser names it: its folder, or its bare name where it is not installed. */
const packagePath = (name) => `(^|/)node_modules/${escape(name)}(/|$)|^${escape(name)}(/|$)`;
const NPM = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const layers = [
  rule(
    'no-circular',
    'An import circle has no beginning to run from. A type named by the file that its owner calls is no circle.',
    {},
    { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  ),
  rule(
    'no-unresolvable',
    'The imported file or package is not there.',
    { path: '^(src|test|bench)/' },
    { couldNotResolve: true },
  ),
  rule(
    'product-imports-no-tests',
    'Tests and benches look at the product, never the other way.',
    { path: '^src/' },
    { path: '^(test|bench|scripts)/' },
  ),
  rule(
    'shared-imports-shared',
    'src/shared is what every thread agrees on; it imports itself only.',
    { path: '^src/shared/' },
    { path: '^src/(audio|shard|main)/' },
  ),
  rule(
    'audio-imports-shared',
    'src/audio: bytes in, frames out.',
    { path: '^src/audio/' },
    { path: '^src/(shard|main)/' },
  ),
  rule(
    'shard-not-main',
    'Shards and main speak by messages only.',
    { path: '^src/shard/' },
    { path: '^src/main/' },
  ),
  rule(
    'main-imports-shared',
    'Main never parses media; it speaks to shards by messages only.',
    { path: '^src/main/' },
    { path: '^src/(audio|shard)/' },
  ),
  rule(
    'sender-imports-shared',
    'The sender imports shared and itself.',
    { path: '^src/shard/sender/' },
    { path: '^src/(audio|main|shard/(?!sender/))' },
  ),
  rule(
    'shard-sees-sender-types',
    'Of the sender a shard knows the types of its messages; src/shard/create-driver.ts puts both together.',
    { path: '^src/shard/', pathNot: ['^src/shard/sender/', '^src/shard/create-driver\\.ts$'] },
    { path: '^src/shard/sender/', dependencyTypesNot: ['type-only'] },
  ),
  rule(
    'audio-is-pure',
    'No sockets, timers, threads or files in src/audio.',
    { path: '^src/audio/' },
    {
      dependencyTypes: ['core'],
      path: '^(node:)?(fs|net|tls|dgram|dns|https?|http2|timers|worker_threads|child_process|process|readline)(/|$)',
    },
  ),
  rule(
    'shard-files-in-one-place',
    'Only source/file.ts opens media files; a shard opens no other.',
    { path: '^src/shard/', pathNot: ['^src/shard/source/file\\.ts$'] },
    { dependencyTypes: ['core'], path: '^(node:)?fs(/|$)' },
  ),
];

const adapters = Object.entries(ADAPTERS).map(([name, files]) =>
  rule(
    `adapter-${name.replace(/\W+/g, '-').replace(/^-/, '').toLowerCase()}`,
    `${name} is imported by ${files.join(' and ')} only.`,
    { path: '^src/', pathNot: startsWith(files) },
    { path: packagePath(name) },
  ),
);

const unlisted = rule(
  'package-without-adapter',
  'Every package of the product has a file of its own: add a row to ADAPTERS in .dependency-cruiser.cjs.',
  { path: '^src/' },
  { dependencyTypes: NPM, pathNot: Object.keys(ADAPTERS).map(packagePath) },
);

const nodeModules = Object.entries(NODE_MODULES).map(([name, files]) =>
  rule(
    `node-${name.replace('/', '-').replace('_', '-')}`,
    `node:${name} is imported by ${files.join(', ') || 'nobody'} only (types are free).`,
    { path: '^src/', ...(files.length > 0 ? { pathNot: startsWith(files) } : {}) },
    { path: `^(node:)?${name}$`, dependencyTypesNot: ['type-only'] },
  ),
);

module.exports = {
  forbidden: [...layers, ...adapters, unlisted, ...nodeModules],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.tap)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
};
