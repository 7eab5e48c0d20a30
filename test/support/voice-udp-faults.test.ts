// The fake voice server's UDP side beyond the straight path, over the wire: wrong answers to discovery, a port that
// changes in mid-call, junk, RTCP, new keys, and receiving on a thread of its own (discord-voice.md §1.6 to §1.8,
// §4.3, reliability case 39).
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { AES_GCM, FakeVoiceServer, XCHACHA } from './fake-voice.js';
import type { FakeVoiceOptions } from './fake-voice.js';
import { GUILD, PlainVoiceClient } from './plain-voice-client.js';
import { sealRtcp } from './rtp-packet.js';
import { DatagramBatch, datagramsIn } from './voice-datagrams.js';
import type { DiscoveryFault } from './voice-options.js';
import { kernelDrops } from './voice-socket.js';

const LIMIT = { timeout: 20_000 };
const opus = () => Buffer.concat([Buffer.from([0xfc]), randomBytes(100)]);
const PING = Buffer.from('1337cafe00000007', 'hex');
const PONG = '1337f00d00000007';

async function serve(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions> = {}) {
  const server = await FakeVoiceServer.start(options);
  t.teardown(() => server.close());
  return { server, client: await PlainVoiceClient.open(server) };
}

const wrong: readonly [DiscoveryFault, (answer: Buffer, ssrc: number, port: number) => boolean][] = [
  ['short', (answer) => answer.length === 70],
  ['wrong-type', (answer) => answer.readUInt16BE(0) === 3],
  ['wrong-ssrc', (answer, ssrc) => answer.readUInt32BE(4) === ssrc + 1],
  ['no-address', (answer) => answer.subarray(8).every((byte) => byte === 0)],
  ['other-port', (answer, ssrc) => answer.readUInt32BE(4) === ssrc],
];

for (const [kind, isWrong] of wrong) {
  t.test(`discovery can be answered wrongly (${kind}), and then rightly`, LIMIT, async (t) => {
    const { server, client } = await serve(t, {
      faults: { dropDiscovery: 1, badDiscovery: { kind, times: 2 } },
    });
    const ssrc = await client.identify();
    for (let n = 0; n < 4; n++) client.discover(ssrc);
    await client.receiveDatagrams(3);
    // Answers of two ports may overtake each other.
    const bad = client.datagrams.filter(({ port }) => (kind === 'other-port') === (port !== server.udpPort));
    t.equal(bad.filter(({ packet, port }) => isWrong(packet, ssrc, port)).length >= 2, true);
    const right = client.datagrams.filter(({ packet, port }) => {
      return port === server.udpPort && packet.length === 74 && packet.readUInt16BE(72) === client.udpPort;
    });
    t.ok(right.some(({ packet }) => packet.readUInt32BE(0) === 0x0002_0046));
    t.equal(server.report(GUILD)?.discoveries, 3);
    await client.close();
  });
}

for (const udpThreads of [0, 2]) {
  for (const keepOld of [true, false]) {
    const what = `the port changes in mid-call, the old one ${keepOld ? 'open' : 'closed'} (${udpThreads} threads)`;
    t.test(what, LIMIT, async (t) => {
      const { server, client } = await serve(t, { udpThreads, memberRate: 100, dave: 0 });
      server.addListener(GUILD);
      const stream = await client.connect(XCHACHA);
      await server.waitForSpeaking(GUILD, true);
      const before = server.udpPort;
      client.datagram(client.sealed(stream, 0, opus()));
      await server.waitForFrames(GUILD, 1);
      await client.receiveDatagrams(2);
      t.ok(client.datagrams.every(({ port }) => port === before));

      const after = await server.changeUdpPort(keepOld);
      t.not(after, before);
      t.equal(server.udpPort, after);
      const fromNew = (_: Buffer, port: number): boolean => port === after;
      await client.receiveDatagrams(5, fromNew);
      const known = client.datagrams.length;
      await client.receiveDatagrams(known + 5);
      const later = client.datagrams.slice(known);
      t.ok(
        later.every(({ port }) => port === after),
        'voices of members come from the new one',
      );
      client.datagram(client.sealed(stream, 1, opus()));
      if (keepOld) await server.waitForFrames(GUILD, 2);
      client.datagram(client.sealed(stream, 2, opus()), after);
      await server.waitForFrames(GUILD, keepOld ? 3 : 2);
      t.match(server.report(GUILD), { packets: keepOld ? 3 : 2, missing: keepOld ? 0 : 1, port: before });

      const next = await PlainVoiceClient.open(server);
      await next.identify({ server_id: '12' });
      t.not((await next.receive(2)).d.port, before, 'and Ready names it');
      await Promise.all([client.close(), next.close()]);
    });
  }
}

t.test('junk comes from the right port and from another one', LIMIT, async (t) => {
  const { server, client } = await serve(t);
  const { ssrc } = await client.connect(XCHACHA);
  client.discover(ssrc);
  await client.receiveDatagrams(1);
  server.act(GUILD, { kind: 'udp-junk', count: 28 });
  await client.receiveDatagrams(29);
  t.equal(new Set(client.datagrams.map(({ port }) => port)).size, 2);
  t.equal(client.datagrams.filter(({ port }) => port === server.udpPort).length, 15);
  await client.close();
});

