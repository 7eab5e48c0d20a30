// Classes of addresses at both edges of every network, the forms that embed others, and the allow-list.
// Reliability case 31.

import fc from 'fast-check';
import t from 'tap';

import {
  AllowList,
  addressKey,
  classifyAddress,
  parseAddress,
  parseCidr,
} from '../../../src/shard/source/address.js';
import { ServerError } from '../../../src/shared/errors.js';

const limit = { timeout: 10_000 };

/** Network, its class, its first and last address, and the neighbours on both sides with their class. */
const EDGES: readonly (readonly [string, string, string, string, string, string, string])[] = [
  ['0.0.0.0', '0.255.255.255', 'unspecified', '', '', '1.0.0.0', 'public'],
  ['10.0.0.0', '10.255.255.255', 'private', '9.255.255.255', 'public', '11.0.0.0', 'public'],
  ['100.64.0.0', '100.127.255.255', 'shared', '100.63.255.255', 'public', '100.128.0.0', 'public'],
  ['127.0.0.0', '127.255.255.255', 'loopback', '126.255.255.255', 'public', '128.0.0.0', 'public'],
  ['169.254.0.0', '169.254.255.255', 'link-local', '169.253.255.255', 'public', '169.255.0.0', 'public'],
  [
    '169.254.169.254',
    '169.254.169.254',
    'metadata',
    '169.254.169.253',
    'link-local',
    '169.254.169.255',
    'link-local',
  ],
  [
    '100.100.100.200',
    '100.100.100.200',
    'metadata',
    '100.100.100.199',
    'shared',
    '100.100.100.201',
    'shared',
  ],
  ['168.63.129.16', '168.63.129.16', 'metadata', '168.63.129.15', 'public', '168.63.129.17', 'public'],
  ['172.16.0.0', '172.31.255.255', 'private', '172.15.255.255', 'public', '172.32.0.0', 'public'],
  ['192.0.0.0', '192.0.0.255', 'reserved', '191.255.255.255', 'public', '192.0.1.0', 'public'],
  ['192.0.2.0', '192.0.2.255', 'documentation', '192.0.1.255', 'public', '192.0.3.0', 'public'],
  ['192.88.99.0', '192.88.99.255', 'reserved', '192.88.98.255', 'public', '192.88.100.0', 'public'],
  ['192.168.0.0', '192.168.255.255', 'private', '192.167.255.255', 'public', '192.169.0.0', 'public'],
  ['198.18.0.0', '198.19.255.255', 'benchmarking', '198.17.255.255', 'public', '198.20.0.0', 'public'],
  ['198.51.100.0', '198.51.100.255', 'documentation', '198.51.99.255', 'public', '198.51.101.0', 'public'],
  ['203.0.113.0', '203.0.113.255', 'documentation', '203.0.112.255', 'public', '203.0.114.0', 'public'],
  ['224.0.0.0', '239.255.255.255', 'multicast', '223.255.255.255', 'public', '240.0.0.0', 'reserved'],
  [
    '240.0.0.0',
    '255.255.255.254',
    'reserved',
    '239.255.255.255',
    'multicast',
    '255.255.255.255',
    'broadcast',
  ],
  ['::', '::', 'unspecified', '', '', '::1', 'loopback'],
  ['::2', '::ffff:ffff', 'embedded', '::1', 'loopback', '::1:0:0', 'reserved'],
  ['64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', 'embedded', '', '', '64:ff9b:2::', 'reserved'],
  [
    'fc00::',
    'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'private',
    'fbff::',
    'reserved',
    'fe00::',
    'reserved',
  ],
  [
    'fe80::',
    'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'link-local',
    'fe7f::',
    'reserved',
    'fec0::',
    'site-local',
  ],
  [
    'fec0::',
    'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'site-local',
    'febf::',
    'link-local',
    'ff00::',
    'multicast',
  ],
  [
    '2001::',
    '2001:0:ffff:ffff:ffff:ffff:ffff:ffff',
    'embedded',
    '2000:ffff::',
    'public',
    '2001:1::',
    'reserved',
  ],
  [
    '2001:2::',
    '2001:2:0:ffff:ffff:ffff:ffff:ffff',
    'benchmarking',
    '2001:1::',
    'reserved',
    '2001:2:1::',
    'reserved',
  ],
  ['2001:10::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', 'reserved', '', '', '2001:200::', 'public'],
  ['2001:db8::', '2001:db8:ffff::', 'documentation', '2001:db7:ffff::', 'public', '2001:db9::', 'public'],
  ['3fff::', '3fff:fff:ffff::', 'documentation', '3ffe:ffff::', 'public', '3fff:1000::', 'public'],
  ['2000::', '2000:ffff::', 'public', '1fff:ffff::', 'reserved', '2001::', 'embedded'],
  ['3fff:1000::', '3fff:ffff::', 'public', '', '', '4000::', 'reserved'],
];

t.test('every special network ends exactly where its registry says', limit, async (t) => {
  for (const [first, last, is, below, belowIs, above, aboveIs] of EDGES) {
    t.equal(classifyAddress(first), is, first);
    t.equal(classifyAddress(last), is, last);
    if (below !== '') t.equal(classifyAddress(below), belowIs, `${below} (below ${first})`);
    t.equal(classifyAddress(above), aboveIs, `${above} (above ${last})`);
  }
});

