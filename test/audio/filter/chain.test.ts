// The chain's table against the list of names that the protocol edge knows.
import t from 'tap';
import { FILTERS, openChain } from '../../../src/audio/filter/chain.js';
import { BUILT_FILTERS, FILTER_NAMES } from '../../../src/shared/filters.js';

const LIMIT = { timeout: 10_000 };

t.test('the table and the list of built filters are equal', LIMIT, async (t) => {
  t.strictSame([...FILTERS.map(([name]) => name)].sort(), [...BUILT_FILTERS].sort());
  t.ok(BUILT_FILTERS.every((name) => FILTER_NAMES.includes(name)));
});

t.test('names that are not built are ignored, and so is what objects inherit', LIMIT, async (t) => {
  t.equal(openChain({}).length, 0);
  t.equal(openChain({ equalizer: [{ band: 0, gain: 1 }], pluginFilters: { echo: 1 } }).length, 0);
  t.equal(openChain({ volume: 0.5, karaoke: {} }).length, 1);
  t.equal(openChain({ volume: 1 }).length, 0);
  t.equal(openChain(Object.create({ volume: 0.5 }) as Record<string, unknown>).length, 0);
});
