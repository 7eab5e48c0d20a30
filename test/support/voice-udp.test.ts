// The fake voice server's UDP side over the wire, with a client that sends what it likes: discovery, ping, and
// streams whose faults must be reported at the far end (discord-voice.md §1.6 to §1.9).
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { AES_GCM, FakeVoiceServer, XCHACHA } from './fake-voice.js';
import type { FakeVoiceOptions } from './fake-voice.js';
import { GUILD, PlainVoiceClient } from './plain-voice-client.js';
import { SILENCE_FRAME } from './rtp-packet.js';

const LIMIT = { timeout: 20_000 };
const opus = () => Buffer.concat([Buffer.from([0xfc]), randomBytes(100)]);

async function serve(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions> = {}) {
  const server = await FakeVoiceServer.start(options);
  t.teardown(() => server.close());
  return { server, client: await PlainVoiceClient.open(server) };
}

t.test(
  'discovery is answered with the address it came from, once the first ones are dropped',
  LIMIT,
  async (t) => {
    const { server, client } = await serve(t, { faults: { dropDiscovery: 2 } });
    const ssrc = await client.identify();
    const answered = client.nextDatagram();
    for (let n = 0; n < 3; n++) client.discover(ssrc);
    const answer = await answered;
    t.equal(answer.length, 74);
    t.equal(answer.readUInt32BE(0), 0x0002_0046);
    t.equal(answer.readUInt32BE(4), ssrc);
    t.equal(answer.toString('latin1', 8, answer.indexOf(0, 8)), '127.0.0.1');
    t.equal(answer.readUInt16BE(72), client.udpPort);
    t.equal(server.report(GUILD)?.discoveries, 1);
    await client.close();
  },
);

t.test('a discovery request with garbage in it, or for nobody, gets no answer', LIMIT, async (t) => {
  const { server, client } = await serve(t);
  const ssrc = await client.identify();
  const answered = client.nextDatagram();
  client.discover(ssrc, true);
  client.discover(ssrc + 1);
  client.datagram(Buffer.from('1337cafe00000007', 'hex'));
  t.equal((await answered).toString('hex'), '1337f00d00000007', 'the ping behind them does, with its number');
  t.match(server.totals(), { junk: 2, pings: 1 });
  t.equal(server.report(GUILD)?.discoveries, 0);
  await client.close();
});

t.test('keepalives, RTCP and junk are told apart', LIMIT, async (t) => {
  const { server, client } = await serve(t);
  await client.connect(XCHACHA);
  const answered = client.nextDatagram();
  client.datagram(Buffer.from('0100000000000000', 'hex'));
  client.datagram(Buffer.concat([Buffer.from([0x80, 200]), Buffer.alloc(60)]));
  client.datagram(Buffer.concat([Buffer.from([0x80, 0x78]), Buffer.alloc(60)]));
  client.datagram(Buffer.alloc(3));
  client.datagram(Buffer.from('1337cafe00000001', 'hex'));
  await answered;
  t.match(server.totals(), { keepalives: 1, rtcp: 1, junk: 2, packets: 0 });
  await client.close();
});

