// Claims about the whole main thread behind the real engine, with a fake fleet: sessions over real sockets,
// a player's life, and the order in which everything stops (lavalink-v4.md §2).
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { MP3_TOKEN, PASSWORD, VOICE } from '../support/main-node.js';
import { ask, Client, hangingLoad, refusedUpgrade, send, start } from '../support/running-server.js';

const CEILING = { timeout: 20_000 };

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

t.test(
  'a drain turns readiness off, refuses new work, stops players, closes with 1001',
  CEILING,
  async (t) => {
    const { origin, server, fleet, clock } = await start(t);
    const client = new Client(origin);
    const session = await client.session();
    await send(origin, 'PATCH', `/v4/sessions/${session}/players/1`, { encodedTrack: MP3_TOKEN });
    const load = hangingLoad(fleet);
    const running = ask(origin, '/v4/loadtracks?identifier=x');
    await load.started;
    const closed = once(client.socket, 'close') as Promise<[number]>;
    const drained = server.drain();
    t.equal((await fetch(`${origin}/pumice/v1/health/ready`)).status, 503);
    t.equal((await fetch(`${origin}/pumice/v1/health/live`)).status, 200);
    const refused = await send(origin, 'PATCH', `/v4/sessions/${session}/players/2`, {});
    t.equal(refused.status, 503);
    t.equal(refused.headers.get('retry-after'), '1');
    t.equal((await refusedUpgrade(origin, { Authorization: PASSWORD, 'User-Id': '42' })).status, 503);
    load.finish();
    t.equal((await running).status, 200, 'what was running is finished');
    clock.advance(100);
    t.match(await client.message('TrackEndEvent'), /"reason":"stopped"/);
    const [code] = await closed;
    t.equal(code, 1001);
    await drained;
    t.equal(server.state, 'stopped');
    const late = connect(Number(new URL(origin).port), '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    t.equal(error.code, 'ECONNREFUSED');
  },
);
