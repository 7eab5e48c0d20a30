// What strangers send: every wrong request gets a coded answer in time, no spelling of an inner address is dialled,
// and the server is as before afterwards.
import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { encodeTrack, probeTrailer } from '../../src/shared/track-token.js';
import { NodeClient, type RestAnswer } from '../support/node-client.js';
import { TEST_PASSWORD } from '../support/pumice-process.js';
import { stage } from '../support/stage.js';

/** The server answers within 10.2 s; this process, busy with origin and signals beside it, may notice later. */
const IN_TIME_MS = 12_000;

const LOOPBACK_SPELLINGS = [
  '127.0.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '127.1',
  '127.0.1',
  '0',
  '0.0.0.0',
  '127.0.0.1.',
  'localhost',
  'LOCALHOST.',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  'example.com@127.0.0.1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:0:0:1]',
] as const;

const OTHERS = [
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'http://[2002:7f00:1::]/',
  'https://127.0.0.1/',
  'icy://127.0.0.1:8000/',
  'file:///etc/passwd',
  '/etc/passwd',
  'gopher://127.0.0.1/',
  'data:audio/wav;base64,UklGRg==',
  'http://',
  'http://:80/',
  'http://exa mple/',
] as const;

const ENDPOINTS = [
  '10.0.0.1:443',
  '169.254.169.254',
  '127.0.0.2:443',
  'localhost:443',
  '[::1]:443',
  'example.com',
  'discord.media.example.com:443',
  '127.0.0.1:99999',
  '127.0.0.1:443/path',
  'x@127.0.0.1:443',
  '127.0.0.1:443#a',
  'wss://127.0.0.1:443',
] as const;

const house = await stage(t, { config: { 'pumice.sources.allowPrivate': [] } });
const node = await NodeClient.connect(house.server.port);
t.teardown(() => {
  node.close();
});

t.test(
  'a missing password is 401, a wrong one 403, and no websocket opens without the right one',
  { timeout: 20_000 },
  async (t) => {
    for (const path of [
      '/version',
      '/v4/info',
      '/v4/stats',
      '/v4/loadtracks?identifier=x',
      node.player('1'),
    ]) {
      const wrong = await node.ask('GET', path, undefined, { Authorization: `${TEST_PASSWORD}x` });
      t.match(wrong, { status: 403, body: null }, path);
      const none = await fetch(house.server.origin + path);
      t.equal(none.status, 401, path);
      await none.text();
    }
    // The handshake knows one status only (lavalink-v4.md §2.1).
    for (const password of ['wrong', undefined]) {
      const socket = new WebSocket(`ws://127.0.0.1:${String(house.server.port)}/v4/websocket`, {
        headers: { 'User-Id': '1', ...(password === undefined ? {} : { Authorization: password }) },
      });
      socket.on('error', () => undefined);
      const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
      t.equal(answer.statusCode, 401);
      socket.terminate();
    }
  },
);

t.test('a body that is no player update is 400 and changes nothing', { timeout: 20_000 }, async (t) => {
  const guild = '330000000000000001';
  const BODIES: readonly unknown[] = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{"volume": 1e999}',
    '{"volume": 1.5}',
    '{"paused": "maybe"}',
    '{"position": 99999999999999999999}',
    '{"track": 5}',
    '{"track": {"encoded": 5}}',
    '{"filters": {"volume": "loud"}}',
    '{"endTime": 0}',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    { voice: {} },
    { voice: { token: '', endpoint: '', sessionId: '', channelId: '' } },
    { track: { encoded: 'x', identifier: 'y' } },
    { encodedTrack: 'x', track: { encoded: 'y' } },
  ];
  for (const body of BODIES) {
    const answer = await node.ask('PATCH', node.player(guild), body);
    const shown = JSON.stringify(body).slice(0, 60);
    t.match(answer, { status: 400, body: { status: 400, error: 'Bad Request' } }, shown);
    t.type((answer.body as { message: unknown }).message, 'string');
  }
  t.equal((await node.ask('GET', node.player(guild))).status, 404, 'there is no player');
});

t.test('what is not there and what is too much have codes of their own', { timeout: 20_000 }, async (t) => {
  const player = (session: string, guild: string): string => `/v4/sessions/${session}/players/${guild}`;
  const ROWS: readonly (readonly [number, string, string, unknown?, Record<string, string>?])[] = [
    [404, 'PATCH', player('nobody', '1'), { volume: 5 }],
    [404, 'GET', player('nobody', '1')],
    [404, 'DELETE', player('nobody', '1')],
    [404, 'GET', '/v4/sessions/nobody/players'],
    [404, 'PATCH', '/v4/sessions/nobody', { resuming: true }],
    [404, 'GET', '/v4/nothing'],
    [400, 'GET', player(node.session, 'abc')],
    [400, 'PATCH', player(node.session, '99999999999999999999'), {}],
    [400, 'PATCH', `${player(node.session, '1')}?noReplace=maybe`, {}],
    [400, 'GET', '/v4/loadtracks'],
    [400, 'POST', '/v4/decodetracks', []],
    [405, 'PUT', player(node.session, '1'), {}],
    [413, 'PATCH', player(node.session, '1'), 'x'.repeat(2 * 1_048_576)],
    [415, 'PATCH', player(node.session, '1'), {}, { 'Content-Type': 'text/plain' }],
    [500, 'PATCH', player(node.session, '1'), { track: { encoded: 'QAAAjQIAJVJpY2sgQXN0bGV5' } }],
    [500, 'GET', '/v4/decodetrack?encodedTrack=%21%21'],
  ];
  for (const [status, method, path, body, headers] of ROWS) {
    const answer = await node.ask(method, path, body, headers);
    t.match(answer, { status, body: { status, path: path.split('?')[0] } }, `${method} ${path}`);
    t.ok(answer.ms < IN_TIME_MS);
  }
});

