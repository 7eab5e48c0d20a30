// Kinds of values, bounds, placeholders (settings-and-metrics.md §1.2, §2.3, §5), each through the whole loader.
import t from 'tap';
import { CONFIG_PATHS, rowOf } from '../../../src/shared/config.js';
import type { ConfigPath } from '../../../src/shared/config.js';
import type { Row } from '../../../src/shared/config-row.js';
import { refused, started } from '../../support/load-config.js';

const LIMIT = { timeout: 10_000 };

/** [key, as written, value in memory] */
const TAKEN: readonly (readonly [ConfigPath, string, unknown])[] = [
  ['lavalink.server.timeouts.connectTimeoutMs', '250', 250],
  ['lavalink.server.timeouts.connectTimeoutMs', '2s', 2_000],
  ['server.http.requestTimeout', '30', 30_000],
  ['server.http.requestTimeout', '500ms', 500],
  ['server.http.requestTimeout', '2m', 120_000],
  ['server.http.requestTimeout', '1h', 3_600_000],
  ['pumice.resume.maxTimeout', '1d', 86_400_000],
  ['server.http.requestTimeout', 'PT30S', 30_000],
  ['server.http.requestTimeout', 'PT1M30.5S', 90_500],
  ['pumice.resume.maxTimeout', 'P1DT1H', 90_000_000],
  ['lavalink.server.playerUpdateInterval', '5', 5_000],
  ['pumice.http.maxBody', '2048', 2_048],
  ['pumice.http.maxBody', '64KB', 65_536],
  ['pumice.http.maxBody', '64KiB', 65_536],
  ['pumice.http.maxBody', '10mb', 10_485_760],
  ['pumice.cache.frames.maxBytes', '1GB', 1_073_741_824],
  ['pumice.audio.bitrate', '96k', 96_000],
  ['pumice.audio.bitrate', '64000', 64_000],
  ['pumice.scaling.targetBusy', '0.75', 0.75],
  ['lavalink.server.sources.local', 'TRUE', true],
  ['lavalink.server.sources.local', 'Yes', true],
  ['lavalink.server.sources.local', 'on', true],
  ['lavalink.server.sources.local', '1', true],
  ['lavalink.server.sources.http', 'off', false],
  ['lavalink.server.sources.http', 'No', false],
  ['lavalink.server.sources.http', '0', false],
  ['lavalink.server.resamplingQuality', 'high', 'HIGH'],
  ['lavalink.server.resamplingQuality', 'Medium', 'MEDIUM'],
  ['lavalink.server.ratelimit.strategy', 'rotating-nano-switch', 'RotatingNanoSwitch'],
  ['server.error.include-stacktrace', 'ON-PARAM', 'on_param'],
  ['logging.level.root', 'debug', 'DEBUG'],
  ['logging.level.root', 'fatal', 'ERROR'],
  ['pumice.performance.senderThreads', 'off', 'off'],
  ['pumice.performance.senderThreads', '2', 2],
  ['pumice.voice.caFile', 'file:/etc/ca.pem', '/etc/ca.pem'],
  ['pumice.voice.caFile', 'file:///etc/ca.pem', '/etc/ca.pem'],
  ['pumice.voice.caFile', '', null],
  ['pumice.voice.endpoints', '["a.example", "b.example"]', ['a.example', 'b.example']],
  ['pumice.voice.endpoints', '"a.example, b.example"', ['a.example', 'b.example']],
  ['pumice.voice.endpoints', '[]', []],
  ['pumice.sources.allowPrivate', '[10.0.0.0/8, "::1", 127.0.0.1]', ['10.0.0.0/8', '::1', '127.0.0.1']],
  ['lavalink.server.password', '0123', '0123'],
  ['lavalink.server.password', '1e3', '1e3'],
  ['lavalink.server.password', 'true', 'true'],
  ['lavalink.server.password', '"a # b"', 'a # b'],
  ['metrics.prometheus.endpoint', '', null],
  ['metrics.prometheus.endpoint', '"/own"', '/own'],
];

