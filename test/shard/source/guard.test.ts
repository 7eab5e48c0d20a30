// Names and addresses before the guard, with an injected resolver: one look-up, one verdict, one address.
// Reliability case 32.

import t from 'tap';

import { AllowList } from '../../../src/shard/source/address.js';
import { Guard, pinnedLookup, type GuardOptions } from '../../../src/shard/source/guard.js';
import { HttpClient } from '../../../src/shard/source/http.js';
import { DEFAULT_TIMEOUTS } from '../../../src/shard/source/settings.js';
import { systemClock } from '../../../src/shared/clock.js';
import { ServerError, type ErrorCode } from '../../../src/shared/errors.js';
import { SOURCE } from '../../../src/shared/limits.js';
import { failure, never } from '../../support/http-source.js';
import { ManualClock } from '../../support/manual-clock.js';

const limit = { timeout: 10_000 };
const nowhere = new AllowList([]);

function guardWith(options: Partial<GuardOptions>): Guard {
  return new Guard({ allow: nowhere, clock: systemClock, ownAddresses: [], ...options });
}

/** A guard whose names resolve to these addresses. */
const guardFor = (...answers: string[]): Guard => guardWith({ resolver: async () => answers });

const code = async (work: Promise<unknown>): Promise<ErrorCode> => (await failure(work)).code;

t.test('icy becomes http, and a trailing dot is dropped', limit, async (t) => {
  const guard = guardFor();
  t.equal(
    guard.checkUrl('icy://radio.example.com:8000/live?a=1').href,
    'http://radio.example.com:8000/live?a=1',
  );
  t.equal(guard.checkUrl('http://example.com./a').href, 'http://example.com/a');
});

t.test('a refusal names the class of the address and never the address', limit, async (t) => {
  const error = await failure(guardFor('10.20.30.40').resolve('inside.example.com', never));
  t.equal(error.parameters['reason'], 'private');
  t.notMatch(error.chain().join('\n'), '10.20.30.40');
});

t.test('a name that answers with a private address anywhere is refused as a whole', limit, async (t) => {
  for (const answers of [
    ['127.0.0.1'],
    ['8.8.8.8', '127.0.0.1'],
    ['10.0.0.1', '8.8.8.8'],
    ['2606:4700::1', 'fd00::1'],
    ['::1'],
    ['8.8.8.8', '::ffff:169.254.169.254'],
    ['8.8.8.8', 'nonsense'],
  ]) {
    t.equal(
      await code(guardFor(...answers).resolve('example.com', never)),
      'PUM_SOURCE_REFUSED',
      answers.join(),
    );
  }
});

t.test('IPv4 is preferred, and a name with none gets its IPv6 address', limit, async (t) => {
  t.same(await guardFor('2606:4700::1', '8.8.4.4').resolve('example.com', never), {
    address: '8.8.4.4',
    family: 4,
  });
  t.same(await guardFor('2606:4700::1').resolve('example.com', never), {
    address: '2606:4700::1',
    family: 6,
  });
});

t.test(
  'a name is looked up once, and the address that was judged is the one that is dialled',
  limit,
  async (t) => {
    let asked = 0;
    // Public at first, private ever after: a second look-up would be caught out.
    const guard = guardWith({ resolver: async () => (asked++ === 0 ? ['8.8.8.8'] : ['127.0.0.1']) });
    const dialled: string[] = [];
    const client = new HttpClient(guard, systemClock, DEFAULT_TIMEOUTS, ({ address }) => {
      dialled.push(address);
      throw new ServerError('PUM_SOURCE_CONNECT');
    });
    t.equal(
      await code(client.exchange(guard.checkUrl('http://rebind.example.com/'), {}, never)),
      'PUM_SOURCE_CONNECT',
    );
    t.equal(asked, 1);
    t.same(dialled, ['8.8.8.8']);
    t.equal(
      await code(client.exchange(guard.checkUrl('http://rebind.example.com/'), {}, never)),
      'PUM_SOURCE_REFUSED',
    );
    t.same(dialled, ['8.8.8.8']);
  },
);

t.test('a literal host is judged without asking the resolver', limit, async (t) => {
  let asked = 0;
  const guard = guardWith({
    resolver: async () => {
      asked++;
      return ['8.8.8.8'];
    },
  });
  t.equal(await code(guard.resolve('127.0.0.1', never)), 'PUM_SOURCE_REFUSED');
  t.equal((await guard.resolve('8.8.4.4', never)).address, '8.8.4.4');
  t.equal(asked, 0);
});

t.test('a resolver that stays silent is given up at its deadline', limit, async (t) => {
  const clock = new ManualClock();
  const guard = guardWith({ clock, resolver: () => new Promise(() => {}) });
  const result = code(guard.resolve('slow.example.com', never));
  t.equal(clock.pending, 1);
  clock.advance(SOURCE.resolveTimeout - 1);
  t.equal(clock.pending, 1);
  clock.advance(1);
  t.equal(await result, 'PUM_SOURCE_RESOLVE');
  t.equal(clock.pending, 0);
});