t.test('an IPv6 form that carries an IPv4 address is judged by it', limit, async (t) => {
  const forms = ['::ffff:X', '64:ff9b::X', '2606:4700::5efe:X', '2606:4700::200:5efe:X'];
  const inside = {
    '127.0.0.1': 'loopback',
    '10.0.0.1': 'private',
    '169.254.169.254': 'metadata',
    '8.8.8.8': 'public',
  };
  for (const form of forms) {
    for (const [address, is] of Object.entries(inside)) {
      t.equal(classifyAddress(form.replace('X', address)), is, form.replace('X', address));
    }
  }
  t.equal(classifyAddress('2002:7f00:1::'), 'loopback', '6to4 of loopback');
  t.equal(classifyAddress('2002:808:808::1'), 'public', '6to4 of a public address');
  t.equal(classifyAddress('::127.0.0.1'), 'embedded', 'compatible');
  t.equal(classifyAddress('::8.8.8.8'), 'embedded', 'compatible, public');
  t.equal(classifyAddress('::ffff:0:127.0.0.1'), 'embedded', 'translated');
  t.equal(classifyAddress('2001:0:4136:e378:8000:63bf:3fff:fdd2'), 'embedded', 'Teredo');
});

t.test('what is not a literal address is not classified', limit, async (t) => {
  const others = [
    '',
    'localhost',
    '127.1',
    '127.0.0.01',
    '0x7f.0.0.1',
    '2130706433',
    '256.0.0.1',
    '1.2.3.4.5',
    '1.2.3.',
  ];
  const others6 = [
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    'g::',
    '12345::',
    'fe80::1%eth0',
    '[::1]',
  ];
  const more6 = [
    '1:2:3:4:5:6:7::8:9',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4:5:6:7:1.2.3.4',
  ];
  for (const text of [...others, ...others6, ...more6]) t.equal(classifyAddress(text), null, text);
});

t.test('an IPv6 address reads the same in its short and its long form', limit, async (t) => {
  t.same(parseAddress('2001:db8::1'), parseAddress('2001:0db8:0000:0000:0000:0000:0000:0001'));
  t.same(parseAddress('::ffff:1.2.3.4'), parseAddress('::ffff:102:304'));
  t.same(parseAddress('1:2:3:4:5:6:7::'), parseAddress('1:2:3:4:5:6:7:0'));
  t.equal(addressKey('::ffff:127.0.0.1'), addressKey('127.0.0.1'));
  t.not(addressKey('::127.0.0.1'), addressKey('127.0.0.1'));
});

t.test('an allow-list holds addresses and networks, and nothing beside them', limit, async (t) => {
  const list = new AllowList(['127.0.0.1', '10.1.0.0/16', ' fd00::/8 ', '192.168.7.0/25']);
  for (const held of [
    '127.0.0.1',
    '::ffff:127.0.0.1',
    '10.1.0.0',
    '10.1.255.255',
    'fd12::1',
    '192.168.7.127',
  ]) {
    t.ok(list.has(held), held);
  }
  for (const other of [
    '127.0.0.2',
    '10.0.255.255',
    '10.2.0.0',
    'fc00::1',
    '192.168.7.128',
    'localhost',
    '::127.0.0.1',
  ]) {
    t.notOk(list.has(other), other);
  }
});

t.test('a bad entry of the allow-list is named', limit, async (t) => {
  for (const entry of [
    '',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '1.2.3',
    '*',
  ]) {
    try {
      new AllowList(['10.0.0.0/8', entry]);
      t.fail(`accepted ${entry}`);
    } catch (error) {
      t.ok(error instanceof ServerError && error.code === 'PUM_CONFIG_INVALID');
      t.match((error as Error).message, `pumice.sources.allowPrivate: '${entry}'`);
    }
  }
});

t.test('any four bytes survive being written and read', limit, async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
      const parsed = parseAddress(bytes.join('.'));
      return parsed !== null && parsed.every((byte, index) => byte === bytes[index]);
    }),
    { numRuns: 200 },
  );
});

t.test('any sixteen bytes survive being written in groups and read', limit, async () => {
  fc.assert(
    fc.property(fc.uint16Array({ minLength: 8, maxLength: 8 }), (groups) => {
      const parsed = parseAddress([...groups].map((group) => group.toString(16)).join(':'));
      return (
        parsed !== null &&
        [...groups].every((group, i) => group === (parsed[2 * i] ?? 0) * 256 + (parsed[2 * i + 1] ?? 0))
      );
    }),
    { numRuns: 200 },
  );
});

t.test('arbitrary text is never taken for an address that Node does not know either', limit, async () => {
  const { isIP } = await import('node:net');
  const alphabet = fc.string({
    unit: fc.constantFrom(...Array.from('0123456789abcdef:./%[]x')),
    maxLength: 24,
  });
  fc.assert(
    fc.property(alphabet, (text) => {
      parseCidr(text);
      return (classifyAddress(text) === null) === (isIP(text) === 0 || text.includes('%'));
    }),
    { numRuns: 300 },
  );
});