/** The password of the environment would hide that of the file. */
const passwordFor = (path: ConfigPath): Record<string, string> =>
  path === 'lavalink.server.password' ? { LAVALINK_SERVER_PASSWORD: '' } : {};

t.test('a value is taken in every form the rules name', LIMIT, async (t) => {
  for (const [path, text, value] of TAKEN) {
    const { values } = started(t, {
      files: { 'application.yml': `${path}: ${text}` },
      env: passwordFor(path),
    });
    t.strictSame(values[path], value, `${path}: ${text}`);
  }
});

/** [key, as written, the rule in the message] */
const WRONG: readonly (readonly [ConfigPath, string, RegExp])[] = [
  ['server.port', 'abc', /must be a whole number, not "abc"/],
  ['server.port', '2333.5', /must be a whole number/],
  ['server.port', '70000', /"70000" is outside 0 to 65535/],
  ['server.port', '[1]', /must be a whole number/],
  ['server.port', '{a: 1}', /must be a whole number/],
  ['lavalink.server.sources.http', 'maybe', /must be true or false, not "maybe"/],
  ['server.http.requestTimeout', '5 parsecs', /must be a duration/],
  ['server.http.requestTimeout', 'PT', /must be a duration/],
  ['server.http.requestTimeout', '-1s', /is outside/],
  ['pumice.http.maxBody', '5XB', /must be a size/],
  ['pumice.http.maxBody', '5constructor', /must be a size/],
  ['pumice.audio.bitrate', '128', /is outside 8000 bit\/s to 510000 bit\/s/],
  ['lavalink.server.resamplingQuality', 'ULTRA', /must be one of LOW, MEDIUM, HIGH, not "ULTRA"/],
  ['lavalink.server.resamplingQuality', 'constructor', /must be one of/],
  ['lavalink.server.ratelimit.strategy', 'Sometimes', /must be one of RotateOnBan/],
  ['lavalink.server.playerUpdateInterval', '0', /is outside/],
  ['lavalink.server.playerUpdateInterval', '99999999999999999999', /must be a duration/],
  ['pumice.performance.senderThreads', 'on', /must be a whole number or off/],
  ['pumice.sources.allowPrivate', '[10.0.0.0/33]', /"10\.0\.0\.0\/33" is no address and no CIDR/],
  ['pumice.sources.allowPrivate', 'localhost', /is no address and no CIDR/],
  ['lavalink.plugins', 'text', /must be a list of maps/],
  ['plugins', 'text', /must be a map/],
  ['pumice.voice.driver', 'other', /must be one of native, discordjs/],
  ['pumice.tokio.ioDriverEnabled', 'false', /refused: Node cannot run without its poller and timers/],
  ['pumice.tokio.timeDriverEnabled', 'false', /refused: Node cannot run without its poller and timers/],
];

t.test('a value of the wrong kind fails with its position and the rule', LIMIT, async (t) => {
  for (const [path, text, rule] of WRONG) {
    const [line, ...more] = refused(t, { files: { 'application.yml': `${path}: ${text}` } });
    t.match(line, rule, `${path}: ${text}`);
    t.match(line, /^application\.yml:1:\d+ /);
    t.strictSame(more, [], 'one line for one mistake');
  }
});

/** [key, as written, value, whether it is reported] */
const ADJUSTED: readonly (readonly [ConfigPath, string, number, boolean])[] = [
  ['lavalink.server.bufferDurationMs', '39', 400, true],
  ['lavalink.server.bufferDurationMs', '40', 40, false],
  ['lavalink.server.bufferDurationMs', '1001', 1_000, true],
  ['lavalink.server.bufferDurationMs', '0', 0, false],
  ['lavalink.server.bufferDurationMs', '-5', 0, true],
  ['lavalink.server.frameBufferDurationMs', '199', 5_000, true],
  ['lavalink.server.frameBufferDurationMs', '200', 200, false],
  ['lavalink.server.opusEncodingQuality', '11', 10, true],
  ['lavalink.server.opusEncodingQuality', '-1', 10, true],
  ['lavalink.server.opusEncodingQuality', '0', 0, false],
  ['lavalink.server.trackStuckThresholdMs', '99', 10_000, true],
  ['lavalink.server.trackStuckThresholdMs', '100', 100, false],
];

