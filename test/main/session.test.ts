// Claims about sessions: what a client gets when, resuming, and how a session ends (lavalink-v4.md §2;
// reliability.md cases 16 to 18, 27).
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { MainClient } from '../support/main-client.js';
import { FakeSocket, mainNode, MP3_TOKEN, settle, VOICE } from '../support/main-node.js';

const MINUTE = 60_000;

t.test('ready comes first, stats at once and every minute', { timeout: 10_000 }, (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  t.strictSame(client.socket.kinds, ['ready', 'stats']);
  t.equal(client.socket.texts[0], `{"op":"ready","resumed":false,"sessionId":"${client.session.id}"}`);
  main.clock.advance(2 * MINUTE);
  t.strictSame(client.socket.kinds, ['ready', 'stats', 'stats', 'stats']);
  t.end();
});

t.test('ids are opaque, long and never the same', { timeout: 10_000 }, (t) => {
  const main = mainNode();
  const ids = Array.from({ length: 100 }, () => new MainClient(main).session.id);
  t.equal(new Set(ids).size, 100);
  for (const id of ids) t.match(id, /^[a-z0-9]{26}$/);
  t.equal([...main.sessions.live()].length, 100, 'several sessions of one user');
  t.end();
});

t.test(
  'a user id that is no number closes the socket with 1011 and opens nothing',
  { timeout: 10_000 },
  (t) => {
    const main = mainNode();
    const socket = new FakeSocket({ user: null });
    main.sessions.open(socket);
    t.equal(socket.closed, 1011);
    t.equal([...main.sessions.live()].length, 0);
    t.end();
  },
);

t.test('without resuming a lost connection destroys the players at once', { timeout: 10_000 }, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  await client.patch({ voice: VOICE, encodedTrack: MP3_TOKEN });
  const { id } = client.session;
  await client.vanish();
  t.equal(main.fleet.players.size, 0);
  t.throws(() => main.sessions.find(id), { code: 'PUM_SESSION_NOT_FOUND' });
  t.strictSame(
    [...main.node.tallies.sessionsEnded.entries()].map(({ labels }) => labels.reason),
    ['closed'],
  );
});

t.test(
  'a client that comes back gets what it missed, in order, then the present state',
  { timeout: 10_000 },
  async (t) => {
    const main = mainNode();
    const client = new MainClient(main);
    const { session } = client;
    session.resuming = true;
    await client.patch({ voice: VOICE, encodedTrack: MP3_TOKEN });
    const id = client.id();
    await client.vanish();
    t.throws(() => main.sessions.find(session.id), { code: 'PUM_SESSION_NOT_FOUND' }, 'REST does not see it');
    t.strictSame(main.sessions.counts(), { players: 0, playingPlayers: 0 });
    main.fleet.raise(id, { type: 'trackStuck', instance: 1, thresholdMs: 10_000, positionMs: 5 });
    main.clock.advance(10_000);
    main.fleet.end(id, 'finished', 12_345);
    client.comeBack(session.id);
    t.strictSame(client.socket.kinds, ['ready', 'TrackStuckEvent', 'TrackEndEvent', 'playerUpdate']);
    t.equal(client.socket.texts[0], `{"op":"ready","resumed":true,"sessionId":"${session.id}"}`);
    t.equal(client.session, session);
    main.clock.advance(MINUTE);
    t.equal(main.fleet.players.size, 1, 'the expiry was cancelled');
    t.equal(client.socket.kinds.at(-1), 'stats', 'stats go on');
  },
);

t.test('nobody but the same user resumes, and the owner still can', { timeout: 10_000 }, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  const { session } = client;
  session.resuming = true;
  t.equal(main.sessions.canResume(session.id, '42'), false, 'not while it is connected');
  const second = new MainClient(main, { resume: session.id });
  t.not(second.session, session);
  await client.vanish();
  for (let times = 0; times < 1_000; times++) main.sessions.canResume(session.id, '42');
  const foreign = new MainClient(main, { resume: session.id, user: '43' });
  t.match(foreign.socket.messages[0], { op: 'ready', resumed: false });
  client.comeBack(session.id);
  t.match(client.socket.messages[0], { op: 'ready', resumed: true });
});

t.test('asking whether one could resume does not keep a session alive', { timeout: 10_000 }, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  const { session } = client;
  session.resuming = true;
  session.setTimeout(10n);
  await client.patch({ encodedTrack: MP3_TOKEN });
  await client.vanish();
  main.clock.advance(9_999);
  t.equal(main.sessions.canResume(session.id, '42'), true);
  main.clock.advance(1);
  await settle();
  t.equal(main.sessions.canResume(session.id, '42'), false);
  t.equal(main.fleet.players.size, 0);
});

t.test('the timeout is clamped to what the operator allows', { timeout: 10_000 }, (t) => {
  const { session } = new MainClient(mainNode());
  t.equal(session.timeout, 60);
  session.setTimeout(1_000_000_000n);
  t.equal(session.timeout, 3_600);
  session.setTimeout(-5n);
  t.equal(session.timeout, 0);
  t.end();
});

