// The fake voice gateway alone, over the wire: close codes, numbering, heartbeats, resuming, scripted faults
// (discord-voice.md §1.2 to §1.5). DAVE and whole calls are in fake-voice.test.ts and dave-delivery.test.ts.
import t, { type Test } from 'tap';
import { FakeVoiceServer, XCHACHA } from './fake-voice.js';
import type { FakeVoiceOptions, VoiceFaults } from './fake-voice.js';
import { BOT, GUILD, IDENTIFY, PlainVoiceClient } from './plain-voice-client.js';

const RESUME = { server_id: GUILD, session_id: IDENTIFY.session_id, token: IDENTIFY.token };
const LIMIT = { timeout: 20_000 };

async function serve(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions> = {}) {
  const server = await FakeVoiceServer.start(options);
  t.teardown(() => server.close());
  return server;
}

const identified = (then: (client: PlainVoiceClient) => void) => async (client: PlainVoiceClient) => {
  await client.identify();
  then(client);
};

const cases: readonly [number, string, Partial<FakeVoiceOptions>, (client: PlainVoiceClient) => unknown][] = [
  [4001, 'an unknown opcode', {}, identified((client) => client.send(99, {}))],
  [4001, 'an unknown binary opcode', {}, identified((client) => client.sendBinary(99, Buffer.alloc(3)))],
  [4002, 'a payload that is not JSON', {}, (client) => client.sendText('{')],
  [4003, 'a heartbeat before Identify', {}, (client) => client.send(3, { t: 1 })],
  [4004, 'a wrong token', { token: 'other' }, (client) => client.send(0, IDENTIFY)],
  [4005, 'a second Identify', {}, identified((client) => client.send(0, IDENTIFY))],
  [4006, 'a Resume of an unknown session', {}, (client) => client.send(7, RESUME)],
  [4012, 'another protocol than udp', {}, identified((client) => client.send(1, { protocol: 'webrtc' }))],
  [4016, 'a mode that was not offered', {}, identified((client) => client.send(1, selecting('none')))],
  [
    4017,
    'a client without DAVE',
    {},
    (client) => client.send(0, { ...IDENTIFY, max_dave_protocol_version: 0 }),
  ],
  [4020, 'an Identify without a session', {}, (client) => client.send(0, { server_id: GUILD })],
  [4020, 'a damaged key package', {}, identified((client) => client.sendBinary(26, Buffer.alloc(40)))],
];

function selecting(mode: string) {
  return { protocol: 'udp', data: { address: '127.0.0.1', port: 4_000, mode } };
}

for (const [code, what, options, act] of cases) {
  t.test(`${what} is answered with ${code}`, LIMIT, async (t) => {
    const server = await serve(t, options);
    const client = await PlainVoiceClient.open(server);
    await client.receive(8);
    await act(client);
    const { code: got, reason } = await client.closed;
    t.equal(got, code);
    t.not(reason, '', 'with its name');
  });
}

t.test('a gateway version below 4, or none, is turned away', LIMIT, async (t) => {
  const server = await serve(t);
  for (const query of ['', '?v=3', '?v=x']) {
    const client = await PlainVoiceClient.open(server, query);
    t.equal((await client.closed).code, 4020);
    t.equal(client.seen.length, 0);
  }
});

t.test('a client that does not trust the certificate gets nowhere', LIMIT, async (t) => {
  const [server, stranger] = [await serve(t), await serve(t)];
  const { endpoint, udpPort } = server;
  await t.rejects(PlainVoiceClient.open({ endpoint, udpPort, certificate: stranger.certificate }), {
    message: /self-signed certificate/,
  });
});

t.test('JSON and binary messages share one counter that begins at 0 and wraps', LIMIT, async (t) => {
  const server = await serve(t, { firstSeq: 65_535 });
  const listener = server.addListener(GUILD);
  const client = await PlainVoiceClient.open(server);
  await client.connect(XCHACHA);
  await client.receive(25);
  const numbered = client.seen.filter((message) => message.seq >= 0);
  t.same(
    numbered.map(({ op, seq }) => [op, seq]),
    [
      [11, 65_535],
      [18, 0],
      [20, 1],
      [25, 2],
    ],
  );
  t.same(numbered[0]?.d, { user_ids: [listener.userId] });
  t.equal(numbered[3]?.payload.length, 71);
  t.same(
    client.seen.filter((message) => message.seq < 0).map(({ op }) => op),
    [8, 2, 4],
    'the others are not numbered',
  );
  await client.close();
});

t.test('a heartbeat is acknowledged; without one the connection ends with 4009', LIMIT, async (t) => {
  const server = await serve(t, { heartbeatMs: 100, heartbeatTimeoutMs: 300 });
  const client = await PlainVoiceClient.open(server);
  await client.connect(XCHACHA);
  client.send(3, { t: 42, seq_ack: 0 });
  t.same((await client.receive(6)).d, { t: 42 });
  t.equal((await client.closed).code, 4009);
  t.match(server.report(GUILD), { heartbeats: 1, violations: [] });
});