t.test('values that Lavalink corrects are corrected and reported as adjusted', LIMIT, async (t) => {
  for (const [path, text, value, reported] of ADJUSTED) {
    const { values, notices } = started(t, { argv: [`--${path}=${text}`] });
    t.equal(values[path], value, `${path}=${text}`);
    t.equal(
      notices.filter((notice) => notice.kind === 'adjusted').length,
      reported ? 1 : 0,
      `${path}=${text}`,
    );
  }
});

t.test('an endpoint without its slash gets one', LIMIT, async (t) => {
  const { values, lines } = started(t, { argv: ['--metrics.prometheus.endpoint=metrics'] });
  t.equal(values['metrics.prometheus.endpoint'], '/metrics');
  t.match(lines, /adjusted: metrics is taken as \/metrics/);
});

t.test('placeholders stand for variables and keys, with fallbacks', LIMIT, async (t) => {
  const of = (text: string, env: Record<string, string> = {}) =>
    started(t, { files: { 'application.yml': `pumice.sources.localRoot: ${text}\nserver.port: 4444` }, env })
      .values['pumice.sources.localRoot'];
  t.equal(of('${ROOT}', { ROOT: '/music' }), '/music');
  t.equal(of('"a-${ROOT}-${TAIL:z}"', { ROOT: 'b' }), 'a-b-z');
  t.equal(of('"${ROOT:/srv/${NAME:x}}"'), '/srv/x');
  t.equal(of('"${server.port}"'), '4444');
  t.equal(of('"${ROOT:}x"'), 'x');
  t.equal(of('"${OUTER}"', { OUTER: '${INNER}', INNER: 'deep' }), 'deep');
  t.equal(of('"open ${ end"'), 'open ${ end');
});

t.test('a placeholder without a value fails, naming it and not what is around it', LIMIT, async (t) => {
  const files = { 'application.yml': 'lavalink:\n  server:\n    password: hush-${NO_SUCH}' };
  t.strictSame(refused(t, { files, password: null }), [
    'application.yml:3:15 lavalink.server.password: the placeholder ${NO_SUCH} has no value and no fallback',
  ]);
  const started_ = started(t, { files });
  t.equal(
    started_.values['lavalink.server.password'],
    'a test password',
    'a replaced value is not looked at',
  );
});

t.test('placeholders cannot grow without end', LIMIT, async (t) => {
  const env: Record<string, string> = { SELF: '${SELF}', A0: 'x'.repeat(64) };
  for (let index = 1; index <= 20; index += 1) {
    env[`A${index}`] = `\${A${index - 1}}`.repeat(8);
    env[`E${index}`] = `\${E${index - 1}:}`.repeat(8);
  }
  const value = (text: string) => refused(t, { env, argv: [`--pumice.sources.localRoot=${text}`] });
  t.match(value('${SELF}'), [/refers to itself/]);
  t.match(value('${A12}'), [/longer than|too deeply/]);
  t.match(value('${E12}'), [/too deeply/]);
  t.match(value('${A20}'), [/too deeply|longer than/]);
});

t.test('an unresolved placeholder inside a free tree is left as it is', LIMIT, async (t) => {
  const { values } = started(t, {
    files: { 'application.yml': 'plugins: {x: {a: "${NO_SUCH}", b: "${YES}"}}' },
    env: { YES: 'y' },
  });
  t.strictSame(values.plugins, { x: { a: '${NO_SUCH}', b: 'y' } });
});

