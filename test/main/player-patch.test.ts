// Claims about changing a player, step by step, as the client and the shard see it (lavalink-v4.md §1.4).
import t from 'tap';
import { ServerError } from '../../src/shared/errors.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, settle, STREAM_TOKEN, VOICE } from '../support/main-node.js';

const ops = (client: MainClient): string[] => client.main.fleet.sent.map(({ command }) => command.op);

function updates(client: MainClient): unknown[] {
  return client.main.fleet.sent.flatMap(({ command }) => (command.op === 'update' ? [command.body] : []));
}

t.test('an empty body creates the player and nothing else', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  const player = await client.patch({});
  t.strictSame(ops(client), ['create']);
  t.strictSame(player, {
    guildId: '1',
    track: null,
    volume: 100,
    paused: false,
    state: { time: client.main.clock.wall(), position: 0, connected: false, ping: -1 },
    voice: { token: '', endpoint: '', sessionId: '', channelId: null },
    filters: {},
  });
});

t.test('create and update go out together, in this order', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  client.main.fleet.hold();
  const answer = client.patch({ volume: 50, encodedTrack: MP3_TOKEN });
  await settle();
  t.strictSame(ops(client), ['create', 'update'], 'before either was answered');
  client.main.fleet.open();
  t.match(await answer, { volume: 50, track: { encoded: MP3_TOKEN } });
});

t.test(
  'a new track replaces: end before start, each followed by an update',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    await client.patch({ encodedTrack: MP3_TOKEN });
    client.main.fleet.setPosition(client.id(), 4_000);
    client.socket.clear();
    await client.patch({ track: { encoded: STREAM_TOKEN, userData: { dj: 'x' } } });
    t.strictSame(client.socket.kinds, ['TrackEndEvent', 'TrackStartEvent', 'playerUpdate']);
    const [end, start] = client.socket.messages;
    t.match(end, {
      reason: 'replaced',
      track: { info: { position: 4_000, sourceName: 'http' }, userData: {} },
    });
    t.match(start, { track: { encoded: STREAM_TOKEN, userData: { dj: 'x' } } });
    t.match(client.socket.texts[1], /"length":9223372036854775807,/);
  },
);

t.test('a new track un-pauses unless it is told to pause', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ paused: true });
  t.match(await client.patch({ encodedTrack: MP3_TOKEN }), { paused: false });
  t.match(await client.patch({ encodedTrack: MP3_TOKEN, paused: true }), { paused: true });
  t.match(await client.patch({ encodedTrack: null }), { paused: false, track: null });
});

t.test(
  'noReplace keeps the track and applies volume, filters and voice only',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    await client.patch({ encodedTrack: MP3_TOKEN }, { noReplace: true });
    client.socket.clear();
    const body = {
      track: { encoded: null, userData: { a: 1 } },
      volume: 7,
      filters: { volume: 0.5 },
      paused: true,
      position: 9,
      endTime: 9,
    };
    const player = await client.patch(body, { noReplace: true });
    t.match(player, { volume: 7, filters: { volume: 0.5 }, paused: false, track: { userData: {} } });
    t.strictSame(updates(client).at(-1), { volume: 7, filters: { volume: 0.5 } });
    t.strictSame(client.socket.kinds, ['playerUpdate']);
  },
);

t.test('position, end time and user data touch the current track', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ position: 5, endTime: 6, track: { userData: { a: 1 } } });
  t.strictSame(ops(client), ['create'], 'nothing without a track');
  await client.patch({ encodedTrack: MP3_TOKEN, position: 2_000, endTime: 9_000 });
  t.match(updates(client).at(-1), { track: { token: MP3_TOKEN, startMs: 2_000, endTimeMs: 9_000 } });
  client.socket.clear();
  const player = await client.patch({ position: 3_000, endTime: null, track: { userData: { b: [1] } } });
  t.match(player, { state: { position: 3_000 }, track: { info: { position: 3_000 }, userData: { b: [1] } } });
  t.strictSame(updates(client).at(-1), { positionMs: 3_000 }, 'endTime null does nothing');
  t.strictSame(client.socket.kinds, ['playerUpdate']);
});

