// What the fake voice gateway does wrong on demand, over the wire: junk, connections that are cut, modes nobody
// speaks, every close code, limits, and what it says besides (discord-voice.md §1.3 to §1.5, reliability case 38).
import t, { type Test } from 'tap';
import { AES_GCM, FakeVoiceServer, XCHACHA } from './fake-voice.js';
import type { FakeVoiceOptions, VoiceFaults } from './fake-voice.js';
import { BOT, GUILD, IDENTIFY, PlainVoiceClient } from './plain-voice-client.js';
import { CLOSE_CODES, closeReason, isResumable } from './voice-closes.js';
import { junkMessages } from './voice-junk.js';
import type { JunkKind, Moment } from './voice-options.js';

const RESUME = { server_id: GUILD, session_id: IDENTIFY.session_id, token: IDENTIFY.token };
const LIMIT = { timeout: 20_000 };

async function serve(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions> = {}) {
  const server = await FakeVoiceServer.start(options);
  t.teardown(() => server.close());
  return server;
}

async function connected(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions> = {}) {
  const server = await serve(t, options);
  const client = await PlainVoiceClient.open(server);
  const stream = await client.connect(XCHACHA);
  return { server, client, stream };
}

const MOMENTS: readonly [Moment, readonly number[]][] = [
  ['open', [8]],
  ['identify', [8]],
  ['ready', [8, 2]],
  ['select-protocol', [8, 2]],
  ['session-description', [8, 2, 4, 25]],
  ['speaking', [8, 2, 4, 25]],
];

t.test('a connection is cut without a close frame at the moment that was asked for', LIMIT, async (t) => {
  const server = await serve(t);
  for (const [moment, expected] of MOMENTS) {
    server.script({ dropAt: moment });
    const client = await PlainVoiceClient.open(server);
    client.connect(XCHACHA).catch(() => {}); // It ends on the way.
    t.equal((await client.closed).code, 1006, moment);
    const seen = client.seen.map(({ op }) => op);
    // A cut may overtake what was sent just before it.
    t.same(seen, expected.slice(0, seen.length), 'and nothing is said behind that');
  }
});

t.test('a session that was cut, before or during a Resume, can be resumed', LIMIT, async (t) => {
  const server = await serve(t);
  server.script({ dropAt: 'session-description' }, { guildId: GUILD });
  const first = await PlainVoiceClient.open(server);
  first.connect(XCHACHA).catch(() => {});
  await first.closed;
  server.script({ dropAt: 'resume' }, { guildId: GUILD });
  for (const dropped of [true, false]) {
    const client = await PlainVoiceClient.open(server);
    client.send(7, RESUME);
    if (dropped) t.equal((await client.closed).code, 1006);
    else await client.receive(9);
    if (!dropped) await client.close();
  }
  t.equal(server.report(GUILD)?.resumes, 2);
});

t.test('junk of every kind comes at its moment, and the call goes on', LIMIT, async (t) => {
  const server = await serve(t);
  const kinds: readonly JunkKind[] = ['text', 'shape', 'binary', 'body'];
  for (const [moment] of MOMENTS) {
    server.script({ junkAt: { moment, kinds } });
    const client = await PlainVoiceClient.open(server);
    client.send(0, IDENTIFY);
    client.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port: 1, mode: XCHACHA } });
    client.send(5, { speaking: 1, delay: 0, ssrc: 1 });
    client.send(16, {});
    await client.receive(16);
    t.ok(client.seen.some(({ op, d }) => op === 4 && d?.secret_key?.length === 32));
    const sent = junkMessages(kinds, 0);
    const received = client.junk.length + client.seen.length;
    t.ok(received >= sent.length, `${moment}: ${received} messages`);
    t.ok(client.junk.length >= 15, 'many of them none at all');
    t.equal(server.report(GUILD)?.open, true);
    await client.close();
  }
});

t.test('junk takes no number and leaves a Resume as it was', LIMIT, async (t) => {
  const { server, client } = await connected(t);
  await client.receive(25);
  const before = client.lastSeq;
  server.act(GUILD, { kind: 'junk' });
  client.send(16, {});
  await client.receive(16);
  t.equal(client.lastSeq, before);
  t.notOk(
    client.seen.some(({ op, d }) => op === 4 && d === null),
    'bodies of known ops only when they are asked for',
  );
  client.send(3, { t: 1, seq_ack: client.lastSeq });
  await client.receive(6);
  await client.drop();
  await server.waitForClose(GUILD);
  const second = await PlainVoiceClient.open(server);
  second.send(7, { ...RESUME, seq_ack: before });
  await second.receive(9);
  t.same(
    second.seen.map(({ op }) => op),
    [8, 9],
  );
  await second.close();
});

t.test('Ready offers the modes it is told, and none of them can be selected', LIMIT, async (t) => {
  const server = await serve(t);
  const modes = ['xsalsa20_poly1305', 'none'];
  server.script({ readyModes: modes });
  const client = await PlainVoiceClient.open(server);
  await client.identify();
  t.same((await client.receive(2)).d.modes, modes);
  client.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port: 1, mode: modes[0] } });
  t.equal((await client.closed).code, 4016);
});

t.test('op 4 can name another mode than was selected', LIMIT, async (t) => {
  const server = await serve(t, { faults: { describedMode: 'xsalsa20_poly1305' } });
  const client = await PlainVoiceClient.open(server);
  await client.connect(AES_GCM);
  t.equal((await client.receive(4)).d.mode, 'xsalsa20_poly1305');
  t.equal(server.report(GUILD)?.mode, AES_GCM);
  await client.close();
});