t.test('a full queue ends the session visibly instead of forgetting', { timeout: 10_000 }, async (t) => {
  const main = mainNode({ 'pumice.resume.maxEvents': 3 });
  const client = new MainClient(main);
  const { session } = client;
  session.resuming = true;
  await client.patch({ encodedTrack: MP3_TOKEN });
  const id = client.id();
  await client.vanish();
  for (let instance = 2; instance < 10 && main.fleet.players.has(id); instance++) {
    main.fleet.raise(id, { type: 'voiceClosed', code: 4014, reason: '', byRemote: true });
    await settle();
  }
  t.equal(session.kind, 'ended');
  t.equal(main.fleet.players.size, 0);
  t.strictSame(
    [...main.node.tallies.sessionsEnded.entries()].map(({ labels }) => labels.reason),
    ['overflow'],
  );
  client.comeBack(session.id);
  t.match(client.socket.messages[0], { resumed: false });
});

t.test('a client that does not read is cut, counted, and misses nothing', { timeout: 10_000 }, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  const { session } = client;
  session.resuming = true;
  await client.patch({ encodedTrack: MP3_TOKEN });
  const id = client.id();
  client.socket.clear();
  client.socket.stuckAt = 2_000;
  let raised = 0;
  while (client.socket.closed === null && raised < 100) {
    raised++;
    main.fleet.raise(id, { type: 'voiceClosed', code: 4000 + raised, reason: '', byRemote: true });
  }
  t.equal(client.socket.closed, 1008);
  t.equal(main.node.tallies.slowClients, 1);
  main.sessions.closed(client.socket, 1008);
  raised++;
  main.fleet.raise(id, { type: 'voiceClosed', code: 4000 + raised, reason: '', byRemote: true });
  client.comeBack(session.id);
  const codes = client.socket.messages
    .filter(({ type }) => type === 'WebSocketClosedEvent')
    .map(({ code }) => code);
  t.strictSame(
    codes,
    Array.from({ length: raised }, (_, index) => 4001 + index),
  );
});

t.test(
  'a late report of an old socket does not end the session that was resumed',
  { timeout: 10_000 },
  async (t) => {
    const main = mainNode();
    const client = new MainClient(main);
    const { session } = client;
    session.resuming = true;
    const old = client.socket;
    old.stuckAt = 1;
    await client.patch({ encodedTrack: MP3_TOKEN });
    t.equal(session.kind, 'away');
    client.comeBack(session.id);
    main.sessions.closed(old, 1008);
    t.equal(session.kind, 'live');
  },
);

t.test(
  'a loaded track is reported every interval, paused or not, an idle player never',
  { timeout: 10_000 },
  async (t) => {
    const main = mainNode({ 'lavalink.server.playerUpdateInterval': 5_000 });
    const client = new MainClient(main);
    await client.patch({ encodedTrack: MP3_TOKEN });
    const updates = (): number => client.socket.kinds.filter((kind) => kind === 'playerUpdate').length;
    const before = updates();
    main.clock.advance(5_000);
    t.equal(updates(), before + 1);
    await client.patch({ paused: true });
    main.clock.advance(10_000);
    t.equal(updates(), before + 3);
    main.fleet.end(client.id(), 'finished');
    main.clock.advance(30_000);
    t.equal(updates(), before + 3);
  },
);

t.test(
  'frame statistics tell of the last whole minute of this session only',
  { timeout: 10_000 },
  async (t) => {
    const main = mainNode();
    const client = new MainClient(main);
    const other = new MainClient(main);
    await client.patch({ encodedTrack: MP3_TOKEN });
    main.clock.advance(MINUTE);
    main.fleet.setWord(client.id(), PlayerWord.sent, 1_000);
    main.clock.advance(MINUTE);
    main.fleet.setWord(client.id(), PlayerWord.sent, 3_990);
    main.fleet.setWord(client.id(), PlayerWord.nulled, 4);
    main.clock.advance(MINUTE);
    t.strictSame(client.session.frameStats(), { sent: 2_990, nulled: 4, deficit: 6 });
    t.equal(other.session.frameStats(), null);
    await client.patch({ paused: true });
    t.equal(client.session.frameStats(), null, 'a paused player does not count');
  },
);

t.test(
  'commands above the ceiling are refused, and the place is given back',
  { timeout: 10_000 },
  async (t) => {
    const { session } = new MainClient(mainNode());
    let release = (): void => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const waiting = Array.from({ length: 256 }, () => session.command(() => blocked));
    await t.rejects(
      session.command(() => blocked),
      { code: 'PUM_SESSION_BUSY' },
    );
    release();
    await Promise.all(waiting);
    await session.command(() => Promise.resolve());
  },
);

t.test(
  'a socket that is closed before its session begins leaves no timer',
  { timeout: 10_000 },
  async (t) => {
    const { clock, sessions } = mainNode();
    const { pending } = clock;
    const socket = new FakeSocket();
    socket.closed = 1006;
    sessions.open(socket);
    sessions.closed(socket, 1006);
    await settle();
    t.equal(clock.pending, pending);
    t.strictSame(sessions.census(), { live: 0, resumable: 0, queued: 0 });
  },
);

t.test(
  'a client that is gone again before it is told anything misses nothing',
  { timeout: 10_000 },
  async (t) => {
    const main = mainNode();
    const client = new MainClient(main);
    client.session.resuming = true;
    await client.patch({ encodedTrack: MP3_TOKEN });
    const { id } = client.session;
    await client.vanish();
    main.fleet.end(`${id}:1`, 'finished');
    const socket = new FakeSocket({ resume: id });
    socket.closed = 1006;
    main.sessions.open(socket);
    main.sessions.closed(socket, 1006);
    client.comeBack(id);
    t.match(client.socket.kinds, ['ready', 'TrackEndEvent', 'playerUpdate']);
  },
);
