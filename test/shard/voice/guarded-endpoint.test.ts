// The guard as voice drivers see it: what was dialled is remembered until the gateway has named its UDP address, for
// as many connections as a shard may have, and no longer than that needs memory. No name is looked up.

import t from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { VOICE } from '../../../src/shared/limits.js';
import { AllowList } from '../../../src/shard/source/address.js';
import { Guard } from '../../../src/shard/source/guard.js';
import { voiceGuard } from '../../../src/shard/voice/guarded-endpoint.js';
import { never } from '../../support/http-source.js';

const LIMIT = { timeout: 20_000 };

const guarded = (): ReturnType<typeof voiceGuard> =>
  voiceGuard(
    new Guard({
      allow: new AllowList([]),
      clock: systemClock,
      ownAddresses: [],
      resolver: () => Promise.resolve(['66.22.196.1']),
    }),
    ['*.discord.media'],
  );

t.test('a shard that connects all its players at once refuses the audio of none', LIMIT, async (t) => {
  const guard = guarded();
  const endpoints = Array.from({ length: VOICE.maxNativeConnections }, (_, n) => `c-${n}.discord.media:443`);
  await Promise.all(endpoints.map((endpoint) => guard.resolve(endpoint, never)));
  const refused = endpoints.filter((endpoint) => !guard.udpAllowed(endpoint, '66.22.196.2'));
  t.same(refused, []);
});

t.test(
  'an endpoint that was never dialled allows nothing, and one of long ago is forgotten',
  LIMIT,
  async (t) => {
    const guard = guarded();
    t.notOk(guard.udpAllowed('c-0.discord.media:443', '66.22.196.2'));
    await guard.resolve('c-0.discord.media:443', never);
    t.ok(guard.udpAllowed('c-0.discord.media:443', '66.22.196.2'));
    t.notOk(guard.udpAllowed('c-0.discord.media:443', '10.0.0.1'));
    for (let n = 1; n <= 3 * VOICE.maxNativeConnections; n++) {
      await guard.resolve(`c-${String(n)}.discord.media:443`, never);
    }
    t.notOk(guard.udpAllowed('c-0.discord.media:443', '66.22.196.2'));
  },
);
