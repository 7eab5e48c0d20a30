// Claims about the whole main thread behind the real engine and over real sockets, with a fake fleet: what a
// client sees, byte for byte where the protocol fixes it (lavalink-v4.md §1, §2).
import { once } from 'node:events';
import { request } from 'node:http';
import t from 'tap';
import { WebSocket } from 'ws';
import type { ConfigValues } from '../../src/shared/config.js';
import { ServerError } from '../../src/shared/errors.js';
import { createServer, type Server } from '../../src/main/app.js';
import { createUwsEngine } from '../../src/main/http/engine-uws.js';
import { silentLog } from '../../src/main/log.js';
import { FakeFleet } from '../support/fake-fleet.js';
import { ManualClock } from '../support/manual-clock.js';
import { fixedMachine, MP3_TOKEN, PASSWORD, STREAM_TOKEN, valuesWith, VOICE } from '../support/main-node.js';

const CEILING = { timeout: 20_000 };

interface Running {
  readonly server: Server;
  readonly fleet: FakeFleet;
  readonly clock: ManualClock;
  readonly origin: string;
}

async function start(test: Tap.Test, changes: Partial<ConfigValues> = {}): Promise<Running> {
  const clock = new ManualClock(5_000);
  const fleet = new FakeFleet(clock);
  const server = createServer({
    values: valuesWith({ 'server.address': '127.0.0.1', 'server.port': 0, ...changes }),
    engineFactory: createUwsEngine,
    fleet,
    clock,
    log: silentLog,
    machine: fixedMachine,
  });
  fleet.listener = server.listener;
  const port = await server.listen();
  test.teardown(() => server.close());
  return { server, fleet, clock, origin: `http://127.0.0.1:${port}` };
}

/** The running test of tap: named here because the package exports the type under no shorter name. */
declare namespace Tap {
  interface Test {
    teardown(action: () => void): void;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function ask(origin: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${origin}${path}`, {
    ...init,
    headers: { Authorization: PASSWORD, ...(init.headers as Record<string, string> | undefined) },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function send(origin: string, method: string, path: string, body: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(origin, path, { method, body: text, headers: { 'Content-Type': 'application/json' } });
}

class Client {
  readonly texts: string[] = [];
  readonly socket: WebSocket;
  readonly opened: Promise<string>;
  #wake: () => void = () => undefined;

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${origin.replace('http', 'ws')}/v4/websocket`, {
      headers: { Authorization: PASSWORD, 'User-Id': '42', 'Client-Name': 'test/1', ...headers },
    });
    let resumed = '';
    this.socket.on('upgrade', (response) => {
      resumed = `${String(response.headers['session-resumed'])} ${String(response.headers['lavalink-api-version'])}`;
    });
    this.opened = once(this.socket, 'open').then(() => resumed);
    this.socket.on('message', (data: Buffer) => {
      this.texts.push(data.toString('utf8'));
      this.#wake();
    });
  }

