// The order and the switches of the sources, and that main's list of names is the same.

import t from 'tap';

import { defaults } from '../../../src/shared/config.js';
import { systemClock } from '../../../src/shared/clock.js';
import { BUILT_SOURCES, enabledSources } from '../../../src/shared/sources.js';
import { AllowList } from '../../../src/shard/source/address.js';
import { Guard } from '../../../src/shard/source/guard.js';
import { buildRegistry, type SourceRegistry } from '../../../src/shard/source/registry.js';
import { sourceSettings, type SourceSettings } from '../../../src/shard/source/settings.js';

const limit = { timeout: 10_000 };

function registryWith(settings: Partial<SourceSettings>): SourceRegistry {
  const guard = new Guard({ allow: new AllowList([]), clock: systemClock });
  return buildRegistry({ ...sourceSettings(defaults()), ...settings }, guard, systemClock);
}

t.test('the registry holds exactly the sources that main prints, in the same order', limit, async (t) => {
  for (const http of [true, false]) {
    for (const local of [true, false]) {
      t.same(registryWith({ http, local }).names(), enabledSources({ http, local }));
    }
  }
  t.same(registryWith({ http: true, local: true }).names(), BUILT_SOURCES);
});

t.test('http comes last', limit, async (t) => {
  t.equal(BUILT_SOURCES.at(-1), 'http');
});

t.test('a source is found by its name while it is on', limit, async (t) => {
  const registry = registryWith({ http: true, local: false });
  t.equal(registry.get('http')?.name, 'http');
  t.equal(registry.get('local'), null);
  t.equal(registry.get('youtube'), null);
});

t.test('sources are asked only about what they accept', limit, async (t) => {
  const registry = registryWith({ http: true, local: true });
  const asked = (identifier: string): string[] => registry.accepting(identifier).map((source) => source.name);
  t.same(asked('http://example.com/a.mp3'), ['http']);
  t.same(asked('a.mp3'), ['local']);
  t.same(asked('ftp://example.com/a.mp3'), []);
});

t.test('the settings follow the configuration', limit, async (t) => {
  const settings = sourceSettings({
    ...defaults(),
    'lavalink.server.sources.http': false,
    'lavalink.server.sources.local': true,
    'lavalink.server.timeouts.connectTimeoutMs': 1,
    'lavalink.server.timeouts.socketTimeoutMs': 2,
    'pumice.sources.localRoot': '/music',
  });
  t.same(settings, {
    http: false,
    local: true,
    localRoot: '/music',
    timeouts: { connect: 1, firstByte: 2, idle: 2 },
  });
});
