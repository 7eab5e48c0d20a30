// URLs as a stranger may spell them, all refused before a socket exists. No name is looked up here. Reliability
// case 31.

import t from 'tap';

import { systemClock } from '../../../src/shared/clock.js';
import { SOURCE } from '../../../src/shared/limits.js';
import { AllowList } from '../../../src/shard/source/address.js';
import { Guard } from '../../../src/shard/source/guard.js';
import { HttpClient } from '../../../src/shard/source/http.js';
import { HttpSource } from '../../../src/shard/source/http-source.js';
import { DEFAULT_TIMEOUTS } from '../../../src/shard/source/settings.js';
import { failure, never } from '../../support/http-source.js';

const limit = { timeout: 10_000 };

const guard = new Guard({
  allow: new AllowList([]),
  clock: systemClock,
  ownAddresses: [],
  resolver: () => Promise.resolve(['127.0.0.1']),
});

/** The private addresses by twenty spellings. */
const TWENTY = [
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.1/',
  'http://127.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://127.0.0.1./',
  'http://１２７.０.０.１/',
  'http://①②⑦.⓪.⓪.①/',
  'http://127。0。0。1/',
  'http://%31%32%37.0.0.1/',
  'http://[::1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[0:0:0:0:0:0:0:1]/',
];

const OTHERS = [
  // Other inner networks.
  'http://10.0.0.1/',
  'http://10.255.255.255/',
  'http://172.16.0.1/',
  'http://172.31.255.254/',
  'http://192.168.1.1/',
  'http://0xc0a80101/',
  'http://3232235777/',
  'http://0300.0250.1.1/',
  'http://192.168.257/',
  'http://100.64.0.1/',
  'http://100.127.255.254/',
  'http://169.254.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://0251.0376.0251.0376/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://192.0.0.192/',
  'http://224.0.0.1/',
  'http://239.255.255.255/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://4294967295/',
  'http://192.0.2.1/',
  'http://198.18.0.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://0.1.2.3/',
  'http://127.255.255.254/',
  // IPv6, plain and embedding.
  'http://[::ffff:10.0.0.1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:0:127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'http://[64:ff9b:1::10.0.0.1]/',
  'http://[2002:7f00:1::]/',
  'http://[2002:c0a8:101::1]/',
  'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  'http://[2606:4700::5efe:10.0.0.1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fe80::1%eth0]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://[100::1]/',
  // Written to look like something else.
  'http://example.com@127.0.0.1/',
  'http://example.com:80@127.0.0.1/',
  'http://127.0.0.1@example.com/',
  'http://user:password@example.com/',
  'http://example.com%2f@127.0.0.1/',
  'http:\\\\127.0.0.1\\',
  'http:/\\127.0.0.1/',
  'http:127.0.0.1/',
  'http:///127.0.0.1/',
  '  http://127.0.0.1/',
  'ht\ttp://127.0.0.1/',
  'http://127.0.\n0.1/',
  'HTTP://127.0.0.1/',
  'http://127.0.0.1:2333/',
  'http://127.0.0.1#@example.com/',
  'http://127.0.0.1?@example.com/',
  'https://127.0.0.1/',
  'icy://127.0.0.1:8000/stream',
  'icy://2130706433/',
  'icy:\\\\127.0.0.1/',
  // Other schemes.
  'file:///etc/passwd',
  'file://127.0.0.1/etc/passwd',
  'gopher://127.0.0.1:6379/_INFO',
  'ftp://example.com/a.mp3',
  'data:audio/mpeg;base64,SUQz',
  'ws://example.com/',
  'jar:http://example.com!/',
  'javascript:alert(1)',
  'blob:http://example.com/1',
  'about:blank',
];

t.test(
  'private addresses are refused by every spelling, with one code and before a socket exists',
  limit,
  async (t) => {
    let dialled = 0;
    const client = new HttpClient(guard, systemClock, DEFAULT_TIMEOUTS, () => {
      dialled++;
      throw new Error('a socket was made');
    });
    const source = new HttpSource(client);
    t.equal(TWENTY.length, 20);
    t.ok(TWENTY.length + OTHERS.length >= 80);
    for (const url of [...TWENTY, ...OTHERS]) {
      t.equal((await failure(source.resolve(url, never))).code, 'PUM_SOURCE_REFUSED', url);
    }
    t.equal(dialled, 0);
  },
);

t.test('the neighbours of the refused networks are allowed', limit, async (t) => {
  for (const host of [
    '126.255.255.255',
    '128.0.0.1',
    '9.255.255.255',
    '11.0.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '8.8.8.8',
  ]) {
    t.equal(guard.checkUrl(`http://${host}/`).hostname, host);
  }
  for (const host of [
    '[2606:4700::1111]',
    '[2001:4860:4860::8888]',
    '[64:ff9b::808:808]',
    '[::ffff:808:808]',
  ]) {
    t.equal(guard.checkUrl(`https://${host}/`).hostname, host);
  }
});

t.test('text that is no URL is told apart from a refused address', limit, async (t) => {
  for (const text of [
    '',
    'http://',
    'hello',
    'http://1.2.3.4.5/',
    'http://0x100000000/',
    'http://a b/',
    'http://[::1/',
    'icy:',
  ]) {
    t.throws(() => guard.checkUrl(text), { code: 'PUM_SOURCE_URL' }, text);
  }
  t.throws(() => guard.checkUrl(`http://example.com/${'a'.repeat(SOURCE.maxUrl)}`), {
    code: 'PUM_SOURCE_URL',
  });
});