t.test('a token bears a position of its own, a stream begins where it is', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ encodedTrack: MP3_TOKEN, position: 2_500 });
  const player = await client.patch({ paused: true });
  const { encoded } = player['track'] as { encoded: string };
  await client.patch({ encodedTrack: encoded });
  t.match(updates(client).at(-1), { track: { token: encoded, startMs: 2_500 } });
  await client.patch({ encodedTrack: STREAM_TOKEN, position: 2_500 });
  t.match(updates(client).at(-1), { track: { startMs: 0 } });
  const before = updates(client).length;
  await client.patch({ position: 9_000 });
  t.equal(updates(client).length, before, 'a stream cannot be sought in');
});

t.test(
  'equal voice data is sent once, other data or a lost gateway again',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    const voiceCount = (): number =>
      updates(client).filter((body) => (body as { voice?: unknown }).voice).length;
    t.match(await client.patch({ voice: VOICE }), { voice: VOICE, state: { connected: true, ping: 7 } });
    await client.patch({ voice: { ...VOICE } });
    t.equal(voiceCount(), 1);
    client.socket.clear();
    await client.patch({ voice: { ...VOICE, channelId: '4712' } });
    t.equal(voiceCount(), 2);
    t.strictSame(client.socket.kinds, ['WebSocketClosedEvent', 'playerUpdate', 'playerUpdate']);
    client.main.fleet.raise(client.id(), { type: 'voiceClosed', code: 4006, reason: 'x', byRemote: true });
    await client.patch({ voice: { ...VOICE, channelId: '4712' } });
    t.equal(voiceCount(), 3);
  },
);

t.test('equal voice data waits for the answer that is still awaited', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  client.main.fleet.hold();
  const first = client.patch({ voice: VOICE });
  await settle();
  let answered = false;
  const second = client.patch({ voice: VOICE }).then(() => {
    answered = true;
  });
  await settle();
  t.equal(answered, false);
  client.main.fleet.open();
  await Promise.all([first, second]);
  t.equal(updates(client).length, 1);
});

t.test(
  'a voice failure is the 500 of Lavalink, and the next try reaches the shard',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    client.main.fleet.failNext.set('update', [new ServerError('PUM_VOICE_FAILED')]);
    await t.rejects(client.patch({ voice: VOICE, volume: 5 }), {
      code: 'PUM_VOICE_FAILED',
      message: 'Failed to connect to voice server',
    });
    t.match(await client.patch({}), { volume: 100, voice: { token: '' } }, 'the record is as it was');
    t.match(await client.patch({ voice: VOICE }), { voice: VOICE });
  },
);

t.test('a damaged token is an error after everything else was applied', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ paused: true });
  await t.rejects(client.patch({ encodedTrack: '!!', volume: 5 }), { code: 'PUM_TOKEN_INVALID' });
  t.match(await client.patch({}), { volume: 5, paused: false, track: null });
});

t.test(
  'an identifier is loaded, then played; what is found decides the error',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    const { fleet, node } = client.main;
    fleet.outcome = { kind: 'track', token: MP3_TOKEN };
    t.match(await client.patch({ identifier: 'x', volume: 9 }), { volume: 9, track: { encoded: MP3_TOKEN } });
    t.strictSame(
      [...node.tallies.tracksLoaded.entries()],
      [{ labels: { source: 'http', type: 'track' }, count: 1 }],
    );
    fleet.outcome = { kind: 'empty' };
    await t.rejects(client.patch({ identifier: 'x' }), { code: 'PUM_LOAD_NOTHING' });
    fleet.outcome = { kind: 'search', tokens: [MP3_TOKEN] };
    await t.rejects(client.patch({ identifier: 'x' }), { code: 'PUM_LOAD_NOT_A_TRACK' });
    fleet.outcome = { kind: 'error', error: new ServerError('PUM_SOURCE_STATUS').toShape() };
    await t.rejects(client.patch({ identifier: 'x' }), { code: 'PUM_LOAD_FAILED' });
  },
);

