// Claims about REST behind the real engine, with a fake fleet: statuses, headers and bodies, byte for byte
// where the protocol fixes them (lavalink-v4.md §1, §3, §8).
import t from 'tap';
import { loadIdentifier } from '../../../src/main/load.js';
import { ServerError } from '../../../src/shared/errors.js';
import { DISPATCH } from '../../../src/shared/limits.js';
import { mainNode, MP3_TOKEN, PASSWORD, STREAM_TOKEN } from '../../support/main-node.js';
import { ask, hangingLoad, send, start } from '../../support/running-server.js';

const CEILING = { timeout: 20_000 };

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
  const free = '/v4/routeplanner/free/address';
  t.equal((await ask(origin, free, { method: 'POST', body: '{}' })).status, 415);
  t.equal((await send(origin, 'POST', free, {})).status, 400, 'no address');
  t.equal((await send(origin, 'POST', free, { address: '1.0.0.1' })).status, 500);
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
  const load = hangingLoad(fleet);
  const controller = new AbortController();
  const answer = ask(origin, '/v4/loadtracks?identifier=x', { signal: controller.signal });
  await load.started;
  controller.abort();
  await t.rejects(answer);
  await load.aborted;
});

t.test('more loads than may wait are refused at once, and taken again later', CEILING, async (t) => {
  const main = mainNode();
  const { pending } = main.clock;
  const { signal } = new AbortController();
  const load = () => loadIdentifier(main.node, 'x', signal);
  const finish: (() => void)[] = [];
  main.fleet.outcome = () =>
    new Promise((resolve) => {
      finish.push(() => {
        resolve({ kind: 'empty' });
      });
    });
  const running = Array.from({ length: DISPATCH.maxLoads }, load);
  await t.rejects(load(), { code: 'PUM_LOAD_BUSY' });
  t.equal(finish.length, DISPATCH.maxLoads);
  for (const end of finish.splice(0)) end();
  await Promise.all(running);
  const again = load();
  finish[0]?.();
  t.strictSame(await again, { kind: 'empty' });
  t.equal(main.clock.pending, pending, 'no deadline is left behind');
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
    'lavalink_frame_lateness_seconds_bucket{sender="s0",le="0.001"} 4',
    'lavalink_frame_lateness_seconds_bucket{sender="s1",le="+Inf"} 11',
    'lavalink_frame_lateness_seconds_count{sender="s1"} 11',
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

t.test('guessing the password is slowed down, knowing it is not', CEILING, async (t) => {
  const { origin } = await start(t);
  const guess = () => ask(origin, '/version', { headers: { Authorization: 'wrong' } });
  let statuses: number[] = [];
  for (let tries = 0; tries < 25; tries++) statuses.push((await guess()).status);
  statuses = [...new Set(statuses)];
  t.strictSame(statuses, [403, 429]);
  t.equal((await guess()).headers.get('retry-after'), '60');
  t.equal((await ask(origin, '/version')).status, 200);
});
