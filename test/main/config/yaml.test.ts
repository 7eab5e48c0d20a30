// Broken and hostile configuration text: never a throw, always an exit with positions, within a bounded time.
import fc from 'fast-check';
import t from 'tap';
import { readProperties } from '../../../src/main/config/flat.js';
import { lookUpFlat, lookUpMap } from '../../../src/main/config/lookup.js';
import { Findings } from '../../../src/main/config/findings.js';
import { problemLine } from '../../../src/main/config/report.js';
import { resolveLayers } from '../../../src/main/config/resolve.js';
import { readYaml } from '../../../src/main/config/yaml.js';
import { refused, started } from '../../support/load-config.js';

const LIMIT = { timeout: 30_000 };

/** Everything the loader does with a file, without the file. */
function loadText(text: string): Findings {
  const findings = new Findings();
  const givens = readYaml(text, 'f.yml', findings).flatMap((map) => lookUpMap(map, findings));
  resolveLayers([{ label: 'f.yml', kind: 'file', givens }], {}, findings);
  return findings;
}

/** Pieces that meet in configuration files, in orders that no person would write. */
const PIECES = [
  'server', 'port', 'lavalink', 'rust', 'plugins', 'logging.level', 'password', 'memory', ':', ': ', '\n', '\n  ',
  '\n    ', '- ', '[', ']', '{', '}', ',', '"', "'", '#', ' #', '&a', '*a', '<<', '? ', '| ', '> ', '!!int ', '!x ', '---',
  '...', '%YAML 1.1', '\t', '${', '}', '${A:b}', '0123', 'on', '~', 'null', '2333', '5s', '\\', '\u0000', '\ufeff', 'é', '\r\n',
]; // prettier-ignore

t.test('any text that looks like YAML gives problems with positions, never a throw', LIMIT, async (t) => {
  const texts = fc.oneof(
    fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const problem of loadText(text).problems) {
        if (!/^f\.yml:[1-9]\d*:[1-9]\d*(?::| )/.test(problemLine(problem)))
          throw new Error(problemLine(problem));
      }
    }),
    { numRuns: 300 },
  );
  t.pass('no counterexample');
});

t.test('any .properties text is read without a throw', LIMIT, async (t) => {
  const texts = fc.array(fc.constantFrom(...PIECES, '=', 'a[0]', 'a[1].b', '\\u00e9', '!'), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(texts, (pieces) => {
      const findings = new Findings();
      lookUpFlat(readProperties(pieces.join(''), 'f.properties'), findings);
      for (const problem of findings.problems) {
        if (!/^f\.properties:[1-9]\d*:[1-9]\d*$/.test(problem.where)) throw new Error(problemLine(problem));
      }
    }),
    { numRuns: 300 },
  );
  t.pass('no counterexample');
});

t.test('a syntax error is refused with its line and column', LIMIT, async (t) => {
  const of = (text: string) => refused(t, { files: { 'application.yml': text } });
  t.match(of('server:\n  port: [1'), [/^application\.yml:2:\d+: not readable as YAML: /]);
  t.match(of('server:\n\tport: 1').join('\n'), /^application\.yml:2:1: not readable as YAML: /);
  t.match(of('a: b: c').join('\n'), /^application\.yml:1:\d+: not readable as YAML: /);
  t.match(of('- 1\n- 2'), [/^application\.yml:1:1: must hold keys and values$/]);
  t.match(
    of('a: *nowhere').join('\n'),
    /^application\.yml:1:\d+: not readable as YAML: an alias has no anchor/,
  );
});

t.test('text that multiplies by aliases, or is nested without end, is refused', LIMIT, async (t) => {
  const laughs = ['a0: &a0 [x]'];
  for (let index = 1; index < 12; index += 1) {
    laughs.push(`a${index}: &a${index} [${`*a${index - 1},`.repeat(10)}]`);
  }
  t.match(refused(t, { files: { 'application.yml': laughs.join('\n') } }), [
    /too large or nested too deeply/,
  ]);
  for (const open of ['[', '{a: ', '- ']) {
    t.match(
      refused(t, { files: { 'application.yml': open.repeat(20_000) } }).join('\n'),
      /not readable as YAML/,
    );
  }
  t.match(refused(t, { files: { 'application.yml': `plugins: ${'['.repeat(100)}${']'.repeat(100)}` } }), [
    /nested too deeply/,
  ]);
});

t.test('anchors and merge keys work, the own key winning', LIMIT, async (t) => {
  const text = [
    'plugins:',
    '  base: &base {a: 1, b: 2}',
    '  more: &more {c: 3}',
    '  one: {<<: *base, b: 4}',
    '  two: {<<: [*more, *base]}',
  ].join('\n');
  const { values } = started(t, { files: { 'application.yml': text } });
  t.match(values.plugins, { one: { a: '1', b: '4' }, two: { a: '1', b: '2', c: '3' } });
});

t.test('several mistakes are reported at once, and an empty file is none', LIMIT, async (t) => {
  t.equal(refused(t, { files: { 'application.yml': 'a: 1\nserver: {port: x}\nb: 2' } }).length, 3);
  for (const text of ['', '# nothing', '---', '---\n---\n', '~'])
    started(t, { files: { 'application.yml': text } });
  t.equal(started(t, { files: { 'application.yml': '\ufeffserver: {port: 1}' } }).values['server.port'], 1);
});

t.test('SPRING_APPLICATION_JSON that cannot be read is refused', LIMIT, async (t) => {
  t.match(
    refused(t, { env: { SPRING_APPLICATION_JSON: '{"server": ' } }).join('\n'),
    /^SPRING_APPLICATION_JSON:1:\d+/,
  );
  t.match(refused(t, { env: { SPRING_APPLICATION_JSON: '{"nope": 1}' } }), [
    /^SPRING_APPLICATION_JSON:1:2 nope/,
  ]);
  const json = '{"lavalink": {"server": {"bufferDurationMs": 80, "sources": {"local": true}}}}';
  const { values } = started(t, { env: { SPRING_APPLICATION_JSON: json } });
  t.equal(values['lavalink.server.bufferDurationMs'], 80);
  t.equal(values['lavalink.server.sources.local'], true);
});