t.test('a look-up ends at once when it is aborted', limit, async (t) => {
  const abort = new AbortController();
  const clock = new ManualClock();
  const guard = guardWith({ clock, resolver: () => new Promise(() => {}) });
  const result = guard.resolve('slow.example.com', abort.signal);
  abort.abort(new Error('enough'));
  await t.rejects(result, { message: 'enough' });
  t.equal(clock.pending, 0);
  await t.rejects(guard.resolve('slow.example.com', abort.signal), { message: 'enough' });
});

t.test('of ten thousand records only the first sixteen are looked at', limit, async (t) => {
  const many = Array.from({ length: 10_000 }, (_, i) => `8.8.${i >> 8}.${i & 255}`);
  t.equal((await guardFor(...many).resolve('many.example.com', never)).address, '8.8.0.0');
  const private17 = [...many.slice(0, 16), '127.0.0.1'];
  t.equal((await guardFor(...private17).resolve('many.example.com', never)).address, '8.8.0.0');
  const private16 = [...many.slice(0, 15), '127.0.0.1'];
  t.equal(await code(guardFor(...private16).resolve('many.example.com', never)), 'PUM_SOURCE_REFUSED');
});

t.test(
  'a name without an address, or a resolver that fails, is unresolvable and tells no name',
  limit,
  async (t) => {
    t.equal(await code(guardFor().resolve('empty.example.com', never)), 'PUM_SOURCE_RESOLVE');
    const fails = guardWith({
      resolver: () =>
        Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND secret.lan'), { code: 'ENOTFOUND' })),
    });
    const error = await failure(fails.resolve('secret.lan', never));
    t.equal(error.code, 'PUM_SOURCE_RESOLVE');
    t.match(error.chain()[1], 'ENOTFOUND');
    t.notMatch(error.chain().join(), 'secret.lan');
  },
);

t.test('the allow-list opens what it names and nothing else', limit, async (t) => {
  const guard = guardWith({
    allow: new AllowList(['127.0.0.1', '10.1.0.0/16']),
    resolver: async () => ['10.1.2.3'],
  });
  t.equal(guard.checkUrl('http://127.1/').hostname, '127.0.0.1');
  t.equal((await guard.resolve('station.lan', never)).address, '10.1.2.3');
  t.throws(() => guard.checkUrl('http://127.0.0.2/'), { code: 'PUM_SOURCE_REFUSED' });
  t.throws(() => guard.checkUrl('http://10.2.0.1/'), { code: 'PUM_SOURCE_REFUSED' });
});

t.test('our own address is refused even if it is public, unless it is allowed by name', limit, async (t) => {
  const own = ['93.184.216.34', '2606:2800:220:1::1'];
  const guard = guardWith({ ownAddresses: own, resolver: async () => ['93.184.216.34'] });
  t.equal((await failure(guard.resolve('our.example.com', never))).parameters['reason'], 'own');
  t.throws(() => guard.checkUrl('http://93.184.216.34:2333/'), { code: 'PUM_SOURCE_REFUSED' });
  t.throws(() => guard.checkUrl('http://[2606:2800:220:1:0:0:0:1]/'), { code: 'PUM_SOURCE_REFUSED' });
  t.throws(() => guard.checkUrl('http://[::ffff:93.184.216.34]/'), { code: 'PUM_SOURCE_REFUSED' });
  t.ok(guard.checkUrl('http://93.184.216.35/'));
  const allowed = guardWith({ ownAddresses: own, allow: new AllowList(['93.184.216.34']) });
  t.ok(allowed.checkUrl('http://93.184.216.34/'));
});

t.test("this machine's addresses are its own without being told", limit, async (t) => {
  const { networkInterfaces } = await import('node:os');
  const guard = new Guard({ allow: nowhere, clock: systemClock });
  const addresses = Object.values(networkInterfaces()).flatMap(
    (entries) => entries?.map((entry) => entry.address) ?? [],
  );
  t.ok(addresses.length > 0);
  for (const address of addresses)
    t.equal(await code(guard.resolve(address, never)), 'PUM_SOURCE_REFUSED', address);
});

t.test('a pinned look-up has one answer, in both forms that Node asks for', limit, async (t) => {
  const lookup = pinnedLookup({ address: '8.8.8.8', family: 4 });
  lookup('anything.example.com', {}, (error, address, family) =>
    t.same([error, address, family], [null, '8.8.8.8', 4]),
  );
  lookup('anything.example.com', { all: true }, (error, all) =>
    t.same([error, all], [null, [{ address: '8.8.8.8', family: 4 }]]),
  );
});
