// Claims about values in paths and queries, read as Spring reads them (lavalink-v4.md §1.1, §1.2).
import fc from 'fast-check';
import t from 'tap';
import { guildId, querySwitch, snowflake } from '../../../src/main/http/path-values.js';

t.test('a guild id is any 64-bit number, printed as Java prints it', { timeout: 10_000 }, (t) => {
  t.equal(guildId('007'), '7');
  t.equal(guildId('+7'), '7');
  t.equal(guildId('-7'), '-7');
  t.equal(guildId('9223372036854775807'), '9223372036854775807');
  for (const text of ['9223372036854775808', '', '1.5', '1e3', 'abc', '٣', '--1']) {
    t.throws(() => guildId(text), { code: 'PUM_HTTP_BAD_REQUEST' }, text);
  }
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      t.equal(snowflake(String(value)), String(value));
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('a switch has four words for each state, in any letter case', { timeout: 10_000 }, (t) => {
  const of = (query: string): boolean => querySwitch(new URLSearchParams(query), 'noReplace');
  for (const word of ['true', 'ON', 'Yes', '1']) t.equal(of(`noReplace=${word}`), true, word);
  for (const word of ['false', 'OFF', 'No', '0', '']) t.equal(of(`noReplace=${word}`), false, word);
  t.equal(of('other=true'), false);
  t.throws(() => of('noReplace=maybe'), { code: 'PUM_HTTP_BAD_REQUEST', message: /noReplace/ });
  t.end();
});
