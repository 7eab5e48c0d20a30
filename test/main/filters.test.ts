// Claims about Lavalink's filter object: defaults, float32 echo, what is refused (lavalink-v4.md §4.1).
import t from 'tap';
import { enabledFilters, parseFilters, refusedFilters } from '../../src/main/filters.js';
import { BUILT_FILTERS } from '../../src/shared/filters.js';
import { writeJson } from '../../src/shared/json.js';

const echo = (filters: unknown): string => writeJson(parseFilters(filters).filters);

t.test('missing fields are filled in and echoed in the order of the protocol', { timeout: 10_000 }, (t) => {
  t.equal(echo({}), '{}');
  t.equal(
    echo({ lowPass: {}, karaoke: {} }),
    '{"karaoke":{"level":1,"monoLevel":1,"filterBand":220,"filterWidth":100},"lowPass":{"smoothing":20}}',
  );
  t.equal(echo({ timescale: { pitch: 2 } }), '{"timescale":{"speed":1,"pitch":2,"rate":1}}');
  t.equal(
    echo({ tremolo: {}, vibrato: { depth: 1 } }),
    '{"tremolo":{"frequency":2,"depth":0.5},"vibrato":{"frequency":2,"depth":1}}',
  );
  t.equal(
    echo({ distortion: {} }),
    '{"distortion":{"sinOffset":0,"sinScale":1,"cosOffset":0,"cosScale":1,"tanOffset":0,"tanScale":1,"offset":0,"scale":1}}',
  );
  t.equal(
    echo({ channelMix: {}, rotation: {} }),
    '{"rotation":{"rotationHz":0},"channelMix":{"leftToLeft":1,"leftToRight":0,"rightToLeft":0,"rightToRight":1}}',
  );
  t.end();
});

t.test('floats are echoed as float32, doubles whole', { timeout: 10_000 }, (t) => {
  t.equal(echo({ volume: 0.123456789 }), '{"volume":0.12345679}');
  t.equal(echo({ rotation: { rotationHz: 0.123456789 } }), '{"rotation":{"rotationHz":0.123456789}}');
  t.end();
});

t.test('bands are all echoed, with gain 1 where it is missing', { timeout: 10_000 }, (t) => {
  t.equal(
    echo({ equalizer: [{ band: 0 }, { band: 0, gain: 0.25 }] }),
    '{"equalizer":[{"band":0,"gain":1},{"band":0,"gain":0.25}]}',
  );
  t.equal(echo({ equalizer: [] }), '{"equalizer":[]}');
  for (const band of [-1, 15]) {
    t.throws(() => parseFilters({ equalizer: [{ band }] }), {
      message: /filters\.equalizer\[0\]\.band must lie/,
    });
  }
  t.throws(() => parseFilters({ equalizer: [{}] }), { message: /filters\.equalizer\[0\]\.band is missing/ });
  t.throws(() => parseFilters({ equalizer: Array(10_000).fill({ band: 1 }) }), {
    message: /more than 1024 bands/,
  });
  t.end();
});

t.test('null unsets an object filter and is refused for the others', { timeout: 10_000 }, (t) => {
  t.equal(echo({ karaoke: null, lowPass: null }), '{}');
  for (const name of ['volume', 'equalizer', 'pluginFilters']) {
    t.throws(() => parseFilters({ [name]: null }), { message: new RegExp(`filters\\.${name} `) });
  }
  t.end();
});

t.test('values out of range pass; values that are no number do not', { timeout: 10_000 }, (t) => {
  t.equal(echo({ timescale: { speed: -1 } }), '{"timescale":{"speed":-1,"pitch":1,"rate":1}}');
  t.throws(() => parseFilters({ timescale: { speed: 'NaN' } }), {
    message: /timescale\.speed must be a number/,
  });
  t.end();
});

t.test('only what is built and switched on is enabled', { timeout: 10_000 }, (t) => {
  t.strictSame(
    enabledFilters(() => true),
    BUILT_FILTERS,
  );
  t.strictSame(
    enabledFilters(() => false),
    [],
  );
  const { named } = parseFilters({ pluginFilters: { b: 1, a: 1 }, volume: 1, tremolo: null });
  t.strictSame(
    refusedFilters(named, [], (name) => name === 'a'),
    ['volume', 'tremolo', 'a'],
  );
  t.end();
});
