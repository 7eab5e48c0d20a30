// Which voice endpoints the operator's patterns let through. Reliability case 33.

import fc from 'fast-check';
import t from 'tap';

import { matchVoiceEndpoint } from '../../src/shared/voice-endpoint.js';

const limit = { timeout: 10_000 };
const discord = ['*.discord.media'];

t.test("a voice server of Discord's is allowed at any port", limit, async (t) => {
  t.same(matchVoiceEndpoint(discord, 'c-fra-1.discord.media'), {
    host: 'c-fra-1.discord.media',
    port: 443,
    literal: false,
  });
  t.same(matchVoiceEndpoint(discord, 'a.b.Discord.Media:8443'), {
    host: 'a.b.discord.media',
    port: 8443,
    literal: false,
  });
  t.same(matchVoiceEndpoint(discord, 'x.discord.media.:80'), {
    host: 'x.discord.media',
    port: 80,
    literal: false,
  });
});

t.test('anything that only looks like one is not', limit, async (t) => {
  for (const endpoint of [
    '',
    'discord.media',
    '.discord.media',
    'evildiscord.media',
    'x.discord.media.evil.example',
    'x.discord.media@127.0.0.1',
    '127.0.0.1/x.discord.media',
    '127.0.0.1#x.discord.media',
    '127.0.0.1?x.discord.media',
    'wss://x.discord.media',
    'x.discord.media/path',
    'x.discord.media:0',
    'x.discord.media:65536',
    'x.discord.media:',
    'x.discord.media:*',
    'x.discord.media:443:443',
    '*.discord.media',
    '*',
    'x .discord.media',
    'x.discord.media\n',
    'x%2e.discord.media',
    'ｘ.discord.media',
    '[::1].discord.media',
    `${'a'.repeat(250)}.discord.media`,
  ]) {
    t.equal(matchVoiceEndpoint(discord, endpoint), null, endpoint);
  }
});

t.test('a pattern that spells the host is literal, whatever its port says', limit, async (t) => {
  const at = (pattern: string, endpoint: string): boolean | undefined =>
    matchVoiceEndpoint([pattern], endpoint)?.literal;
  t.equal(at('127.0.0.1', '127.0.0.1:5000'), true);
  t.equal(at('localhost:*', 'localhost:5000'), true);
  t.equal(at('[::1]:*', '[::1]:5000'), true);
  t.equal(at('voice.lan:5000', 'voice.lan:5000'), true);
  t.equal(at('voice.lan:5000', 'voice.lan:5001'), undefined);
  t.equal(at('voice.lan:5000', 'voice.lan'), undefined);
  t.equal(at('voice.lan', 'x.voice.lan'), undefined);
  t.equal(at('*', 'anything.example.com'), false);
  t.equal(matchVoiceEndpoint(['*.lan', 'voice.lan'], 'voice.lan')?.literal, true, 'the literal one counts');
  t.equal(matchVoiceEndpoint([], 'voice.lan'), null);
  t.equal(
    matchVoiceEndpoint(['http://voice.lan', ''], 'voice.lan'),
    null,
    'a pattern that is none matches nothing',
  );
});

t.test('whatever the endpoint is, only a name below the pattern passes', limit, async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.boolean(), (text, append) => {
      const match = matchVoiceEndpoint(discord, append ? `${text}.discord.media` : text);
      return match === null || /^[a-z0-9_.-]+\.discord\.media$/.test(match.host);
    }),
    { numRuns: 300 },
  );
});