  /** The first message with such a text in it, now or later; the test's ceiling ends a wait in vain. */
  async message(part: string): Promise<string> {
    for (;;) {
      const found = this.texts.find((text) => text.includes(part));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async session(): Promise<string> {
    const ready = JSON.parse(await this.message('"op":"ready"')) as { sessionId: string };
    return ready.sessionId;
  }
}

/** Status of an upgrade that is refused. */
async function refusedUpgrade(
  origin: string,
  headers: Record<string, string>,
  path = '/v4/websocket',
): Promise<Answer> {
  const all = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const outgoing = request(`${origin}${path}`, { headers: all });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const entries = Object.entries(response.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return { status: response.statusCode ?? 0, headers: new Headers(entries), text };
}

t.test('info, version and statistics are what Lavalink prints', CEILING, async (t) => {
  const { origin } = await start(t);
  const version = await ask(origin, '/version');
  t.equal(version.text, '4.2.2');
  t.match(version.headers.get('content-type'), /^text\/plain/);
  const info = await ask(origin, '/v4/info');
  t.equal(info.headers.get('content-type'), 'application/json');
  t.equal(
    info.text,
    '{"version":{"semver":"4.2.2","major":4,"minor":2,"patch":2,"preRelease":""},"buildTime":-1,' +
      '"git":{"branch":"unknown","commit":"unknown","commitTime":-1},' +
      `"jvm":"Node.js ${process.versions.node}","lavaplayer":"pumice-0.1.0",` +
      '"sourceManagers":["http"],"filters":["volume"],"plugins":[]}',
  );
  t.equal(
    (await ask(origin, '/v4/stats')).text,
    '{"frameStats":null,"players":0,"playingPlayers":0,"uptime":5000,' +
      '"memory":{"free":37000,"used":13000,"allocated":50000,"reservable":1000000},' +
      '"cpu":{"cores":2,"systemLoad":0,"lavalinkLoad":0}}',
  );
});

t.test('the password is asked of every route that exists, and of no other', CEILING, async (t) => {
  const { origin } = await start(t);
  const protectedPaths = [
    '/version',
    '/',
    '/v3/websocket',
    '/v4/websocket',
    '/v4/info',
    '/v4/sessions/x/players/1',
  ];
  for (const path of protectedPaths) {
    const missing = await fetch(`${origin}${path}`);
    t.strictSame([missing.status, await missing.text()], [401, ''], path);
    t.equal(missing.headers.get('lavalink-api-version'), '4');
    const wrong = await ask(origin, path, { headers: { Authorization: `${PASSWORD} `.toUpperCase() } });
    t.strictSame([wrong.status, wrong.text], [403, ''], path);
  }
  const unknown = await fetch(`${origin}/v4/nothing`);
  t.equal(unknown.status, 404);
  t.equal(
    await unknown.text(),
    '{"timestamp":1700000005000,"status":404,"error":"Not Found","message":"No endpoint GET /v4/nothing.","path":"/v4/nothing"}',
  );
  const method = await fetch(`${origin}/v4/info`, { method: 'POST' });
  t.equal(method.status, 405);
  t.equal(method.headers.get('allow'), 'GET,HEAD,OPTIONS');
  t.match(await method.text(), /"message":"Method 'POST' is not supported\."/);
  for (const path of ['/pumice/v1/health/live', '/pumice/v1/health/ready']) {
    t.equal((await fetch(`${origin}${path}`)).status, 200, path);
  }
});

t.test('odd requests get the statuses of Lavalink, all with the version header', CEILING, async (t) => {
  const { origin } = await start(t);
  const cases: [string, string, RequestInit, number][] = [
    ['a trailing slash', '/v4/info/', {}, 404],
    ['HEAD', '/v4/info', { method: 'HEAD' }, 200],
    ['OPTIONS', '/v4/info', { method: 'OPTIONS' }, 200],
    ['a plain request for the WebSocket', '/v4/websocket', {}, 400],
    ['the old endpoint', '/', {}, 200],
    ['no identifier', '/v4/loadtracks', {}, 400],
    ['no route planner', '/v4/routeplanner/status', {}, 204],
    ['nothing to free', '/v4/routeplanner/free/all', { method: 'POST' }, 500],
    ['the error page', '/error', {}, 500],
    ['no such session', '/v4/sessions/x/players', {}, 404],
    ['a guild that is no number', '/v4/sessions/x/players/abc', {}, 400],
    ['a session cannot be read', '/v4/sessions/x', {}, 405],
  ];
  for (const [name, path, init, status] of cases) {
    const answer = await ask(origin, path, init);
    t.equal(answer.status, status, name);
    t.equal(answer.headers.get('lavalink-api-version'), '4', name);
  }
  const path = '/v4/sessions/x/players/1';
  t.equal((await ask(origin, path, { method: 'PATCH', body: '{}' })).status, 415, 'no media type');
  t.equal((await send(origin, 'PATCH', path, '')).status, 400, 'no body');
  t.equal((await send(origin, 'PATCH', path, '{')).status, 400, 'broken JSON beats the missing session');
  t.equal((await send(origin, 'PATCH', `${path}?noReplace=maybe`, {})).status, 400);
  const missing = await send(origin, 'PATCH', `${path}?noReplace=YES`, {});
  t.match(missing.text, /"message":"Session not found"/);
  t.match(
    (await send(origin, 'PATCH', `${path}?trace`, {})).text,
    /"trace":"PUM_SESSION_NOT_FOUND: Session not found","message"/,
  );
});

t.test('tokens are decoded to the last digit and echoed', CEILING, async (t) => {
  const { origin } = await start(t);
  const stream =
    `{"encoded":"${STREAM_TOKEN}","info":{"identifier":"https://example.com/a.m3u8","isSeekable":false,` +
    '"author":"Unknown artist","length":9223372036854775807,"isStream":true,"position":0,"title":"Unknown title",' +
    '"uri":"https://example.com/a.m3u8","sourceName":"http","artworkUrl":null,"isrc":null},' +
    '"pluginInfo":{"probeInfo":"m3u|hls-outer"},"userData":{}}';
  // The plus signs are left as they are, which a server has to forgive.
  t.equal((await ask(origin, `/v4/decodetrack?encodedTrack=${STREAM_TOKEN}`)).text, stream);
  t.equal((await ask(origin, `/v4/decodetrack?track=${encodeURIComponent(STREAM_TOKEN)}`)).text, stream);
  const many = await send(origin, 'POST', '/v4/decodetracks', [STREAM_TOKEN, STREAM_TOKEN]);
  t.equal(many.text, `[${stream},${stream}]`);
  t.match((await ask(origin, '/v4/decodetrack')).text, /"message":"No track to decode provided"/);
  t.match(
    (await send(origin, 'POST', '/v4/decodetracks', [])).text,
    /"message":"No tracks to decode provided"/,
  );
  t.equal((await send(origin, 'POST', '/v4/decodetracks', [STREAM_TOKEN, 'x'])).status, 500);
});

t.test('a load is answered in the five shapes of the protocol', CEILING, async (t) => {
  const { origin, fleet } = await start(t);
  const load = async (): Promise<string> => (await ask(origin, '/v4/loadtracks?identifier=a%20b')).text;
  t.equal(await load(), '{"loadType":"empty","data":null}');
  fleet.outcome = { kind: 'search', tokens: [] };
  t.equal(await load(), '{"loadType":"empty","data":null}');
  fleet.outcome = { kind: 'track', token: MP3_TOKEN };
  t.match(await load(), /^\{"loadType":"track","data":\{"encoded":"QAAAdQ/);
  fleet.outcome = { kind: 'playlist', name: 'p', selected: -1, tokens: [MP3_TOKEN] };
  t.match(
    await load(),
    /^\{"loadType":"playlist","data":\{"info":\{"name":"p","selectedTrack":-1\},"pluginInfo":\{\},"tracks":\[\{"encoded"/,
  );
  fleet.outcome = { kind: 'search', tokens: [MP3_TOKEN] };
  t.match(await load(), /^\{"loadType":"search","data":\[\{"encoded"/);
  fleet.outcome = { kind: 'error', error: new ServerError('PUM_SOURCE_STATUS').toShape() };
  t.equal(
    await load(),
    '{"loadType":"error","data":{"message":"Something went wrong while looking up the track.","severity":"fault",' +
      '"cause":"PUM_SOURCE_STATUS: That URL is not playable.","causeStackTrace":' +
      '"PUM_LOAD_FAILED: Something went wrong while looking up the track.\\nCaused by: PUM_SOURCE_STATUS: That URL is not playable."}}',
  );
});

t.test('a client that goes away stops its load', CEILING, async (t) => {
  const { origin, fleet } = await start(t);
  const aborted = new Promise<void>((resolve) => {
    fleet.outcome = (_identifier, signal) => {
      signal.addEventListener('abort', () => resolve());
      return new Promise(() => undefined);
    };
  });
  const controller = new AbortController();
  const answer = ask(origin, '/v4/loadtracks?identifier=x', { signal: controller.signal });
  setImmediate(() => controller.abort());
  await t.rejects(answer);
  await Promise.race([aborted, answer.catch(() => aborted)]);
});

t.test('a handshake is refused before anything begins', CEILING, async (t) => {
  const { origin } = await start(t);
  const good = { Authorization: PASSWORD, 'User-Id': '42' };
  const status = async (headers: Record<string, string>): Promise<number> => {
    const answer = await refusedUpgrade(origin, headers);
    t.equal(answer.text, '');
    t.equal(answer.headers.get('lavalink-api-version'), '4');
    return answer.status;
  };
  t.equal(await status({ 'User-Id': '42' }), 401);
  t.equal(await status({ ...good, Authorization: 'wrong' }), 401);
  t.equal(await status({ Authorization: PASSWORD }), 400);
  t.equal(await status({ ...good, 'User-Id': '' }), 400);
  t.equal(await status({ ...good, 'User-Id': '0' }), 400);
  t.equal(await status({ ...good, Origin: 'https://elsewhere.example' }), 403);
  t.equal((await refusedUpgrade(origin, good, '/v4/nothing')).status, 404);
  const client = new Client(origin, { 'User-Id': 'nobody' });
  const [code] = (await once(client.socket, 'close')) as [number];
  t.equal(code, 1011);
});

t.test('a session plays a track from connection to the end of it', CEILING, async (t) => {
  const { origin, fleet } = await start(t);
  const client = new Client(origin);
  t.equal(await client.opened, 'false 4');
  const session = await client.session();
  t.match(session, /^[a-z0-9]{26}$/);
  const path = `/v4/sessions/${session}/players/9007199254740993`;
  const patched = await send(origin, 'PATCH', path, {
    track: { encoded: MP3_TOKEN, userData: { id: 1 } },
    voice: VOICE,
    volume: '50',
    filters: { volume: 0.123456789 },
  });
  const track =
    `{"encoded":"${MP3_TOKEN}","info":{"identifier":"https://example.com/a.mp3","isSeekable":true,` +
    '"author":"Unknown artist","length":12345,"isStream":false,"position":0,"title":"Unknown title",' +
    '"uri":"https://example.com/a.mp3","sourceName":"http","artworkUrl":null,"isrc":null},' +
    '"pluginInfo":{"probeInfo":"mp3"},"userData":{"id":1}}';
  const player =
    `{"guildId":"9007199254740993","track":${track},"volume":50,"paused":false,` +
    '"state":{"time":1700000005000,"position":0,"connected":true,"ping":7},' +
    '"voice":{"token":"voice token","endpoint":"eu1.discord.media","sessionId":"voice session","channelId":"4711"},' +
    '"filters":{"volume":0.12345679}}';
  t.equal(patched.status, 200);
  t.equal(patched.text, player);
  t.equal((await ask(origin, path)).text, player);
  t.equal((await ask(origin, `/v4/sessions/${session}/players`)).text, `[${player}]`);
  t.match((await ask(origin, '/v4/stats')).text, /"players":1,"playingPlayers":1,/);
  t.equal(
    await client.message('TrackStartEvent'),
    `{"op":"event","type":"TrackStartEvent","guildId":"9007199254740993","track":${track}}`,
  );
  fleet.end(`${session}:9007199254740993`, 'finished', 0);
  t.equal(
    await client.message('TrackEndEvent'),
    `{"op":"event","type":"TrackEndEvent","guildId":"9007199254740993","track":${track},"reason":"finished"}`,
  );
  const removed = await ask(origin, path, { method: 'DELETE' });
  t.strictSame([removed.status, removed.text], [204, '']);
  t.equal((await ask(origin, path, { method: 'DELETE' })).status, 204);
  t.match((await ask(origin, path)).text, /"message":"Player not found"/);
  client.socket.terminate();
});

t.test('large numbers in user data come back as they were', CEILING, async (t) => {
  const { origin } = await start(t);
  const client = new Client(origin);
  const path = `/v4/sessions/${await client.session()}/players/1`;
  const body = `{"track":{"encoded":"${MP3_TOKEN}","userData":{"id":12345678901234567890}}}`;
  t.match((await send(origin, 'PATCH', path, body)).text, /"userData":\{"id":12345678901234567890\}/);
  client.socket.terminate();
});

t.test('a client resumes over a new socket', CEILING, async (t) => {
  const { origin, fleet } = await start(t);
  const first = new Client(origin);
  const session = await first.session();
  const changed = await send(origin, 'PATCH', `/v4/sessions/${session}`, { resuming: 'true', timeout: 1e9 });
  t.equal(changed.text, '{"resuming":true,"timeout":3600}');
  await send(origin, 'PATCH', `/v4/sessions/${session}/players/1`, { encodedTrack: MP3_TOKEN });
  first.socket.terminate();
  for (let status = 200; status !== 404;)
    status = (await ask(origin, `/v4/sessions/${session}/players`)).status;
  fleet.end(`${session}:1`, 'finished');
  const foreign = new Client(origin, { 'Session-Id': session, 'User-Id': '43' });
  t.equal(await foreign.opened, 'false 4');
  const second = new Client(origin, { 'Session-Id': session });
  t.equal(await second.opened, 'true 4');
  await second.message('playerUpdate');
  t.strictSame(
    second.texts.map(
      (text) => (JSON.parse(text) as { type?: string; op: string }).type ?? JSON.parse(text).op,
    ),
    ['ready', 'TrackEndEvent', 'playerUpdate'],
  );
  foreign.socket.terminate();
  second.socket.terminate();
});

t.test("metrics follow Lavalink's rule for the password and count what was done", CEILING, async (t) => {
  const off = await start(t);
  t.equal((await ask(off.origin, '/metrics')).status, 404);
  const secret = await start(t, { 'metrics.prometheus.enabled': true });
  t.equal((await fetch(`${secret.origin}/metrics`)).status, 401);
  const open = await start(t, { 'metrics.prometheus.enabled': true, 'metrics.prometheus.endpoint': '/m' });
  await ask(open.origin, '/v4/info');
  await fetch(`${open.origin}/v4/nothing`);
  open.fleet.outcome = { kind: 'track', token: MP3_TOKEN };
  await ask(open.origin, '/v4/loadtracks?identifier=x');
  const page = await (await fetch(`${open.origin}/m`)).text();
  const lines = [
    'lavalink_players_total 0',
    'lavalink_cpu_cores 2',
    'lavalink_uptime_milliseconds 5000',
    'lavalink_memory_used_bytes 13000',
    'lavalink_tracks_loaded_total{source="http",type="track"} 1',
    'lavalink_audio_frames_sent_total{mode="passthrough"} 30',
    'lavalink_http_requests_total{method="GET",route="/v4/info",status="200"} 1',
    'lavalink_http_requests_total{method="GET",route="unmatched",status="404"} 1',
    'lavalink_shards{state="up"} 2',
    'lavalink_frame_lateness_seconds_bucket{le="0.001"} 8',
    'lavalink_frame_lateness_seconds_bucket{le="+Inf"} 22',
    'lavalink_frame_lateness_seconds_count 22',
  ];
  for (const line of lines) t.ok(page.includes(`${line}\n`), line);
  t.match(page, /process_cpu_seconds_total \d/);
  const filtered = await fetch(`${open.origin}/m?name[]=lavalink_cpu_cores&name[]=nothing`);
  t.equal(filtered.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.match(
    await filtered.text(),
    /^# HELP lavalink_cpu_cores [^\n]+\n# TYPE lavalink_cpu_cores gauge\nlavalink_cpu_cores 2\n$/,
  );
});

t.test(
  'a drain turns readiness off, refuses new work, stops players, closes with 1001',
  CEILING,
  async (t) => {
    const { origin, server, fleet, clock } = await start(t);
    const client = new Client(origin);
    const session = await client.session();
    await send(origin, 'PATCH', `/v4/sessions/${session}/players/1`, { encodedTrack: MP3_TOKEN });
    let finish: () => void = () => undefined;
    fleet.outcome = () =>
      new Promise((resolve) => {
        finish = () => resolve({ kind: 'empty' });
      });
    const running = ask(origin, '/v4/loadtracks?identifier=x');
    for (
      let started = false;
      !started;
      started = finish.length === 0 && finish.toString().includes('empty')
    ) {
      await ask(origin, '/version');
    }
    const closed = once(client.socket, 'close') as Promise<[number]>;
    const drained = server.drain();
    t.equal((await fetch(`${origin}/pumice/v1/health/ready`)).status, 503);
    t.equal((await fetch(`${origin}/pumice/v1/health/live`)).status, 200);
    const refused = await send(origin, 'PATCH', `/v4/sessions/${session}/players/2`, {});
    t.equal(refused.status, 503);
    t.equal(refused.headers.get('retry-after'), '1');
    t.equal((await refusedUpgrade(origin, { Authorization: PASSWORD, 'User-Id': '42' })).status, 503);
    finish();
    t.equal((await running).status, 200, 'what was running is finished');
    clock.advance(100);
    t.match(await client.message('TrackEndEvent'), /"reason":"stopped"/);
    const [code] = await closed;
    t.equal(code, 1001);
    await drained;
    t.equal(server.state, 'stopped');
    await t.rejects(fetch(`${origin}/version`), 'nobody listens any more');
  },
);
