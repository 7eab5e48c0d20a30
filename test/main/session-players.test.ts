// Claims about the players of a session: none outlives its session or its DELETE, whatever the shard answers,
// and one that a replacement shard did not take over is told to its client and works again at the next PATCH.
import t from 'tap';
import { ServerError } from '../../src/shared/errors.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, settle, VOICE } from '../support/main-node.js';

const LIMIT = { timeout: 10_000 };

const deadline = (): ServerError => new ServerError('PUM_COMMAND_DEADLINE', { ms: 5_000 });
const busy = (): ServerError => new ServerError('PUM_SHARD_BUSY', { limit: 1_024 });

function ops(client: MainClient): string[] {
  return client.main.fleet.sent.map(({ command }) => command.op);
}

t.test('a PATCH that waited for a DELETE makes no player in a session that ended', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({});
  const { session } = client;
  main.fleet.hold();
  const removed = client.remove();
  const patched = t.rejects(client.patch({ encodedTrack: MP3_TOKEN }), { code: 'PUM_SESSION_NOT_FOUND' });
  await settle();
  await client.vanish();
  main.fleet.open();
  await removed;
  await patched;
  t.equal(session.players.size, 0);
  t.equal(main.fleet.players.size, 0, 'the shard keeps nothing either');
});

t.test('a busy shard is asked again until it has taken the end of a player', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ encodedTrack: MP3_TOKEN });
  main.fleet.failNext.set('destroy', [busy(), busy()]);
  client.socket.clear();
  const removed = client.remove();
  await settle();
  t.strictSame(client.socket.kinds, []);
  main.clock.advance(100);
  await settle();
  main.clock.advance(100);
  await removed;
  t.strictSame(client.socket.kinds, ['TrackEndEvent']);
  t.strictSame(ops(client).slice(2), ['destroy', 'destroy', 'destroy']);
  t.equal(main.fleet.players.size, 0);
});

t.test('a player whose end was not answered is given up before its row is free again', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({});
  main.fleet.failNext.set('destroy', [deadline()]);
  await client.remove();
  main.fleet.failNext.set('create', [deadline()]);
  await t.rejects(client.patch({}, { guild: '2' }), { code: 'PUM_COMMAND_DEADLINE' });
  await settle();
  t.strictSame(ops(client), ['create', 'destroy', 'release', 'create', 'release']);
  t.equal(main.fleet.players.size, 0);
});

t.test('a player that cannot be taken over is told, and works again at the next PATCH', LIMIT, async (t) => {
  for (const failure of [deadline(), new ServerError('PUM_VOICE_FULL', { limit: 150 })]) {
    const main = mainNode();
    const client = new MainClient(main);
    await client.patch({ voice: VOICE, encodedTrack: MP3_TOKEN, volume: 40 });
    client.socket.clear();
    main.fleet.die(0);
    main.fleet.failNext.set('adopt', [failure]);
    main.fleet.revive(0);
    await settle();
    t.strictSame(
      client.socket.kinds,
      ['TrackExceptionEvent', 'TrackEndEvent', 'WebSocketClosedEvent', 'playerUpdate'],
      failure.code,
    );
    t.match(client.socket.messages, [
      { exception: { message: 'The track was unexpectedly terminated.' } },
      { reason: 'loadFailed' },
      { code: 1006, byRemote: false },
      { state: { connected: false, ping: -1 } },
    ]);
    t.equal(ops(client).at(-1), 'release', 'what the shard may still make of it is gone');
    main.fleet.sent.length = 0;
    client.socket.clear();
    t.match(await client.patch({ voice: VOICE, encodedTrack: MP3_TOKEN }), {
      volume: 40,
      state: { connected: true },
      track: { encoded: MP3_TOKEN },
    });
    t.match(main.fleet.sent, [
      { command: { op: 'adopt', body: { voice: null, volume: 40, playing: null } } },
      { command: { op: 'update', body: { voice: VOICE } } },
    ]);
    t.strictSame(client.socket.kinds, ['playerUpdate', 'TrackStartEvent', 'playerUpdate']);
  }
});

t.test('a player without voice that cannot be taken over has nothing to tell', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ volume: 40 });
  client.socket.clear();
  main.fleet.die(0);
  main.fleet.failNext.set('adopt', [deadline()]);
  main.fleet.revive(0);
  await settle();
  t.strictSame(client.socket.kinds, []);
  t.match(await client.patch({ encodedTrack: MP3_TOKEN }), { volume: 40, track: { encoded: MP3_TOKEN } });
});

t.test('a second try that fails too is the answer of its PATCH, and there is a third', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ voice: VOICE });
  main.fleet.die(0);
  main.fleet.failNext.set('adopt', [deadline(), deadline()]);
  main.fleet.revive(0);
  await settle();
  client.socket.clear();
  await t.rejects(client.patch({ voice: VOICE }), { code: 'PUM_COMMAND_DEADLINE' });
  t.strictSame(client.socket.kinds, [], 'the loss of the connection was told already');
  t.match(await client.patch({ voice: VOICE }), { state: { connected: true } });
});

t.test('a replacement leaves alone a voice connection that was closed before', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ voice: VOICE });
  main.fleet.raise(client.id(), { type: 'voiceClosed', code: 4014, reason: '', byRemote: true });
  main.fleet.die(0);
  main.fleet.revive(0);
  await settle();
  t.match(main.fleet.sent.at(-1), { command: { op: 'adopt', body: { voice: null } } });
  t.match(await client.patch({ voice: VOICE }), { state: { connected: true } }, 'equal data connects again');
});

t.test('a player that is removed while it is lost leaves nothing', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ voice: VOICE });
  main.fleet.die(0);
  main.fleet.failNext.set('adopt', [deadline()]);
  main.fleet.revive(0);
  await settle();
  client.socket.clear();
  await client.remove();
  t.strictSame(client.socket.kinds, []);
  t.equal(main.fleet.players.size, 0);
});

t.test('a seek that is answered behind a DELETE is followed by no playerUpdate', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ filters: { volume: 0.5 } });
  main.fleet.hold();
  const patched = client.patch({ filters: { volume: 0.6 } });
  await settle();
  const removed = client.remove();
  client.socket.clear();
  main.fleet.open();
  await Promise.all([patched, removed]);
  t.strictSame(client.socket.kinds, []);
});

t.test('ping is 0 until the gateway has answered a heartbeat, and -1 without one', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  main.fleet.firstPing = -1;
  t.match(await client.patch({ voice: VOICE }), { state: { connected: true, ping: 0 } });
  await client.remove();
  t.match(client.socket.messages.at(-1), { op: 'playerUpdate', state: { connected: false, ping: -1 } });
});

t.test('while the server drains no PATCH makes a player, and those that are there obey', LIMIT, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({});
  main.node.drain.begin(main.clock, 1_000, () => undefined);
  await t.rejects(client.patch({}, { guild: '2' }), { code: 'PUM_HTTP_SHUTTING_DOWN' });
  t.match(await client.patch({ volume: 5 }), { volume: 5 });
});
