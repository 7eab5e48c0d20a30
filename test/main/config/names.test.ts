// Spelling, repeated and unknown keys, aliases, variables of the environment (settings-and-metrics.md §1.2-1.5).
import t from 'tap';
import { CONFIG_PATHS, rowOf } from '../../../src/shared/config.js';
import { findVariable, namesOf, variableOf } from '../../../src/main/config/names.js';
import { refused, started } from '../../support/load-config.js';

const LIMIT = { timeout: 10_000 };
const file = (...lines: readonly string[]) => ({ files: { 'application.yml': lines.join('\n') } });

t.test('camelCase, kebab-case, snake_case and any case of letters are one key', LIMIT, async (t) => {
  for (const name of ['bufferDurationMs', 'buffer-duration-ms', 'buffer_duration_ms', 'BUFFERDURATIONMS']) {
    t.equal(
      started(t, file(`Lavalink: {server: {${name}: 100}}`)).values['lavalink.server.bufferDurationMs'],
      100,
    );
  }
  t.equal(
    started(t, file('lavalink: {server: {gcWarnings: false}}')).values['lavalink.server.gc-warnings'],
    false,
  );
});

t.test('every key is found under every name it has', LIMIT, async (t) => {
  for (const path of CONFIG_PATHS) {
    if (rowOf(path).type === 'tree') continue;
    t.equal(findVariable(variableOf(path))?.path, path, `${variableOf(path)} sets ${path}`);
    for (const name of namesOf(path)) {
      if (path.startsWith('pumice.')) t.match(name, /^(?:pumice|rust)\./);
    }
  }
});

t.test('two spellings in one mapping fail, naming both lines', LIMIT, async (t) => {
  t.strictSame(refused(t, file('server:', '  port: 1', '  PORT: 1')), [
    'application.yml:3:3 server.PORT: given twice, at line 2 and line 3',
  ]);
  t.match(refused(t, file('server:', '  port: 1', 'server.port: 1')), [
    /server\.port: given twice, at line 2 and line 3/,
  ]);
  t.match(refused(t, file('server.port: 1', 'x:', 'Server.Port: 2')), [
    /x: unknown key/,
    /given twice, at line 1 and line 3/,
  ]);
  t.match(
    refused(t, file('lavalink:', '  server:', '    buffer_duration_ms: 50', '    bufferDurationMs: 50')),
    [/given twice, at line 3 and line 4/],
  );
});

t.test('a repeated section fails, naming both lines', LIMIT, async (t) => {
  t.match(
    refused(t, file('rust:', '  memory: {gc_interval: 5}', 'rust:', '  limits: {max_total_players: 1}')),
    [/^application\.yml:3:1 rust: given twice, at line 1 and line 3$/],
  );
});

t.test(
  'free trees are kept letter for letter, and only an exact repetition fails there',
  LIMIT,
  async (t) => {
    const { values } = started(
      t,
      file(
        'plugins: {some-Plugin: {A_b: 1, a-B: 0x10, list: [1, {c: yes}]}, "dotted.name": {x: ~}}',
        'lavalink.server.filters: {echo: false}',
        'sentry: {tags: {Some_Tag: v}}',
        'logging: {level: {root: WARN, lavalink.server.io: DEBUG, com: {sedmelluq: trace}}}',
        'spring: {main: {banner-mode: off}}',
        'management: {endpoint: {health: {enabled: true}}}',
      ),
    );
    t.strictSame(values.plugins, {
      'some-Plugin': { A_b: '1', 'a-B': '0x10', list: ['1', { c: 'yes' }] },
      'dotted.name': { x: null },
    });
    t.strictSame(values['lavalink.server.filters'], { echo: 'false' });
    t.strictSame(values['sentry.tags'], { Some_Tag: 'v' });
    t.equal(values['logging.level.root'], 'WARN');
    t.strictSame(values['logging.level'], { 'lavalink.server.io': 'DEBUG', 'com.sedmelluq': 'trace' });
    t.strictSame(values.spring, { main: { 'banner-mode': 'off' } });
    t.match(refused(t, file('plugins:', '  x:', '    a: 1', '    a: 2')), [
      /plugins\.x\.a: given twice, at line 3 and line 4/,
    ]);
  },
);

