// Where a voice connection may go: the endpoint of a PATCH and the UDP address of the gateway. No name is really
// looked up. Reliability case 33.

import t from 'tap';

import { systemClock } from '../../../src/shared/clock.js';
import { AllowList } from '../../../src/shard/source/address.js';
import { Guard, type VoiceTarget } from '../../../src/shard/source/guard.js';
import { failure, never } from '../../support/http-source.js';

const code = async (work: Promise<unknown>): Promise<string> => (await failure(work)).code;
const limit = { timeout: 10_000 };

/** A guard whose names resolve to these addresses. */
const guardFor = (...answers: string[]): Guard =>
  new Guard({
    allow: new AllowList([]),
    clock: systemClock,
    ownAddresses: ['93.184.216.34'],
    resolver: () => Promise.resolve(answers),
  });

t.test('a voice endpoint must match a pattern and be public', limit, async (t) => {
  const patterns = ['*.discord.media'];
  const target = await guardFor('8.8.8.8').voiceEndpoint('c-fra.discord.media:8443', patterns, never);
  t.same(target, { host: 'c-fra.discord.media', port: 8443, literal: false, address: '8.8.8.8', family: 4 });
  for (const endpoint of [
    'evil.example.com',
    '127.0.0.1',
    'discord.media',
    'x.discord.media@127.0.0.1',
    '*.discord.media',
  ]) {
    t.equal(
      await code(guardFor('8.8.8.8').voiceEndpoint(endpoint, patterns, never)),
      'PUM_VOICE_ENDPOINT',
      endpoint,
    );
  }
  t.equal(
    await code(guardFor('127.0.0.1').voiceEndpoint('a.discord.media', patterns, never)),
    'PUM_SOURCE_REFUSED',
  );
  t.equal(await code(guardFor('127.0.0.1').voiceEndpoint('127.1', ['*'], never)), 'PUM_SOURCE_REFUSED');
});

t.test('a voice host that a pattern spells out may be private', limit, async (t) => {
  const guard = guardFor('127.0.0.1');
  t.equal((await guard.voiceEndpoint('127.0.0.1:4000', ['127.0.0.1'], never)).address, '127.0.0.1');
  t.equal((await guard.voiceEndpoint('localhost:4000', ['localhost:*'], never)).address, '127.0.0.1');
  t.equal((await guard.voiceEndpoint('[::1]:4000', ['[::1]:*'], never)).address, '::1');
  t.equal(
    await code(guardFor().voiceEndpoint('localhost:4000', ['localhost:*'], never)),
    'PUM_SOURCE_RESOLVE',
  );
  t.equal(
    await code(guardFor('nonsense').voiceEndpoint('localhost', ['localhost'], never)),
    'PUM_SOURCE_RESOLVE',
  );
});

t.test("the gateway's UDP address is public, or excused by the gateway's own pattern", limit, async (t) => {
  const guard = guardFor();
  const gateway = (address: string, literal: boolean): VoiceTarget => ({
    host: 'h',
    port: 443,
    literal,
    address,
    family: 4,
  });
  const discord = gateway('8.8.8.8', false);
  t.same(guard.checkDatagram('66.22.196.1', discord), { address: '66.22.196.1', family: 4 });
  t.equal(guard.checkDatagram('2606:4700::1', discord).family, 6);
  for (const inner of [
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    '255.255.255.255',
    '93.184.216.34',
    'localhost',
    '',
  ]) {
    t.throws(() => guard.checkDatagram(inner, discord), { code: 'PUM_SOURCE_REFUSED' }, inner);
  }
  t.equal(
    guard.checkDatagram('127.0.0.2', gateway('127.0.0.1', true)).address,
    '127.0.0.2',
    'loopback for loopback',
  );
  t.equal(
    guard.checkDatagram('10.0.0.7', gateway('10.0.0.7', true)).address,
    '10.0.0.7',
    'the same private host',
  );
  t.throws(() => guard.checkDatagram('10.0.0.8', gateway('10.0.0.7', true)), { code: 'PUM_SOURCE_REFUSED' });
  t.throws(() => guard.checkDatagram('127.0.0.1', gateway('10.0.0.7', true)), { code: 'PUM_SOURCE_REFUSED' });
  t.throws(() => guard.checkDatagram('127.0.0.1', gateway('127.0.0.1', false)), {
    code: 'PUM_SOURCE_REFUSED',
  });
});