for (const mode of [AES_GCM, XCHACHA] as const) {
  t.test(`RTCP in ${mode} is authenticated and shares the nonces of RTP`, LIMIT, async (t) => {
    const { server, client } = await serve(t);
    const stream = await client.connect(mode);
    await server.waitForSpeaking(GUILD, true);
    const report = Buffer.alloc(28);
    report.writeUInt16BE(0x80c8, 0);
    report.writeUInt32BE(stream.ssrc, 4);
    for (let n = 0; n < 3; n++) client.datagram(client.sealed(stream, n, opus()));
    client.datagram(sealRtcp(mode, stream.key, report, 4));
    client.datagram(sealRtcp(mode, stream.key, report, 2));
    client.datagram(sealRtcp(mode, randomBytes(32), report, 6));
    client.datagram(PING);
    await client.receiveDatagrams(1);
    t.match(server.report(GUILD), { packets: 3, rtcp: 2, badRtcp: 1, nonceReuses: 1, violationCount: 2 });
    t.same(server.report(GUILD)?.violations, [
      'an RTCP packet uses a nonce a second time',
      'an RTCP packet does not authenticate',
    ]);
    t.match(server.totals(), { rtcp: 3, badRtcp: 1 });
    await client.close();
  });
}

t.test(
  'nonces count per key: another op 4 lets them begin again, the old key is nobody’s',
  LIMIT,
  async (t) => {
    const { server, client } = await serve(t);
    const old = await client.connect(XCHACHA);
    await server.waitForSpeaking(GUILD, true);
    for (let n = 0; n < 3; n++) client.datagram(client.sealed(old, n, opus()));
    await server.waitForFrames(GUILD, 3);
    client.seen.splice(0);
    const fresh = await client.describeAgain(old);
    for (let n = 3; n < 6; n++) client.datagram(client.sealed(fresh, n, opus(), { nonce: n - 2 }));
    await server.waitForFrames(GUILD, 6);
    t.match(server.report(GUILD), { nonceReuses: 0, violations: [] });
    client.datagram(client.sealed(fresh, 6, opus(), { nonce: 2 }));
    client.datagram(client.sealed(old, 7, opus(), { nonce: 99 }));
    client.datagram(PING);
    await client.receiveDatagrams(1);
    t.match(server.report(GUILD), { nonceReuses: 1, bad: 1 });
    await client.close();
  },
);

t.test('on threads of their own the ports stamp arrivals while the server is held up', LIMIT, async (t) => {
  const { server, client } = await serve(t, { udpThreads: 2 });
  const other = await PlainVoiceClient.open(server);
  const stream = await client.connect(AES_GCM);
  await other.identify({ server_id: '12' });
  const ports = [await client.receive(2), await other.receive(2)].map(({ d }) => d.port as number);
  t.equal(new Set(ports).size, 2, 'each session has one of them');
  await server.waitForSpeaking(GUILD, true);
  client.discover(stream.ssrc);
  client.datagram(PING);
  const [answer, pong] = await client.receiveDatagrams(2);
  t.equal(answer?.readUInt16BE(72), client.udpPort);
  t.equal(pong?.toString('hex'), PONG);

  const before = performance.now();
  client.datagram(client.sealed(stream, 0, opus()));
  await new Promise((resolve) => setTimeout(resolve, 20)); // Until it is there.
  const until = performance.now() + 300;
  while (performance.now() < until); // Nobody here reads.
  const [frame] = await server.waitForFrames(GUILD, 1);
  t.ok(frame!.at >= before - 1 && frame!.at < until - 150, 'by the clock of the server’s thread');
  t.match(server.report(GUILD), { opened: 1, plainFrames: 1, violations: [] });
  await Promise.all([client.close(), other.close()]);
});

t.test('it says how large the receive buffer is and what the kernel has dropped', LIMIT, async (t) => {
  const { server, client } = await serve(t);
  const { receiveBuffer, kernelDrops: drops } = server.totals();
  t.ok(receiveBuffer >= 100_000);
  if (drops === null) return t.end();
  t.equal(drops, 0);
  const stream = await client.connect(XCHACHA);
  const flood = Buffer.alloc(1_400, 0xff);
  let sent = 0;
  /** All in one turn, in which the server cannot read. */
  const burst = (): void => {
    for (let n = 0; n < 8_000; n++) client.datagram(flood);
    sent += 8_000;
  };
  for (let n = 0; n < 5 && kernelDrops([server.udpPort]) === 0; n++) {
    burst();
    client.datagram(client.sealed(stream, n, opus()));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { kernelDrops: lost, junk } = server.totals();
  t.ok(lost! > 0, `${lost} of ${sent}`);
  t.ok(lost! + junk <= sent);
  return client.close();
});

t.test('datagrams cross in batches as they were', LIMIT, (t) => {
  const datagram = fc.record({
    packet: fc.uint8Array({ maxLength: 1_500 }).map((bytes) => Buffer.from(bytes)),
    at: fc.double({ noNaN: true }),
    address: fc.ipV4(),
    port: fc.integer({ min: 0, max: 65_535 }),
  });
  const batch = new DatagramBatch();
  fc.assert(
    fc.property(fc.array(datagram, { maxLength: 40 }), (datagrams) => {
      for (const each of datagrams) batch.add(each);
      const crossed = [...datagramsIn(batch.take())];
      return batch.size === 0 && JSON.stringify(crossed) === JSON.stringify(datagrams);
    }),
    { numRuns: 200 },
  );
  t.pass();
  t.end();
});
