// The sender's real socket on loopback: it sends at once, from shared memory, hears the far end, and never throws
// (reliability.md case 39). Runs in the test process.

import dgram from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { UdpSocket } from '../../../src/shard/sender/udp.js';

const LIMIT = { timeout: 10_000 };

async function setting(t: Test) {
  const far = dgram.createSocket('udp4');
  far.bind(0, '127.0.0.1');
  await once(far, 'listening');
  const udp = new UdpSocket();
  t.teardown(() => {
    far.close();
    udp.close();
  });
  return { far, port: far.address().port, udp };
}

t.test('bytes of shared memory arrive, part by part, and an answer comes back', LIMIT, async (t) => {
  const { far, port, udp } = await setting(t);
  const bytes = Buffer.from(new SharedArrayBuffer(64));
  for (let n = 0; n < bytes.length; n++) bytes[n] = n;
  const heard: string[] = [];
  const answered = new Promise<void>((resolve) => {
    udp.listen({
      message: (message, address, from) => {
        heard.push(`${message.toString()} from ${address}:${from}`);
        resolve();
      },
      failed: () => heard.push('failed'),
    });
  });
  const arrived = once(far, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
  udp.send(bytes, 10, 5, port, '127.0.0.1');
  t.equal(udp.queued, 0, 'it is on its way when send() returns');
  const [message, from] = await arrived;
  t.same([...message], [10, 11, 12, 13, 14]);
  far.send('hello', from.port, '127.0.0.1');
  await answered;
  t.same(heard, [`hello from 127.0.0.1:${port}`]);
});

t.test('what cannot be sent is told, not thrown, and the next goes out', LIMIT, async (t) => {
  const { far, port, udp } = await setting(t);
  let failed = 0;
  const all = new Promise<void>((resolve) => {
    udp.listen({ message: () => undefined, failed: () => ++failed === 4 && resolve() });
  });
  const bytes = Buffer.alloc(70_000);
  const arrived = once(far, 'message');
  udp.send(bytes, 0, 10, 0, '127.0.0.1');
  udp.send(bytes, 0, 10, 65_536, '127.0.0.1');
  udp.send(bytes, 0, 10, port, 'not an address');
  udp.send(bytes, 0, bytes.length, port, '127.0.0.1');
  udp.send(bytes, 0, 10, port, '127.0.0.1');
  await Promise.all([all, arrived]);
  t.equal(failed, 4);
});

t.test('nobody at the far end is no fault of ours', LIMIT, async (t) => {
  const { far, port, udp } = await setting(t);
  let failed = 0;
  udp.listen({ message: () => undefined, failed: () => failed++ });
  const nobody = dgram.createSocket('udp4');
  nobody.bind(0, '127.0.0.1');
  await once(nobody, 'listening');
  const closedPort = nobody.address().port;
  nobody.close();
  const arrived = once(far, 'message');
  for (let n = 0; n < 20; n++) udp.send(Buffer.from('x'), 0, 1, closedPort, '127.0.0.1');
  udp.send(Buffer.from('x'), 0, 1, port, '127.0.0.1');
  await arrived;
  t.equal(failed, 0);
});

t.test('a closed socket sends nothing and says nothing', LIMIT, async (t) => {
  const udp = new UdpSocket();
  let failed = 0;
  udp.listen({ message: () => undefined, failed: () => failed++ });
  udp.close();
  udp.send(Buffer.from('x'), 0, 1, 9, '127.0.0.1');
  t.equal(failed, 0);
});
