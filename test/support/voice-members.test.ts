// Members of a call talk to its bots until op 15 says that they are not wanted: what arrives at a client's UDP
// socket, and when it stops (discord-voice.md §1.3, §4.3).
import { DAVESession } from '@snazzah/davey';
import t, { type Test } from 'tap';
import { AES_GCM, FakeVoiceServer, XCHACHA } from './fake-voice.js';
import type { FakeVoiceOptions } from './fake-voice.js';
import { BOT, GUILD, PlainVoiceClient } from './plain-voice-client.js';
import { openPacket, openRtcp, readHeader } from './rtp-packet.js';

const LIMIT = { timeout: 20_000 };
const isRtcp = (packet: Buffer): boolean => packet.readUInt8(1) === 200;
const isRtp = (packet: Buffer): boolean => packet.readUInt8(1) === 0x78;

async function serve(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions>) {
  const server = await FakeVoiceServer.start(options);
  t.teardown(() => server.close());
  return { server, client: await PlainVoiceClient.open(server) };
}

for (const mode of [AES_GCM, XCHACHA] as const) {
  t.test(`a member's sound arrives sealed in ${mode}, announced by op 5`, LIMIT, async (t) => {
    const { server, client } = await serve(t, { memberRate: 50, dave: 0, chatter: true });
    const listener = server.addListener(GUILD);
    const stream = await client.connect(mode);
    client.discover(stream.ssrc);
    const packets = await client.receiveDatagrams(5, isRtp);
    const { d } = await client.receive(5);
    t.match(d, { speaking: 1, user_id: listener.userId });
    t.match((await client.receive(12)).d, { audio_ssrc: d.ssrc, user_id: listener.userId });
    t.same(
      packets.map(readHeader),
      [0, 1, 2, 3, 4].map((n) => headerOf(n, d.ssrc)),
    );
    for (const packet of packets) t.equal(openPacket(mode, stream.key, packet)?.length, 80);
    const [report] = await client.receiveDatagrams(1, isRtcp);
    const opened = openRtcp(mode, stream.key, report!);
    t.equal(opened?.length, 20, 'and a sender report with it');
    t.equal(report!.readUInt32BE(4), d.ssrc);
    t.ok((server.report(GUILD)?.memberFrames ?? 0) >= 5);
    t.match(server.report(GUILD), { violations: [] });
    await client.close();
  });
}

function headerOf(n: number, ssrc: number) {
  return { payloadType: 120, sequence: n, timestamp: n * 960, ssrc };
}

t.test('op 15 stops them, for all or for all but one, and lets them in again', LIMIT, async (t) => {
  const { server, client } = await serve(t, { memberRate: 200, memberSpeakers: 2, dave: 0 });
  server.addListener(GUILD, '5');
  server.addListener(GUILD, '6');
  server.addListener(GUILD, '7'); // The third does not speak.
  const { ssrc } = await client.connect(XCHACHA);
  client.discover(ssrc);
  await client.receiveDatagrams(20, isRtp);
  const heard = (since: number): ReadonlySet<number> =>
    new Set(
      client.datagrams
        .slice(since)
        .filter(({ packet }) => isRtp(packet))
        .map(({ packet }) => readHeader(packet).ssrc),
    );
  t.equal(heard(0).size, 2);

  /** Op 15, then as many pings as the round trip needs: nothing that was under way comes behind them. */
  const want = async (wants: unknown): Promise<number> => {
    const before = client.seen.filter(({ op }) => op === 6).length;
    client.send(15, wants);
    client.send(3, { t: 1 });
    for (let n = 0; client.seen.filter(({ op }) => op === 6).length === before; n++) {
      if (n === 500) throw new Error('no answer');
      await pause(2);
    }
    await pause(50);
    return client.datagrams.length;
  };
  const none = await want({ any: 0 });
  t.same(server.report(GUILD)?.sinkWants, { any: 0 });
  const sent = server.report(GUILD)?.memberFrames;
  await pause(100);
  t.equal(client.datagrams.length, none, 'nothing comes');
  t.equal(server.report(GUILD)?.memberFrames, sent, 'and nothing is sent');

  const [chosen] = heard(0);
  const one = await want({ any: 0, [chosen!]: 100 });
  await client.receiveDatagrams(client.datagrams.filter(({ packet }) => isRtp(packet)).length + 5, isRtp);
  t.same([...heard(one)], [chosen]);
  const both = await want({ any: 100 });
  await client.receiveDatagrams(client.datagrams.filter(({ packet }) => isRtp(packet)).length + 10, isRtp);
  t.equal(heard(both).size, 2);
  await client.close();
});

t.test('in a group what they say is end-to-end encrypted, and the bot can hear it', LIMIT, async (t) => {
  const { server, client } = await serve(t, { memberRate: 50 });
  const listener = server.addListener(GUILD);
  const bot = new DAVESession(1, BOT, GUILD);
  const stream = await client.connect(XCHACHA);
  client.discover(stream.ssrc);
  const { payload } = await client.receive(25);
  bot.setExternalSender(payload);
  client.sendBinary(26, bot.getSerializedKeyPackage());
  const welcome = await client.receive(30);
  bot.processWelcome(welcome.payload.subarray(2));
  client.send(23, { transition_id: welcome.payload.readUInt16BE(0) });
  await server.waitForDave(GUILD);
  const from = client.datagrams.filter(({ packet }) => isRtp(packet)).length;
  const packet = (await client.receiveDatagrams(from + 3, isRtp)).at(-1)!;
  const frame = openPacket(XCHACHA, stream.key, packet)!;
  t.equal(frame.readUInt16BE(frame.length - 2), 0xfafa);
  t.equal(bot.decrypt(listener.userId, 0, frame).length, 80);
  await client.close();
});

t.test('nobody talks unless it is asked for, nor before the bot has been heard of', LIMIT, async (t) => {
  const { server, client } = await serve(t, { memberRate: 200 });
  server.addListener(GUILD);
  await client.connect(XCHACHA);
  await pause(60);
  t.equal(client.datagrams.length, 0);
  t.equal(server.report(GUILD)?.memberFrames, 0);
  await client.close();
  const mute = await serve(t, {});
  mute.server.addListener(GUILD);
  const { ssrc } = await mute.client.connect(XCHACHA);
  mute.client.discover(ssrc);
  await pause(60);
  t.equal(mute.client.datagrams.length, 1, 'the answer to the discovery');
  await mute.client.close();
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

t.test('members begin and cease to speak when the server is told', LIMIT, async (t) => {
  const { server, client } = await serve(t, { dave: 0 });
  server.addListener(GUILD);
  const { ssrc } = await client.connect(AES_GCM);
  client.discover(ssrc);
  const frames = (): number => server.report(GUILD)?.memberFrames ?? NaN;
  t.equal(frames(), 0);
  server.speak(500);
  await client.receiveDatagrams(10, isRtp);
  server.speak(0);
  const sent = frames();
  t.ok(sent >= 10);
  for (let n = 0; n < 20; n++) {
    server.act(GUILD, { kind: 'send', op: 200 + n, d: null });
    await client.receive(200 + n);
  }
  t.equal(frames(), sent, 'none came meanwhile');
  server.speak(500);
  await client.receiveDatagrams(sent + 10, isRtp);
  t.ok(frames() >= sent + 10, 'and they speak again');
  await client.close();
});