t.test(
  'a load that never ends is given up at its deadline and leaves no timer',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    const { clock, fleet } = client.main;
    let aborted = false;
    fleet.outcome = (_identifier, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    };
    const pending = clock.pending;
    const answer = t.rejects(client.patch({ identifier: 'x' }), { code: 'PUM_LOAD_DEADLINE' });
    await settle();
    clock.advance(10_000);
    await answer;
    t.equal(aborted, true);
    t.equal(clock.pending, pending);
  },
);

t.test('a track that was not taken leaves the record as it was', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  const { fleet } = client.main;
  await client.patch({ encodedTrack: MP3_TOKEN });
  fleet.failNext.set('update', [new ServerError('PUM_COMMAND_DEADLINE', { ms: 5 })]);
  await t.rejects(client.patch({ encodedTrack: STREAM_TOKEN, volume: 3 }), { code: 'PUM_COMMAND_DEADLINE' });
  t.match(await client.patch({}), { volume: 100, track: { encoded: MP3_TOKEN } });
  // The shard does execute it after all.
  fleet.end(client.id(), 'replaced');
  fleet.raise(client.id(), { type: 'trackStart', instance: 2 });
  t.match(await client.patch({}), { track: { encoded: STREAM_TOKEN } });
});

t.test('a player that cannot be created leaves nothing behind', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  const { fleet } = client.main;
  const id = client.id();
  fleet.failNext.set('create', [new ServerError('PUM_SHARD_BUSY', { limit: 1 })]);
  await t.rejects(client.patch({ volume: 5 }), { code: 'PUM_SHARD_BUSY' });
  t.strictSame(fleet.released, [id]);
  t.equal(client.session.players.size, 0);
  t.match(await client.patch({}), { volume: 100 });
});

t.test('ceilings of players have errors of their own', { timeout: 10_000 }, async (t) => {
  const main = mainNode({ 'pumice.limits.maxPlayersPerSession': 2, 'pumice.limits.maxTotalPlayers': 3 });
  const [one, two] = [new MainClient(main), new MainClient(main)];
  for (const guild of ['1', '2']) await one.patch({}, { guild });
  await t.rejects(one.patch({}, { guild: '3' }), { code: 'PUM_PLAYER_LIMIT' });
  await two.patch({}, { guild: '1' });
  await t.rejects(two.patch({}, { guild: '2' }), { code: 'PUM_NODE_LIMIT' });
  await one.remove('1');
  await two.patch({}, { guild: '2' });
});

t.test(
  'DELETE stops track and voice with their events, then frees the place',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    await client.patch({ voice: VOICE, encodedTrack: MP3_TOKEN });
    const id = client.id();
    client.socket.clear();
    await client.remove();
    t.strictSame(client.socket.kinds, ['TrackEndEvent', 'WebSocketClosedEvent', 'playerUpdate']);
    t.match(client.socket.messages, [
      { reason: 'stopped' },
      { code: 1000, reason: '', byRemote: false },
      { state: { connected: false } },
    ]);
    t.strictSame(client.main.fleet.released, [id]);
    await client.remove();
  },
);

t.test('a PATCH during a DELETE makes a new player after it', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ volume: 5 });
  client.main.fleet.hold();
  const removed = client.remove();
  t.equal(client.session.players.get('1'), null, 'gone for REST at once');
  const patched = client.patch({});
  await settle();
  client.main.fleet.open();
  await removed;
  t.match(await patched, { volume: 100 });
  t.strictSame(ops(client), ['create', 'update', 'destroy', 'create']);
});

t.test(
  'a DELETE that the shard does not answer still ends what the client knows of',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    await client.patch({ encodedTrack: MP3_TOKEN });
    client.socket.clear();
    client.main.fleet.failNext.set('destroy', [new ServerError('PUM_COMMAND_DEADLINE', { ms: 5_000 })]);
    await client.remove();
    t.strictSame(client.socket.kinds, ['TrackEndEvent']);
    t.equal(client.main.fleet.players.size, 0);
  },
);