t.test(
  'every close code comes with its name, and leaves a session or not',
  { timeout: 40_000 },
  async (t) => {
    const server = await serve(t);
    for (const code of CLOSE_CODES) {
      const client = await PlainVoiceClient.open(server);
      await client.connect(XCHACHA);
      await client.receive(25);
      server.act(GUILD, { kind: 'close', code });
      t.same(await client.closed, { code, reason: closeReason(code) });
      const next = await PlainVoiceClient.open(server);
      next.send(7, { ...RESUME, seq_ack: client.lastSeq });
      const outcome = await Promise.race([
        next.receive(9).then(() => 'resumed', String),
        next.closed.then(() => 'refused'),
      ]);
      t.equal(outcome, isResumable({ code, reason: '', by: 'server' }) ? 'resumed' : 'refused', String(code));
      await next.drop();
    }
  },
);

t.test('a client whose heart stops can be cut instead of closed', LIMIT, async (t) => {
  const { server, client } = await connected(t, { heartbeatTimeoutMs: 50, heartbeatEnd: 'drop' });
  t.equal((await client.closed).code, 1006);
  t.match(await server.waitForClose(GUILD), { code: 1006, by: 'server' });
});

t.test('more messages than the limit in its time are answered with 4021', LIMIT, async (t) => {
  const { client } = await connected(t, { messageLimit: { count: 10, perMs: 60_000 } });
  for (let n = 3; n < 10; n++) client.send(16, {}); // Identify, Select Protocol and Speaking were three.
  client.send(3, { t: 1 });
  t.same(await client.closed, { code: 4021, reason: 'Rate limited' });
  t.equal(client.seen.filter(({ op }) => op === 16).length, 7, 'the tenth was the last one');
  t.notOk(client.seen.some(({ op }) => op === 6));
});

t.test('a user that identifies too often in one guild is answered with 4021', LIMIT, async (t) => {
  const server = await serve(t, { identifyLimit: { count: 2, perMs: 1_500 } });
  const codeOf = async (serverId = GUILD): Promise<number> => {
    const client = await PlainVoiceClient.open(server);
    const ready = client.identify({ server_id: serverId }).then(() => client.close());
    ready.catch(() => {});
    return (await client.closed).code;
  };
  t.same([await codeOf(), await codeOf()], [1000, 1000]);
  t.equal(await codeOf(), 4021);
  t.equal(await codeOf('12'), 1000, 'another guild is not meant');
  for (let tries = 0; (await codeOf()) === 4021; tries++) {
    if (tries === 10) return t.fail('it does not pass');
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  return t.pass('after that time it may again');
});

t.test('faults can begin in the middle of a call', LIMIT, async (t) => {
  const { server, client } = await connected(t);
  client.send(3, { t: 1 });
  await client.receive(6);
  const faults: VoiceFaults = { noHeartbeatAck: true };
  server.act(GUILD, { kind: 'faults', faults });
  client.send(3, { t: 2 });
  client.send(16, {});
  await client.receive(16);
  t.same(
    client.seen.filter(({ op }) => op === 6).map(({ d }) => d.t as number),
    [1],
  );
  t.equal(server.report(GUILD)?.heartbeats, 2);
  await client.close();
});

t.test('what the real service says besides is there when it is asked for', LIMIT, async (t) => {
  const { server, client } = await connected(t, { chatter: true });
  await client.receive(25);
  t.same(
    client.seen.map(({ op }) => op),
    [8, 2, 4, 15, 14, 25],
  );
  t.same((await client.receive(15)).d, { any: 100 });
  t.match((await client.receive(14)).d, { audio_codec: 'opus' });
  t.equal(server.report(GUILD)?.sinkWants, null);
  await client.close();
});

t.test(
  'ops 5 and 12 of a bot are told to the others in its call, ops 14 and 32 to nobody',
  LIMIT,
  async (t) => {
    const server = await serve(t, { channels: { '11': '7', '12': '7' } });
    const [one, two] = [await PlainVoiceClient.open(server), await PlainVoiceClient.open(server)];
    await one.identify({ server_id: '11' });
    const ssrc = await two.identify({ server_id: '12', user_id: '5' });
    two.send(5, { speaking: 1, delay: 0, ssrc });
    t.match((await one.receive(5)).d, { speaking: 1, ssrc, user_id: '5' });
    two.send(12, { audio_ssrc: ssrc, video_ssrc: 0, rtx_ssrc: 0 });
    t.same((await one.receive(12)).d, { audio_ssrc: ssrc, video_ssrc: 0, rtx_ssrc: 0, user_id: '5' });
    t.match(server.report('12')?.video, { audio_ssrc: ssrc });
    two.send(14, { codecs: [] });
    two.send(32, {});
    two.send(15, { any: 0 });
    two.send(16, {});
    await two.receive(16);
    t.notOk(two.seen.some(({ op }) => op === 5 || op === 12));
    t.match(server.report('12'), { sinkWants: { any: 0 }, violations: [] });
    t.same(server.report('11')?.dave.members, [BOT, '5'], 'two guilds in one channel');
    one.send(16, {});
    await one.receive(16);
    t.notOk(one.seen.some(({ op }) => [14, 15, 32].includes(op)));
    await Promise.all([one.close(), two.close()]);
  },
);