t.test('a seq_ack for what was never sent is a violation', LIMIT, async (t) => {
  const server = await serve(t);
  const client = await PlainVoiceClient.open(server);
  await client.connect(XCHACHA);
  client.send(3, { t: 1, seq_ack: 9 });
  await client.receive(6);
  t.match(server.report(GUILD)?.violations, [/seq_ack 9 is ahead/]);
  await client.close();
});

for (const resumeOrder of ['resumed-first', 'buffered-first'] as const) {
  t.test(`a Resume sends what was missed again, ${resumeOrder}`, LIMIT, async (t) => {
    const server = await serve(t, { resumeOrder });
    const first = await PlainVoiceClient.open(server);
    const { ssrc } = await first.connect(XCHACHA);
    await first.receive(25);
    await first.drop();
    await server.waitForClose(GUILD);
    server.addListener(GUILD, '5');
    const second = await PlainVoiceClient.open(server);
    second.send(7, { ...RESUME, seq_ack: first.lastSeq });
    await second.receive(resumeOrder === 'resumed-first' ? 20 : 9);
    const expected = resumeOrder === 'resumed-first' ? [8, 9, 11, 18, 20] : [8, 11, 18, 20, 9];
    t.same(second.seen.map(({ op }) => op).slice(0, 5), expected);
    t.match(server.report(GUILD), { resumes: 1, ssrc, open: true });
    await second.close();
  });
}

t.test('a Resume that needs more than was kept is refused, and the session is over', LIMIT, async (t) => {
  const server = await serve(t, { resumeBuffer: 2 });
  const first = await PlainVoiceClient.open(server);
  await first.connect(XCHACHA);
  await first.receive(25);
  await first.drop();
  await server.waitForClose(GUILD);
  server.addListener(GUILD, '5');
  const second = await PlainVoiceClient.open(server);
  second.send(7, { ...RESUME, seq_ack: first.lastSeq });
  t.equal((await second.closed).code, 4006);
  const third = await PlainVoiceClient.open(server);
  third.send(7, { ...RESUME, seq_ack: 2 });
  t.equal((await third.closed).code, 4006, 'also for a Resume that would have had all it needs');
});

t.test('a heartbeat trims what is kept for a Resume', LIMIT, async (t) => {
  const server = await serve(t, { resumeBuffer: 2 });
  const first = await PlainVoiceClient.open(server);
  await first.connect(XCHACHA);
  await first.receive(25);
  server.addListener(GUILD, '5'); // Ops 11, 18 and 20: op 25 falls out of the buffer.
  await first.receive(20);
  first.send(3, { t: 1, seq_ack: first.lastSeq });
  await first.receive(6);
  await first.drop();
  await server.waitForClose(GUILD);
  const second = await PlainVoiceClient.open(server);
  second.send(7, { ...RESUME, seq_ack: first.lastSeq });
  await second.receive(9);
  t.same(
    second.seen.map(({ op }) => op),
    [8, 9],
  );
  await second.close();
});

t.test('a session that nobody resumes in time is over, and so is one closed with 1000', LIMIT, async (t) => {
  const server = await serve(t, { resumeWindowMs: 50 });
  const listener = server.addListener(GUILD);
  for (const end of ['drop', 'close'] as const) {
    const client = await PlainVoiceClient.open(server);
    await client.connect(XCHACHA);
    await client[end]();
    await server.waitForClose(GUILD);
    for (let n = 0; n < 100 && server.report(GUILD)?.dave.members.length !== 1; n++) await soon();
    t.same(server.report(GUILD)?.dave.members, [listener.userId], 'it has left the channel');
    const late = await PlainVoiceClient.open(server);
    late.send(7, RESUME);
    t.equal((await late.closed).code, 4006);
  }
});

t.test('a new Identify of the same user in the same guild ends the old session', LIMIT, async (t) => {
  const server = await serve(t);
  const first = await PlainVoiceClient.open(server);
  await first.connect(XCHACHA);
  const second = await PlainVoiceClient.open(server);
  const { ssrc } = await second.connect(XCHACHA);
  t.equal((await first.closed).code, 4006);
  t.match(server.report(GUILD), { ssrc, id: 's2', open: true });
  t.match(server.report('s1'), { open: false, close: { code: 4006, by: 'server' } });
  await second.close();
});

t.test('many guilds of one bot share a session id and keep apart', LIMIT, async (t) => {
  const server = await serve(t);
  const guilds = ['11', '12', '13'];
  const clients = await Promise.all(guilds.map(() => PlainVoiceClient.open(server)));
  await Promise.all(clients.map((client, n) => client.identify({ server_id: guilds[n]! })));
  const reports = guilds.map((guildId) => server.report(guildId));
  t.equal(new Set(reports.map((report) => report?.ssrc)).size, 3);
  t.same(
    reports.map((report) => [report?.channelId, report?.userId]),
    guilds.map((guildId) => [guildId, BOT]),
  );
  server.act('12', { kind: 'close', code: 4014 });
  t.same(await clients[1]!.closed, { code: 4014, reason: 'Disconnected' });
  t.same(
    guilds.map((guildId) => server.report(guildId)?.open),
    [true, false, true],
  );
  await Promise.all([clients[0]!.close(), clients[2]!.close()]);
});