t.test(
  'no spelling of an inner address is dialled, by none of three ways',
  { timeout: 60_000 },
  async (t) => {
    const { port } = house.origin;
    const guild = '330000000000000002';
    await node.join(guild, house.voice.endpoint);
    for (const host of LOOPBACK_SPELLINGS) {
      const identifier = `http://${host}:${String(port)}/song.opus`;
      const loaded = await node.ask('GET', `/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`);
      t.match(loaded, { status: 200, body: { loadType: 'error' } }, identifier);
      t.match(JSON.stringify(loaded.body), /PUM_SOURCE_(REFUSED|URL)/, identifier);
      inTime(t, loaded);

      const patched = await node.ask('PATCH', `${node.player(guild)}?trace=true`, { track: { identifier } });
      t.ok(patched.status >= 400, `${identifier} by PATCH: ${String(patched.status)}`);
      t.match(JSON.stringify(patched.body), /PUM_SOURCE_(REFUSED|URL)/, identifier);
      inTime(t, patched);

      const before = node.events(guild).length;
      await node.play(guild, forged(identifier));
      await node.waitForEvent(guild, 'TrackEndEvent', Math.floor(before / 3) + 1);
      t.same(
        node.events(guild).slice(before),
        ['TrackStartEvent', 'TrackExceptionEvent', 'TrackEndEvent loadFailed'],
        `${identifier} by a forged track`,
      );
    }
    const exceptions = node.messages.filter(({ type }) => type === 'TrackExceptionEvent');
    t.equal(exceptions.length, LOOPBACK_SPELLINGS.length);
    for (const { exception } of exceptions) t.match(JSON.stringify(exception), /PUM_SOURCE_(REFUSED|URL)/);
    t.equal(house.origin.connections, 0, 'nobody has called');
    t.equal(house.voice.count(guild), 0, 'nothing was heard');
  },
);

t.test('other inner networks and other schemes are refused as well', { timeout: 30_000 }, async (t) => {
  for (const identifier of OTHERS) {
    const loaded = await node.ask('GET', `/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`);
    const { loadType } = loaded.body as { loadType: string };
    // What no source takes for its own is not found; what one takes is refused.
    t.match(loadType, identifier.startsWith('http') ? 'error' : /^(error|empty)$/, identifier);
    if (loadType === 'error') t.match(JSON.stringify(loaded.body), /PUM_SOURCE_(REFUSED|URL)/, identifier);
    inTime(t, loaded);
  }
});

t.test('a voice endpoint outside the allowed ones is 400', { timeout: 20_000 }, async (t) => {
  const guild = '330000000000000003';
  for (const endpoint of ENDPOINTS) {
    const voice = { token: 't', endpoint, sessionId: 's', channelId: '5' };
    const answer = await node.ask('PATCH', `${node.player(guild)}?trace=true`, { voice });
    t.match(answer, { status: 400, body: { trace: /^PUM_VOICE_ENDPOINT/ } }, endpoint);
  }
  t.equal(house.voice.reports(guild).length, 0);
});

t.test('a voice gateway that names an inner UDP address is left', { timeout: 60_000 }, async (t) => {
  const addresses = [
    '10.0.0.1',
    '169.254.169.254',
    '192.168.1.1',
    '::ffff:10.0.0.1',
    '0.0.0.0',
    'not an address',
  ];
  await Promise.all(
    addresses.map(async (ip, at) => {
      const guild = `33000000000000001${String(at)}`;
      house.voice.script({ readyAddress: { ip } }, { guildId: guild, times: 5 });
      const voice = { token: 't', endpoint: house.voice.endpoint, sessionId: `s${guild}`, channelId: '5' };
      const answer = await node.ask('PATCH', `${node.player(guild)}?trace=true`, { voice });
      t.match(answer, { status: 500, body: { trace: /^PUM_VOICE_FAILED/ } }, ip);
      inTime(t, answer);
      t.equal(house.voice.report(guild)?.discoveries ?? 0, 0, `${ip}: no datagram`);
    }),
  );
});

t.test('afterwards the server answers, and ends with 0 on SIGTERM', { timeout: 40_000 }, async (t) => {
  t.match(await node.text('/version'), /^\d+\.\d+\.\d+/);
  t.equal(await house.server.stop('SIGTERM'), 0);
});

/** A track that no load has made, as a client might invent it. */
function forged(uri: string): string {
  const info = {
    identifier: uri,
    isSeekable: true,
    author: 'nobody',
    length: 60_000n,
    isStream: false,
    position: 0n,
    title: 'nothing',
    uri,
    sourceName: 'http',
    artworkUrl: null,
    isrc: null,
  };
  return encodeTrack({ info, trailer: probeTrailer('mp3') });
}

function inTime(t: { ok: (passes: boolean, name: string) => unknown }, answer: RestAnswer): void {
  t.ok(answer.ms < IN_TIME_MS, `${answer.ms.toFixed(0)} ms`);
}
