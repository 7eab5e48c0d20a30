// Network bytes of an address against the text that node:net has for it.
import fc from 'fast-check';
import { BlockList, isIP, SocketAddress } from 'node:net';
import t from 'tap';

import { peerAddress } from '../../../src/main/http/peer-address.js';

const timeout = 10_000;

void t.test('addresses have the text that node:net prints', { timeout }, async (t) => {
  for (const [hex, text] of [
    ['7f000001', '127.0.0.1'],
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000ffff7f000001', '::ffff:127.0.0.1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['', ''],
  ] as const) {
    t.equal(peerAddress(Buffer.from(hex, 'hex')), text);
  }
});

void t.test('any address of IPv6 keeps its value', { timeout }, async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const address = peerAddress(bytes);
      const long = Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? '';
      const same = new BlockList();
      same.addAddress(new SocketAddress({ address: long, family: 'ipv6' }));
      return isIP(address) === 6 && same.check(address, 'ipv6');
    }),
    { numRuns: 200 },
  );
});