// ---- Scripted faults ----

async function scripted(t: Pick<Test, 'teardown'>, faults: VoiceFaults) {
  const server = await serve(t);
  server.script(faults);
  const client = await PlainVoiceClient.open(server);
  return { server, client };
}

t.test('a silent connection says nothing, and the next one is normal again', LIMIT, async (t) => {
  const { server, client } = await scripted(t, { silent: true });
  client.send(0, IDENTIFY);
  const next = await PlainVoiceClient.open(server);
  await next.identify();
  t.equal(client.seen.length, 0);
  t.equal(server.reports().length, 1, 'and hears nothing');
  await next.close();
});

t.test('Ready, session description and acknowledgement can each fail to come', LIMIT, async (t) => {
  const server = await serve(t);
  const until: readonly [VoiceFaults, readonly number[]][] = [
    [{ noReady: true }, [8]],
    [{ noSessionDescription: true }, [8, 2]],
    [{ noHeartbeatAck: true }, [8, 2, 4]],
  ];
  for (const [faults, expected] of until) {
    server.script(faults, { guildId: GUILD });
    const client = await PlainVoiceClient.open(server);
    client.send(0, IDENTIFY);
    if (faults.noReady !== true) await client.receive(2);
    client.send(1, selecting(XCHACHA));
    client.send(3, { t: 1 });
    client.send(16, {}); // Answered behind everything else.
    await client.receive(16);
    const got = client.seen.filter(({ op, seq }) => seq < 0 && op !== 16 && op !== 6).map(({ op }) => op);
    t.same(got, faults.noReady === true ? [8, 4] : expected);
    t.equal(
      client.seen.some(({ op }) => op === 6),
      faults.noHeartbeatAck !== true,
    );
    await client.close();
  }
});

t.test('a connection is closed at the moment that was asked for', LIMIT, async (t) => {
  const server = await serve(t);
  const moments: readonly [NonNullable<VoiceFaults['closeAt']>['moment'], number[]][] = [
    ['open', [8]],
    ['identify', [8]],
    ['ready', [8, 2]],
    ['select-protocol', [8, 2]],
    ['session-description', [8, 2, 4, 25]],
    ['speaking', [8, 2, 4, 25]],
  ];
  for (const [moment, expected] of moments) {
    server.script({ closeAt: { moment, code: 4021, reason: `at ${moment}` } });
    const client = await PlainVoiceClient.open(server);
    client.connect(XCHACHA).catch(() => {}); // It ends on the way.
    t.same(await client.closed, { code: 4021, reason: `at ${moment}` });
    t.same(
      client.seen.map(({ op }) => op),
      expected,
    );
  }
});

t.test('Ready can name another UDP address', LIMIT, async (t) => {
  const { client, server } = await scripted(t, { readyAddress: { ip: '10.1.2.3' } });
  await client.identify();
  t.match((await client.receive(2)).d, { ip: '10.1.2.3', port: server.udpPort });
  await client.close();
});

t.test('op 25 comes early, twice or never', LIMIT, async (t) => {
  const server = await serve(t);
  const orders = { 'before-description': [8, 2, 25, 4], twice: [8, 2, 4, 25, 25], none: [8, 2, 4] } as const;
  for (const kind of ['before-description', 'twice', 'none'] as const) {
    server.script({ externalSender: kind });
    const client = await PlainVoiceClient.open(server);
    await client.connect(XCHACHA);
    client.send(16, {});
    await client.receive(16);
    t.same(
      client.seen.map(({ op }) => op).filter((op) => op !== 16),
      orders[kind],
    );
    await client.close();
  }
});

t.test('scripts for a guild wait for that guild, as often as was said', LIMIT, async (t) => {
  const server = await serve(t);
  server.script({ closeAt: { moment: 'identify', code: 4006 } }, { guildId: '12', times: 2 });
  const codeOf = async (guildId: string): Promise<number> => {
    const client = await PlainVoiceClient.open(server);
    const ready = client.identify({ server_id: guildId }).then(async () => {
      await client.close();
      return 1000;
    });
    const code = await Promise.race([ready, client.closed.then((close) => close.code)]);
    ready.catch(() => {});
    return code;
  };
  const codes: number[] = [];
  for (const guildId of ['11', '12', '12', '12']) codes.push(await codeOf(guildId));
  t.same(codes, [1000, 4006, 4006, 1000]);
});

t.test('what does not come about is named when its time is up', LIMIT, async (t) => {
  const server = await serve(t);
  await t.rejects(server.waitForFrames(GUILD, 3, 20), { message: /3 frames of guild 3000.* in 20 ms/ });
  const waiting = t.rejects(server.waitForSilence(GUILD), { message: /has closed/ });
  await server.close();
  await waiting;
});

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