t.test('TLS is on where a certificate is given, and needs both halves', LIMIT, async (t) => {
  const certificate = '--server.ssl.certificate=file:cert.pem';
  const key = '--server.ssl.certificate-private-key=key.pem';
  const { values } = started(t, { argv: [certificate, key] });
  t.equal(values['server.ssl.enabled'], true);
  t.equal(values['server.ssl.certificate'], 'cert.pem');
  t.equal(
    started(t, { argv: [certificate, key, '--server.ssl.enabled=false'] }).values['server.ssl.enabled'],
    false,
  );
  t.match(refused(t, { argv: [certificate] }), [/TLS needs server\.ssl\.certificate-private-key as well/]);
  t.match(refused(t, { argv: ['--server.ssl.enabled=true'] }), [
    /TLS needs server\.ssl\.certificate as well/,
  ]);
});

t.test('a Java key store is refused with the way to PEM, unless TLS is switched off', LIMIT, async (t) => {
  for (const name of ['key-store', 'keyStoreType', 'key-store-password', 'key-alias']) {
    const text = `server: {ssl: {enabled: true, ${name}: x}}`;
    const [line, ...more] = refused(t, { files: { 'application.yml': text } });
    t.strictSame(more, []);
    t.match(line, /openssl pkcs12/);
    t.match(line, /server\.ssl\.certificate and server\.ssl\.certificate-private-key/);
  }
  const { lines } = started(t, { argv: ['--server.ssl.key-store=k.p12', '--server.ssl.enabled=off'] });
  t.match(lines, /server\.ssl\.key-store: no effect: TLS is switched off/);
});

t.test('one-shard mode sets the shards and conflicts with more', LIMIT, async (t) => {
  const mode = '--rust.tokio.flavor=current_thread';
  t.equal(started(t, { argv: [mode] }).values['pumice.performance.workerThreads'], 1);
  t.match(refused(t, { argv: [mode, '--pumice.performance.workerThreads=2'] }), [/current_thread/]);
  t.match(refused(t, { argv: [mode, '--pumice.scaling.maxShards=2'] }), [/current_thread/]);
  t.match(refused(t, { argv: ['--pumice.scaling.minShards=3', '--pumice.scaling.maxShards=2'] }), [
    /conflict/,
  ]);
});

t.test('a large thread pool is pointed out', LIMIT, async (t) => {
  t.match(
    started(t, { argv: ['--pumice.performance.blockingThreads=512'] }).lines,
    /all 512 threads are created/,
  );
  t.notMatch(started(t, { argv: ['--pumice.performance.blockingThreads=128'] }).lines, /threads are created/);
});

/** Something a row accepts, and for which its status is reported. */
function anyValue(row: Row): string {
  const value = row.only ?? row.default;
  if (row.type === 'duration' && typeof value === 'number') return `${value}ms`;
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (row.type === 'list') return '10.0.0.1';
  if (row.type === 'integer' || row.type === 'size') return String(row.range.max ?? 16_777_216);
  return typeof value === 'string' && value !== '' ? value : '/x';
}

t.test('each key without full effect says why when it is set, and no other does', LIMIT, async (t) => {
  for (const path of CONFIG_PATHS) {
    const row = rowOf(path);
    // These need other keys or files beside them and have tests of their own.
    if (row.variable || row.type === 'tree' || row.refuse !== undefined) continue;
    if (path.startsWith('spring.config.') || path.startsWith('server.ssl.cert')) continue;
    const { notices } = started(t, {
      argv: [`--${path}=${anyValue(row)}`],
      password: path === 'lavalink.server.password' ? null : 'p',
    });
    const kinds = notices.map((notice) => notice.kind).filter((kind) => kind !== 'warning');
    t.strictSame(kinds, row.status === 'applied' ? [] : [row.status.split(': ')[0]], path);
  }
});
