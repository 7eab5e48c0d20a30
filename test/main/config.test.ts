// Where values come from and what the command line does (settings-and-metrics.md §1.1, §1.5).
import { readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { defaults } from '../../src/shared/config.js';
import { load, refused, started } from '../support/load-config.js';

const LIMIT = { timeout: 10_000 };
const HERE = fileURLToPath(import.meta.url);
const ROOT = dirname(HERE.slice(0, HERE.lastIndexOf(`${sep}test${sep}`)));
const EXAMPLE = readFileSync(join(ROOT, 'config/application.yml'), 'utf8');

t.test('without a file the defaults hold, and a notice says so', LIMIT, async (t) => {
  const { values, lines } = started(t, {});
  t.strictSame({ ...values, 'lavalink.server.password': null }, defaults());
  t.match(lines, /no configuration file was found/);
});

t.test('a higher layer wins over a lower one', LIMIT, async (t) => {
  const layers = [
    { argv: ['--server.port=1'] },
    { env: { SPRING_APPLICATION_JSON: '{"server": {"port": 2}}' } },
    { env: { SERVER_PORT: '3' } },
    { files: { 'application-a.yml': 'server: {port: 4}' } },
    { files: { 'application.yml': 'spring: {profiles: {active: a}}\nserver: {port: 5}' } },
  ];
  for (let first = 0; first < layers.length; first += 1) {
    const used = layers.slice(first);
    const { values } = started(t, {
      argv: used.flatMap((layer) => layer.argv ?? []),
      env: Object.assign({}, ...used.map((layer) => layer.env ?? {})) as Record<string, string>,
      files: Object.assign({}, ...used.map((layer) => layer.files ?? {})) as Record<string, string>,
    });
    t.equal(values['server.port'], first + 1);
  }
});

t.test('lists are replaced whole, maps merge key by key', LIMIT, async (t) => {
  const { values } = started(t, {
    files: { 'application.yml': 'pumice: {voice: {endpoints: [a, b]}}\nplugins: {one: {x: 1}, two: {y: 2}}' },
    env: { PUMICE_VOICE_ENDPOINTS: 'c', PLUGINS_ONE_Z: '3' },
  });
  t.strictSame(values['pumice.voice.endpoints'], ['c']);
  t.strictSame(values.plugins, { one: { x: '1', z: '3' }, two: { y: '2' } });
});

t.test('the one file is looked for in the documented order', LIMIT, async (t) => {
  const port = (number: number) => `server: {port: ${number}}`;
  const files = {
    'mine.yml': port(1),
    'other.yaml': port(2),
    'config/application.yml': port(3),
    'application.yml': port(4),
  };
  const env = { PUMICE_CONFIG: 'other.yaml' };
  t.equal(started(t, { files, env, argv: ['--config', 'mine.yml'] }).values['server.port'], 1);
  t.equal(started(t, { files, env, argv: ['--config=mine.yml'] }).values['server.port'], 1);
  t.equal(started(t, { files, env }).values['server.port'], 2);
  t.equal(started(t, { files }).values['server.port'], 3);
  t.equal(started(t, { files: { 'application.yml': port(4) } }).values['server.port'], 4);
});

t.test('a file that was named and does not exist is refused', LIMIT, async (t) => {
  t.match(refused(t, { argv: ['--config', 'no.yml'] }), [/--config: the file no\.yml does not exist/]);
  t.match(refused(t, { env: { PUMICE_CONFIG: 'no.yml' } }), [/PUMICE_CONFIG: the file no\.yml/]);
  t.match(refused(t, { argv: ['--config', '.'] }), [/is not a file/]);
  t.match(refused(t, { argv: ['--config'] }), [/--config: needs the name of a file/]);
});

t.test('a file of more than 1 MiB is refused', LIMIT, async (t) => {
  t.match(refused(t, { files: { 'application.yml': `#${' '.repeat(1024 * 1024)}` } }), [/is larger than/]);
});

t.test('.properties files are flat keys, lists by index', LIMIT, async (t) => {
  const text = [
    '# comment',
    'server.port = 4000',
    'lavalink.server.buffer-duration-ms: 100',
    'pumice.voice.endpoints[1]=b.example',
    'pumice.voice.endpoints[0]=a.example',
    'lavalink.plugins[0].dependency=a:b:c',
    'pumice.sources.localRoot=C:\\\\music\\',
    '   \\u0041',
  ].join('\n');
  const { values } = started(t, { files: { 'x.properties': text }, argv: ['--config', 'x.properties'] });
  t.equal(values['server.port'], 4_000);
  t.equal(values['lavalink.server.bufferDurationMs'], 100);
  t.strictSame(values['pumice.voice.endpoints'], ['a.example', 'b.example']);
  t.strictSame(values['lavalink.plugins'], [{ dependency: 'a:b:c' }]);
  t.equal(values['pumice.sources.localRoot'], 'C:\\musicA');
  t.match(refused(t, { files: { 'x.properties': '\n\nno.such=1' }, argv: ['--config', 'x.properties'] }), [
    /^x\.properties:3:1 no: unknown key/,
  ]);
});

t.test('later profiles win, and documents count for their profiles only', LIMIT, async (t) => {
  const files = {
    'application.yml': [
      'spring.profiles.active: a, b',
      'server.port: 1',
      '---',
      'spring: {config: {activate: {on-profile: a}}}',
      'server: {address: 10.0.0.1}',
      '---',
      'spring: {config: {activate: {on-profile: c}}}',
      'server: {address: 10.0.0.2}',
    ].join('\n'),
    'application-a.yml': 'server: {port: 2}\npumice: {resume: {maxEvents: 7}}',
    'application-b.yaml': 'server: {port: 3}',
  };
  const { values } = started(t, { files });
  t.equal(values['server.port'], 3);
  t.equal(values['pumice.resume.maxEvents'], 7);
  t.equal(values['server.address'], '10.0.0.1');
  t.equal(started(t, { files, env: { SPRING_PROFILES_ACTIVE: 'a' } }).values['server.port'], 2);
});

t.test(
  'an imported file overrides the importing one, and may be absent where it is optional',
  LIMIT,
  async (t) => {
    const files = {
      'config/application.yml': [
        'server: {port: 1, address: 127.0.0.1}',
        'spring:',
        '  config:',
        '    import: ["file:./secret.yml", beside.yml, "optional:file:./absent.yml", "configserver:http://c:8888"]',
      ].join('\n'),
      'secret.yml': 'lavalink: {server: {password: from the import}}\nserver: {port: 2}',
      'config/beside.yml': 'server: {port: 3}',
    };
    const { values, lines } = started(t, { files, password: null });
    t.equal(values['lavalink.server.password'], 'from the import');
    t.equal(values['server.port'], 3, 'the later import wins');
    t.equal(values['server.address'], '127.0.0.1');
    t.match(lines, /spring\.config\.import: no effect yet: configserver: locations are not read/);
    t.match(refused(t, { files: { 'application.yml': 'spring.config.import: file:no.yml' } }), [
      /^application\.yml:1:1 spring\.config\.import: the file no\.yml does not exist/,
    ]);
  },
);

t.test('files that import each other are read once', LIMIT, async (t) => {
  const { values } = started(t, {
    files: {
      'application.yml': 'spring.config.import: file:b.yml\nserver.port: 1',
      'b.yml': 'spring.config.import: file:application.yml\nserver.port: 2',
    },
  });
  t.equal(values['server.port'], 2);
});

t.test('no password in any layer refuses the start and says how to set one', LIMIT, async (t) => {
  for (const files of [{}, { 'application.yml': 'lavalink: {server: {password: }}' }]) {
    const [line] = refused(t, { files, password: null });
    t.match(line, /lavalink\.server\.password: no password is set/);
    t.match(line, /LAVALINK_SERVER_PASSWORD/);
    t.match(line, /--lavalink\.server\.password=/);
  }
});

t.test('the well-known password is warned about unless only this host can use it', LIMIT, async (t) => {
  const warning = /warning: the well-known example password/;
  t.match(started(t, { password: 'youshallnotpass' }).lines, warning);
  t.notMatch(
    started(t, { password: 'youshallnotpass', argv: ['--server.address=127.0.0.1'] }).lines,
    warning,
  );
  t.notMatch(started(t, { password: 'another' }).lines, warning);
});

t.test('a secret may be given as the path of a file', LIMIT, async (t) => {
  const files = { 'run/secret': 'from a file\n' };
  const env = { LAVALINK_SERVER_PASSWORD_FILE: 'run/secret' };
  t.equal(started(t, { files, env, password: null }).values['lavalink.server.password'], 'from a file');
  t.match(refused(t, { files, env, password: 'differs' }), [/conflict: .* differ, at /]);
  t.match(refused(t, { env, password: null }).join('\n'), /the file run\/secret cannot be read/);
  const dsn = started(t, { files, env: { SENTRY_DSN_FILE: 'run/secret' } });
  t.equal(dsn.values['sentry.dsn'], 'from a file');
});

t.test('a secret is never printed', LIMIT, async (t) => {
  const hush = 'hunter2hunter2';
  const files = {
    'application.yml': [
      `lavalink: {server: {password: ${hush}, httpConfig: {proxyPassword: ${hush}}}}`,
      `plugins: {x: {oauth: {refreshToken: ${hush}}}}`,
      `server: {ssl: {key-password: ${hush}}}`,
    ].join('\n'),
  };
  for (const argv of [['--print-config'], ['--validate'], ['--validate', '--strict']]) {
    const outcome = load(t, { files, argv, password: null });
    t.notMatch(JSON.stringify(outcome), new RegExp(hush));
  }
  const broken = [`lavalink: {server: {password: [${hush}]}}`, `password: "${hush}`, `a: ${hush}: x`];
  for (const text of broken) {
    t.notMatch(refused(t, { files: { 'application.yml': text }, password: null }).join('\n'), /hunter2/);
  }
  t.match(load(t, { files, argv: ['--print-config'], password: null }), {
    code: 0,
    stdout: /lavalink\.server\.password: \*\*\* {2}# application\.yml/,
  });
});

t.test('--print-config names the layer of each value', LIMIT, async (t) => {
  const outcome = load(t, { argv: ['--print-config', '--server.port=1'], env: { SERVER_ADDRESS: '::1' } });
  const lines = outcome.kind === 'exit' ? outcome.stdout : [];
  t.ok(lines.includes('server.port: 1  # command line'));
  t.ok(
    lines.includes('server.address: "::1"  # environment') ||
      lines.includes('server.address: ::1  # environment'),
  );
  t.ok(lines.includes('pumice.voice.driver: native  # default'));
  t.equal(lines.length, Object.keys(defaults()).length);
});

t.test(
  '--validate reports every key that is not plainly applied, --strict refuses some',
  LIMIT,
  async (t) => {
    const files = { 'application.yml': 'rust: {limits: {max_total_players: 5}}\nserver: {port: 1}' };
    for (const argv of [['--validate'], ['--check-config'], ['--validate', '--strict']]) {
      const outcome = load(t, { files, argv });
      t.match(outcome, { kind: 'exit', code: 0, stderr: [] });
      t.match(outcome, {
        stdout: [/alias: is pumice\.limits\.maxTotalPlayers, 5$/, /3 keys are set; .* valid$/],
      });
    }
    const idle = { 'application.yml': 'pumice: {cache: {trackCacheSize: 5}}' };
    t.match(load(t, { files: idle, argv: ['--validate'] }), { code: 0, stdout: [/no effect yet: 5: loads/] });
    t.match(load(t, { files: idle, argv: ['--validate', '--strict'] }), {
      code: 78,
      stderr: [/1 key is limited/],
    });
    t.match(load(t, { files: { 'application.yml': 'nope: 1' }, argv: ['--validate'] }), {
      code: 78,
      stderr: [/^application\.yml:1:1 nope: unknown key/],
    });
  },
);

t.test('--version and --help answer whatever the configuration is', LIMIT, async (t) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const flag of ['--version', '-v']) {
    t.match(load(t, { argv: [flag], password: null }), {
      kind: 'exit',
      code: 0,
      stdout: [`Pumice ${version} (Lavalink protocol v4)`],
      stderr: [],
    });
  }
  t.match(load(t, { argv: ['--help'], password: null }), { code: 0, stdout: [/^Usage:/] });
});