t.test('a name in a tree cannot reach the prototype', LIMIT, async (t) => {
  const { values } = started(
    t,
    file('plugins: {__proto__: {polluted: 1}, constructor: {prototype: {polluted: 1}}}'),
  );
  t.notOk('polluted' in {});
  t.strictSame(Object.keys(values.plugins), ['__proto__', 'constructor']);
  t.match(refused(t, file('__proto__: {a: 1}', 'constructor: 1')), [
    /__proto__: unknown key/,
    /constructor: unknown key/,
  ]);
});

t.test('unknown keys fail, each with its position and the nearest name', LIMIT, async (t) => {
  const lines = refused(
    t,
    file(
      'server:',
      '  prot: 1',
      'rust:',
      '  memory:',
      '    trak_cache_size: 5',
      'lavalink:',
      '  server:',
      '    resampling-qualty: LOW',
      '    port: 2333',
      'wholly-unlike-anything: {a: 1, b: 2}',
    ),
  );
  t.strictSame(lines, [
    'application.yml:2:3 server.prot: unknown key (did you mean port?)',
    'application.yml:5:5 rust.memory.trak_cache_size: unknown key (did you mean track_cache_size?)',
    'application.yml:8:5 lavalink.server.resampling-qualty: unknown key (did you mean resampling-quality?)',
    'application.yml:9:5 lavalink.server.port: unknown key (did you mean server.port?)',
    'application.yml:10:1 wholly-unlike-anything: unknown key',
  ]);
});

t.test('keys that only Lavalink-rust documents are unknown, and the message says so', LIMIT, async (t) => {
  const text = /unknown key.*; documented by Lavalink-rust, implemented nowhere$/;
  for (const key of [
    'rust.audio.sample_rate',
    'rust.metrics.custom_metrics.enabled',
    'metrics.prometheus.cache_size',
  ]) {
    t.match(refused(t, { argv: [`--${key}=1`] }), [text]);
  }
  t.notMatch(refused(t, { argv: ['--rust.memory.nothing_like_it=1'] }), [text]);
});

t.test('a section takes no value, and a value no section', LIMIT, async (t) => {
  t.match(refused(t, file('server: 5')), [/^application\.yml:1:1 server: is a section of keys/]);
  t.match(refused(t, file('server: {port: {a: 1}}')), [/server\.port: must be a whole number/]);
  t.equal(
    started(t, file('server:', 'rust:', 'plugins:')).values['server.port'],
    2_333,
    'empty sections are nothing',
  );
});

t.test('rust.X is pumice.X, and one notice says so', LIMIT, async (t) => {
  const { values, notices } = started(
    t,
    file('rust: {memory: {track_cache_size: 5}, tokio: {worker_threads: 2}}'),
  );
  t.equal(values['pumice.cache.trackCacheSize'], 5);
  t.equal(values['pumice.performance.workerThreads'], 2);
  t.equal(notices.filter((notice) => notice.kind === 'alias').length, 2);
});

t.test('two names of one key in one layer must agree', LIMIT, async (t) => {
  const lines = refused(t, file('rust.limits.max_total_players: 5', 'pumice.limits.maxTotalPlayers: 6'));
  t.match(lines, [/rust\.limits\.max_total_players and pumice\.limits\.maxTotalPlayers differ \(5 and 6\)/]);
  t.match(lines, [/application\.yml:1:1 and application\.yml:2:1/]);
  const { notices } = started(
    t,
    file('rust.limits.max_total_players: 5', 'pumice.limits.maxTotalPlayers: 5'),
  );
  t.match(
    notices.filter((notice) => notice.text.includes('same value')),
    { length: 1 },
  );
  t.match(refused(t, file('rust: {memory: {track_cache_size: 1}, cache: {track_cache_size: 2}}')), [
    /conflict/,
  ]);
  t.match(refused(t, file('rust: {tokio: {max_blocking_threads: 1}, performance: {blocking_threads: 2}}')), [
    /conflict/,
  ]);
});