for (const mode of [AES_GCM, XCHACHA] as const) {
  t.test(`what is sent in ${mode} arrives as it was, from whichever port`, LIMIT, async (t) => {
    const { server, client } = await serve(t);
    const stream = await client.connect(mode);
    await server.waitForSpeaking(GUILD, true);
    const sent = Array.from({ length: 50 }, opus);
    const other = await PlainVoiceClient.open(server);
    for (const [n, frame] of sent.entries()) {
      // One socket after the other: between two sockets the kernel promises no order.
      (n < 25 ? client : other).datagram(client.sealed(stream, n, frame));
      if (n === 24) await server.waitForFrames(GUILD, 25);
    }
    const frames = await server.waitForFrames(GUILD, 50);
    t.ok(frames.every((frame, n) => frame.opus?.equals(sent[n]!) === true && !frame.dave));
    t.same(
      frames.map(({ sequence, timestamp }) => [sequence, timestamp]),
      sent.map((_, n) => [n, n * 960]),
    );
    t.match(server.report(GUILD), { mode, packets: 50, opened: 50, plainFrames: 50, violations: [] });
    await client.close();
    await other.close();
  });

  t.test(`a doctored stream in ${mode} is reported fault by fault`, LIMIT, async (t) => {
    const { server, client } = await serve(t);
    const stream = await client.connect(mode);
    await server.waitForSpeaking(GUILD, true);
    const send = (n: number, over = {}) => client.datagram(client.sealed(stream, n, opus(), over));
    for (let n = 0; n < 4; n++) send(n);
    send(4, { nonce: 4 });
    send(6);
    send(7, { timestamp: 7 * 960 + 1 });
    const damaged = client.sealed(stream, 8, opus());
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 5) ^ 1, damaged.length - 5);
    client.datagram(damaged);
    await server.waitForFrames(GUILD, 7);
    client.datagram(Buffer.from('1337cafe00000001', 'hex')); // Behind the damaged one.
    await client.nextDatagram();
    const report = server.report(GUILD);
    t.match(report, {
      packets: 7,
      nonceReuses: 1,
      missing: 1,
      timestampFaults: 1,
      bad: 1,
      violationCount: 4,
    });
    t.match(report?.violations, [
      'packet 4 uses a nonce a second time',
      '1 packets are missing before 6',
      'packet 7 is 1 samples off',
      'packet 8 does not authenticate',
    ]);
    t.equal(server.totals().violations[0], 's1: packet 4 uses a nonce a second time');
    server.resetCounters();
    t.match(server.report(GUILD), { packets: 0, violations: [], lateness: { frames: 0 } });
    send(8, { nonce: 4 });
    await server.waitForFrames(GUILD, 1);
    t.match(
      server.report(GUILD),
      { missing: 0, nonceReuses: 1 },
      'used nonces and the last packet are remembered',
    );
    await client.close();
  });
}

t.test('sound without op 5 is borne for the grace, then the connection is closed', LIMIT, async (t) => {
  const { server, client } = await serve(t, { speakingGraceMs: 100 });
  const ssrc = await client.identify();
  client.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port: client.udpPort, mode: XCHACHA } });
  const { d } = await client.receive(4);
  const stream = { ssrc, mode: XCHACHA, key: Buffer.from(d.secret_key as number[]) } as const;
  let n = 0;
  const sending = setInterval(() => client.datagram(client.sealed(stream, n, Buffer.from([0xfc, n++]))), 20);
  t.teardown(() => clearInterval(sending));
  t.equal((await client.closed).code, 4020);
  const report = server.report(GUILD);
  t.ok(report!.beforeSpeaking >= 5);
  t.match(report?.violations, [/comes without speaking/]);
});

t.test('an op 5 of another SSRC is a violation', LIMIT, async (t) => {
  const { server, client } = await serve(t);
  const { ssrc } = await client.connect(XCHACHA);
  await server.waitForSpeaking(GUILD, true);
  client.send(5, { speaking: 0, delay: 0, ssrc: ssrc + 1 });
  await server.waitForSpeaking(GUILD, false);
  t.match(server.report(GUILD), { speakingFlags: [1, 0], violations: [/op 5 names SSRC/] });
  await client.close();
});

t.test('five silence frames are silence, four are not', LIMIT, async (t) => {
  const { server, client } = await serve(t);
  const stream = await client.connect(XCHACHA);
  client.datagram(client.sealed(stream, 0, opus()));
  for (let n = 1; n <= 4; n++) client.datagram(client.sealed(stream, n, SILENCE_FRAME));
  await server.waitForFrames(GUILD, 5);
  await t.rejects(server.waitForSilence(GUILD, 20));
  client.datagram(client.sealed(stream, 5, SILENCE_FRAME));
  await server.waitForSilence(GUILD);
  t.match(server.report(GUILD), { silenceFrames: 5, plainFrames: 6 });
  await client.close();
});

t.test(
  'with openEvery one packet in n is opened and the others are still counted and checked',
  LIMIT,
  async (t) => {
    const { server, client } = await serve(t, { openEvery: 10, keepFrames: 5 });
    const stream = await client.connect(XCHACHA);
    await server.waitForSpeaking(GUILD, true);
    for (let n = 0; n < 100; n++) {
      if (n === 55) continue;
      client.datagram(
        client.sealed(stream, n, n > 90 ? SILENCE_FRAME : opus(), n === 33 ? { nonce: 5 } : {}),
      );
    }
    await server.waitForFrames(GUILD, 99);
    const report = server.report(GUILD);
    t.match(report, { packets: 99, opened: 10, missing: 1, nonceReuses: 1, silenceFrames: 9 });
    t.ok(server.frames(GUILD).length <= 7, 'and only the newest are kept');
    await client.close();
  },
);