t.test('an option that does not exist is refused', LIMIT, async (t) => {
  t.match(refused(t, { argv: ['--no-such'] }), [/^command line --no-such: is no option/]);
  t.match(refused(t, { argv: ['stray'] }), [/^command line stray: is no option/]);
  t.match(refused(t, { argv: ['--server.prot=1'] }), [
    /^command line server\.prot: unknown key \(did you mean port\?\)/,
  ]);
  t.match(refused(t, { argv: ['--server.port=1', '--server.PORT=2'] }), [/given twice/]);
});

t.test('the shipped file starts, and so does it with every line uncommented', LIMIT, async (t) => {
  const shipped = started(t, { files: { 'config/application.yml': EXAMPLE }, password: null });
  t.match(shipped.values, {
    'lavalink.server.password': 'youshallnotpass',
    'server.port': 2333,
    'server.address': '0.0.0.0',
    'metrics.prometheus.enabled': true,
    'metrics.prometheus.endpoint': '/metrics',
    'lavalink.server.sources.http': true,
    'lavalink.server.sources.local': false,
  });
  t.notMatch(shipped.lines, /no effect|limited|adjusted|alias/);
  const all = EXAMPLE.replaceAll(/^#((?: {2})*[\w-]+:.*)$/gm, '$1');
  t.not(all, EXAMPLE);
  const uncommented = started(t, { files: { 'config/application.yml': all }, password: null });
  t.strictSame(uncommented.values, shipped.values);
});