t.test('in different layers the higher one wins, whatever the names', LIMIT, async (t) => {
  const { values } = started(t, {
    ...file('pumice.limits.maxTotalPlayers: 5'),
    env: { RUST_LIMITS_MAX_TOTAL_PLAYERS: '6' },
  });
  t.equal(values['pumice.limits.maxTotalPlayers'], 6);
});

t.test('automatic worker threads never conflict', LIMIT, async (t) => {
  const of = (tokio: number, performance: number) =>
    file(`rust: {tokio: {worker_threads: ${tokio}}, performance: {worker_threads: ${performance}}}`);
  t.equal(started(t, of(0, 4)).values['pumice.performance.workerThreads'], 4);
  t.equal(started(t, of(4, 0)).values['pumice.performance.workerThreads'], 4);
  t.equal(started(t, of(0, 0)).values['pumice.performance.workerThreads'], 0);
  t.match(refused(t, of(2, 4)), [/conflict/]);
});

t.test('variables set keys with words joined or split', LIMIT, async (t) => {
  const interval = (env: Record<string, string>) =>
    started(t, { env }).values['lavalink.server.playerUpdateInterval'];
  t.equal(interval({ LAVALINK_SERVER_PLAYERUPDATEINTERVAL: '7' }), 7_000);
  t.equal(interval({ LAVALINK_SERVER_PLAYER_UPDATE_INTERVAL: '7' }), 7_000);
  t.equal(interval({ 'lavalink.server.playerUpdateInterval': '7' }), 7_000);
  t.equal(interval({ LAVALINKSERVERPLAYERUPDATEINTERVAL: '7' }), 5_000, 'sections are always split');
  t.equal(interval({ LAVALINK_SERVER_PLAYER_UPDATE_INTERVAL: '' }), 5_000, 'an empty variable is absent');
});

t.test('variables reach every kind of key', LIMIT, async (t) => {
  const { values, lines } = started(t, {
    env: {
      SERVER_SSL_KEY_PASSWORD: 'k',
      RUST_MEMORY_TRACK_CACHE_SIZE: '9',
      RUST_PERFORMANCE_WORKER_THREADS: '3',
      PUMICE_VOICE_ENDPOINTS_1: 'b',
      PUMICE_VOICE_ENDPOINTS_0: 'a',
      PUMICE_SOURCES_ALLOW_PRIVATE: '10.0.0.0/8, 127.0.0.1',
      LAVALINK_SERVER_RATELIMIT_EXCLUDE_IPS: '10.0.0.1',
      LAVALINK_SERVER_RATELIMIT_SEARCH_TRIGGERS_FAIK: 'false',
      LAVALINK_SERVER_FILTERS_CHANNEL_MIX: 'false',
      LAVALINK_SERVER_FILTERS_ECHO: 'false',
      LAVALINK_PLUGINS_0_DEPENDENCY: 'dev.lavalink.youtube:youtube-plugin:1.0.0',
      LAVALINK_PLUGINS_0_SNAPSHOT: 'false',
      LAVALINK_PLUGINS_DIR: '/plugins',
      LOGGING_LEVEL_ROOT: 'warn',
      LOGGING_LEVEL_LAVALINK_SERVER: 'DEBUG',
      LOGGING_LOGBACK_ROLLINGPOLICY_MAX_FILE_SIZE: '1GB',
      METRICS_PROMETHEUS_ENABLED: 'true',
      SENTRY_TAGS_SOME_KEY: 'v',
      RUST_BACKTRACE: 'full',
      MALLOC_ARENA_MAX: '2',
    },
  });
  t.match(values, {
    'server.ssl.key-password': 'k',
    'pumice.cache.trackCacheSize': 9,
    'pumice.performance.workerThreads': 3,
    'pumice.voice.endpoints': ['a', 'b'],
    'pumice.sources.allowPrivate': ['10.0.0.0/8', '127.0.0.1'],
    'lavalink.server.ratelimit.excludedIps': ['10.0.0.1'],
    'lavalink.server.ratelimit.searchTriggersFail': false,
    'lavalink.server.filters.channelMix': false,
    'lavalink.server.filters': { echo: 'false' },
    'lavalink.plugins': [{ dependency: 'dev.lavalink.youtube:youtube-plugin:1.0.0', snapshot: 'false' }],
    'lavalink.pluginsDir': '/plugins',
    'logging.level.root': 'WARN',
    'logging.level': { 'lavalink.server': 'DEBUG' },
    'logging.logback.rollingpolicy.max-file-size': 1024 ** 3,
    'metrics.prometheus.enabled': true,
    'sentry.tags': { some_key: 'v' },
    RUST_BACKTRACE: 'full',
    MALLOC_ARENA_MAX: 2,
  });
  t.match(lines, /a JVM archive cannot run in Node\. Missing with it: the source youtube/);
  t.notMatch(lines, /no key of that name/);
});

