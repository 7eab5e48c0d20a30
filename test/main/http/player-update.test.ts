// Claims about the body of PATCH player: what is refused, in which order, with which text
// (lavalink-v4.md §1.4, steps 2 to 6).
import fc from 'fast-check';
import t from 'tap';
import {
  checkPlayerUpdate,
  parsePlayerUpdate,
  type PlayerChange,
} from '../../../src/main/http/player-update.js';
import { ServerError } from '../../../src/shared/errors.js';
import { VOICE } from '../../support/main-node.js';

const rules = {
  enabledFilters: ['volume', 'equalizer'],
  pluginFiltersOff: new Set(['echo']),
  voiceEndpoints: ['*.discord.media'],
};
const change = (body: unknown): PlayerChange => checkPlayerUpdate(parsePlayerUpdate(body), rules);
const refusal = (message: string) => ({ code: 'PUM_HTTP_BAD_REQUEST', message });

t.test('an empty body asks for nothing', { timeout: 10_000 }, (t) => {
  t.strictSame(change({ unknown: 1 }), {
    track: null,
    userData: null,
    positionMs: null,
    endTimeMs: null,
    volume: null,
    paused: null,
    filters: null,
    voice: null,
  });
  t.end();
});

t.test('absent, null and value are three things', { timeout: 10_000 }, (t) => {
  t.strictSame(change({ track: { encoded: null } }).track, { kind: 'stop' });
  t.strictSame(change({ encodedTrack: null }).track, { kind: 'stop' });
  t.strictSame(change({ track: { encoded: 'x' } }).track, { kind: 'encoded', token: 'x' });
  t.strictSame(change({ identifier: 'x' }).track, { kind: 'identifier', identifier: 'x' });
  t.equal(change({ track: {} }).track, null);
  t.equal(change({ endTime: null }).endTimeMs, null);
  for (const name of ['track', 'identifier', 'position', 'volume', 'paused', 'filters', 'voice']) {
    t.throws(() => change({ [name]: null }), { message: new RegExp(`^Bad Request: ${name} `) }, name);
  }
  t.throws(
    () => change({ track: { userData: null } }),
    refusal('Bad Request: track.userData must be an object'),
  );
  t.throws(
    () => change({ voice: { ...VOICE, endpoint: null } }),
    refusal('Bad Request: voice.endpoint must be a string'),
  );
  t.end();
});

t.test('what excludes each other is refused with the two texts of Lavalink', { timeout: 10_000 }, (t) => {
  const both = refusal('Cannot specify both track and encodedTrack/identifier');
  const two = refusal('Cannot specify both encodedTrack and identifier');
  t.throws(() => change({ track: {}, encodedTrack: null }), both);
  t.throws(() => change({ track: {}, identifier: 'x' }), both);
  t.throws(() => change({ encodedTrack: 'x', identifier: 'x' }), two);
  t.throws(() => change({ track: { encoded: null, identifier: 'x' } }), two);
  t.end();
});

t.test(
  'disabled and unbuilt filters are listed in order, named with null or not',
  { timeout: 10_000 },
  (t) => {
    t.throws(
      () =>
        change({ filters: { pluginFilters: { echo: 1, other: 1 }, lowPass: null, karaoke: {}, volume: 1 } }),
      refusal('Following filters are disabled in the config: karaoke, lowPass, echo'),
    );
    t.strictSame(change({ filters: { pluginFilters: { other: 1 } } }).filters, {});
    t.end();
  },
);

t.test('a missing voice key is named, with the version that requires it', { timeout: 10_000 }, (t) => {
  const { channelId: _channel, ...old } = VOICE;
  t.throws(
    () => change({ voice: old }),
    refusal('Bad Request: voice.channelId is missing (required since Lavalink 4.2)'),
  );
  t.throws(() => change({ voice: {} }), refusal('Bad Request: voice.token is missing'));
  const blank = refusal('token, endpoint, sessionId and channelId must be provided in voice state');
  t.throws(() => change({ voice: { ...VOICE, channelId: null } }), blank);
  t.throws(() => change({ voice: { ...VOICE, token: ' ' } }), blank);
  t.strictSame(change({ voice: VOICE }).voice, VOICE);
  t.end();
});

t.test('a voice server outside the patterns is refused and its name cleaned', { timeout: 10_000 }, (t) => {
  t.throws(() => change({ voice: { ...VOICE, endpoint: 'evil.example\n' } }), {
    code: 'PUM_VOICE_ENDPOINT',
    message: /evil\.example\? is not allowed/,
  });
  t.end();
});

t.test('numbers are clamped where Lavalink clamps and refused where it refuses', { timeout: 10_000 }, (t) => {
  t.equal(change({ volume: -1 }).volume, 0);
  t.equal(change({ volume: 1e9 }).volume, 1_000);
  t.throws(() => change({ volume: 1e10 }), { message: /^Bad Request: volume / });
  t.equal(change({ position: -5 }).positionMs, 0);
  t.throws(() => change({ position: 32400.5 }), { message: /^Bad Request: position / });
  t.equal(change({ position: 9223372036854775807n }).positionMs, Number.MAX_SAFE_INTEGER);
  for (const endTime of [0, -1])
    t.throws(() => change({ endTime }), refusal('End time must be greater than 0'));
  t.end();
});

t.test('what a player keeps of its client has ceilings that name the field', { timeout: 10_000 }, (t) => {
  const voice = { token: 't', endpoint: 'eu1.discord.media', sessionId: 's', channelId: '1' };
  const check = (body: unknown) => () => change(body);
  const userData = { text: 'ä'.repeat(16_000) };
  t.doesNotThrow(check({ track: { userData } }));
  t.throws(
    check({ track: { userData: { text: 'ä'.repeat(17_000) } } }),
    refusal('Bad Request: track.userData is larger than 32768 bytes'),
  );
  t.doesNotThrow(check({ voice: { ...voice, token: 't'.repeat(1_024) } }));
  for (const key of Object.keys(voice)) {
    t.throws(
      check({ voice: { ...voice, [key]: 't'.repeat(1_025) } }),
      refusal(`Bad Request: voice.${key} is longer than 1024 characters`),
    );
  }
  t.end();
});

t.test('the first failing step decides', { timeout: 10_000 }, (t) => {
  const body = {
    track: {},
    encodedTrack: 'x',
    filters: { karaoke: {} },
    voice: { ...VOICE, token: '' },
    endTime: 0,
  };
  t.throws(() => change(body), { message: /^Cannot specify/ });
  t.throws(() => change({ ...body, track: undefined }), { message: /^Following filters/ });
  t.throws(() => change({ ...body, track: undefined, filters: undefined }), { message: /^token, endpoint/ });
  t.end();
});

t.test('any JSON is a change or a coded 400, and no prototype is touched', { timeout: 20_000 }, (t) => {
  const names = [
    'track',
    'encodedTrack',
    'position',
    'endTime',
    'volume',
    'paused',
    'filters',
    'voice',
    '__proto__',
  ];
  const body = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
      try {
        change(value);
      } catch (error) {
        t.ok(error instanceof ServerError && error.status === 400, String(error));
      }
      t.equal(Object.keys(Object.prototype).length, 0);
    }),
    { numRuns: 300 },
  );
  t.end();
});