t.test('an unknown variable is a warning, a known one of the wrong type fails', LIMIT, async (t) => {
  const env = {
    LAVALINK_SERVICE_HOST: '10.0.0.1',
    SERVER_PORT: 'tcp://10.0.0.1:80',
    RUST_VERSION: '1.80',
    HOME: '/',
  };
  const { values, notices } = started(t, { env });
  t.equal(values['server.port'], 2_333);
  t.strictSame(
    notices
      .filter((notice) => notice.where.startsWith('environment'))
      .map((notice) => [notice.where, notice.kind]),
    [
      ['environment variable LAVALINK_SERVICE_HOST', 'warning'],
      ['environment variable RUST_VERSION', 'warning'],
      ['environment variable SERVER_PORT', 'warning'],
    ],
  );
  t.match(refused(t, { env: { SERVER_PORT: 'many' } }), [
    /^environment variable SERVER_PORT server\.port: must be a whole number, not "many"$/,
  ]);
});

t.test('RUST_LOG holds a level or directives, and overrides logging.level', LIMIT, async (t) => {
  const of = (directives: string) =>
    started(t, { ...file('logging: {level: {root: ERROR, lavalink: ERROR}}'), env: { RUST_LOG: directives } })
      .values;
  t.equal(of('debug')['logging.level.root'], 'DEBUG');
  t.equal(of('off')['logging.level.root'], 'OFF');
  const several = of('warn,lavalink=debug, voice::gateway=trace');
  t.equal(several['logging.level.root'], 'WARN');
  t.strictSame(several['logging.level'], { lavalink: 'DEBUG', 'voice.gateway': 'TRACE' });
  t.match(refused(t, { env: { RUST_LOG: 'warn,loud' } }), [/"loud" is no level/]);
  t.equal(started(t, { env: { PUMICE_LOG: 'trace' } }).values['logging.level.root'], 'TRACE');
  t.match(refused(t, { env: { PUMICE_LOG: 'trace', RUST_LOG: 'info' } }), [/conflict/]);
});

t.test('a variable of the environment written in a file has no effect there', LIMIT, async (t) => {
  const { values, lines } = started(t, file('MALLOC_ARENA_MAX: 2', 'RUST_LOG: debug'));
  t.equal(values.MALLOC_ARENA_MAX, null);
  t.equal(values['logging.level.root'], 'INFO');
  t.match(lines, /MALLOC_ARENA_MAX: no effect: read by glibc before the server starts/);
  t.match(lines, /RUST_LOG: no effect: only the environment variable is read/);
});
