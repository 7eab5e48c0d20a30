// Claims about a shard's death as main and its clients see it: players go on with the replacement without an event,
// from where they were, and commands that come meanwhile wait (decision D13, reliability.md case 11).
import fc from 'fast-check';
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { ServerError } from '../../src/shared/errors.js';
import type { AdoptBody } from '../../src/shared/shard-commands.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, settle, STREAM_TOKEN, VOICE } from '../support/main-node.js';

const LIMIT = { timeout: 10_000 };

function adopted(client: MainClient): readonly AdoptBody[] {
  return client.main.fleet.sent.flatMap(({ command }) => (command.op === 'adopt' ? [command.body] : []));
}

async function playing(body: object = {}): Promise<MainClient> {
  const client = new MainClient(mainNode());
  await client.patch({ voice: VOICE, encodedTrack: MP3_TOKEN, ...body });
  client.main.fleet.setPosition(client.id(), 5_000);
  client.socket.clear();
  return client;
}

async function replace(client: MainClient): Promise<void> {
  client.main.fleet.die(0);
  client.main.fleet.revive(0);
  await settle();
}

t.test('a player goes on with the replacement from where it was, and nobody is told', LIMIT, async (t) => {
  const client = await playing({ volume: 50, filters: { volume: 0.5 } });
  const { fleet, clock, sessions } = client.main;
  await client.patch({}, { guild: '2' });
  client.socket.clear();
  const id = client.id();
  const { epoch } = fleet.players.get(id)?.placement ?? { epoch: 0 };
  fleet.die(0);
  // The end that was on its way when the shard died.
  const body = { type: 'trackEnd', instance: 1, reason: 'finished', positionMs: 1 } as const;
  sessions.event({ v: 1, player: id, session: client.session.id, epoch, seq: 100, body });
  clock.advance(300);
  t.match(client.session.players.get('1'), { positionMs: 5_000, connected: false, isPlaying: true });
  fleet.revive(0);
  await settle();
  t.match(adopted(client), [
    {
      guild: '1',
      volume: 50,
      filters: { volume: 0.5 },
      paused: false,
      voice: VOICE,
      seq: 2,
      playing: {
        play: { token: MP3_TOKEN, instance: 1, startMs: 5_000, endTimeMs: null },
        silentMs: 300,
      },
    },
    { guild: '2', playing: null, voice: null },
  ]);
  t.match(await client.patch({}), {
    volume: 50,
    state: { connected: true, position: 5_000 },
    track: { info: { position: 5_000 } },
  });
  t.strictSame(client.socket.kinds, []);
  fleet.end(id, 'finished', 9_000);
  t.match(client.socket.messages, [{ type: 'TrackEndEvent', reason: 'finished' }], 'and it ends once');
});

t.test('what went out after the death is not sent again', LIMIT, async (t) => {
  const client = await playing();
  const { fleet } = client.main;
  fleet.die(0);
  // A sender goes on with what was sealed ahead.
  fleet.setPosition(client.id(), 5_400);
  fleet.revive(0);
  await settle();
  t.match(adopted(client), [{ playing: { play: { startMs: 5_400 } } }]);
});

t.test('a replacement that dies too loses nothing either', LIMIT, async (t) => {
  const client = await playing();
  const { fleet, clock } = client.main;
  fleet.die(0);
  clock.advance(300);
  fleet.hold();
  fleet.revive(0);
  await settle();
  fleet.setWord(client.id(), PlayerWord.instance, 0);
  fleet.die(0);
  fleet.open();
  clock.advance(500);
  fleet.revive(0);
  await settle();
  t.match(adopted(client)[1], {
    playing: { play: { startMs: 5_000 }, silentMs: 800 },
    voice: VOICE,
  });
  t.strictSame(client.socket.kinds, []);
  t.match(await client.patch({}), { state: { connected: true, position: 5_000 } });
});

t.test('pause, end marker and user data are kept', LIMIT, async (t) => {
  const client = await playing({
    track: { encoded: MP3_TOKEN, userData: { a: 1 } },
    encodedTrack: undefined,
  });
  await client.patch({ paused: true, endTime: 9_000 });
  await replace(client);
  t.match(adopted(client), [{ paused: true, playing: { play: { endTimeMs: 9_000 } } }]);
  t.match(await client.patch({}), { paused: true, track: { userData: { a: 1 } } });
});

t.test('an end marker that was just reached ends the track, one that was late does not', LIMIT, async (t) => {
  for (const [endTime, marker] of [
    [4_990, 5_001],
    [4_000, 4_000],
  ]) {
    const client = await playing({ endTime });
    await replace(client);
    t.match(adopted(client), [{ playing: { play: { startMs: 5_000, endTimeMs: marker } } }]);
  }
});

t.test('a stream is taken up where it is by now', LIMIT, async (t) => {
  const client = await playing({ encodedTrack: STREAM_TOKEN });
  await replace(client);
  t.match(adopted(client), [{ playing: { play: { token: STREAM_TOKEN, startMs: 0 } } }]);
});

t.test('a track that has ended is not started again', LIMIT, async (t) => {
  const client = await playing();
  client.main.fleet.end(client.id(), 'finished');
  await replace(client);
  t.match(adopted(client), [{ playing: null }]);
});

t.test('a track whose failure was told has ended with its shard', LIMIT, async (t) => {
  for (const [position, reason] of [
    [5_000, 'finished'],
    [0, 'loadFailed'],
  ] as const) {
    const client = await playing();
    const { fleet } = client.main;
    const error = new ServerError('PUM_SOURCE_BROKEN').toShape();
    fleet.raise(client.id(), { type: 'trackException', instance: 1, error, positionMs: position });
    fleet.setPosition(client.id(), position);
    client.socket.clear();
    await replace(client);
    t.match(client.socket.messages, [{ type: 'TrackEndEvent', reason }]);
    t.match(adopted(client), [{ playing: null }]);
  }
});

t.test('a track that the replacement cannot open again fails as any other', LIMIT, async (t) => {
  const client = await playing();
  await replace(client);
  const error = new ServerError('PUM_SOURCE_CONNECT').toShape();
  client.main.fleet.raise(client.id(), { type: 'trackException', instance: 1, error, positionMs: 5_000 });
  client.main.fleet.end(client.id(), 'loadFailed', 5_000);
  t.strictSame(client.socket.kinds, ['TrackExceptionEvent', 'TrackEndEvent']);
});

t.test('a busy replacement is asked again, and the PATCH behind it waits', LIMIT, async (t) => {
  const client = await playing();
  const { fleet, clock } = client.main;
  const busy = new ServerError('PUM_SHARD_BUSY', { limit: 1_024 });
  fleet.failNext.set('adopt', [busy, busy]);
  await replace(client);
  const patched = client.patch({ volume: 50 });
  await settle();
  clock.advance(50);
  await settle();
  clock.advance(50);
  t.match(await patched, { volume: 50, track: { info: { position: 5_000 } } });
  t.strictSame(fleet.sent.map(({ command }) => command.op).slice(2), ['adopt', 'adopt', 'adopt', 'update']);
  t.strictSame(client.socket.kinds, []);
});

t.test('a PATCH waits for the replacement; those that came together keep their order', LIMIT, async (t) => {
  const client = await playing();
  const { fleet } = client.main;
  fleet.die(0);
  const answers = [10, 20, 30].map((volume) => client.patch({ volume }));
  await settle();
  t.notOk(fleet.sent.slice(2).length, 'nothing goes to a shard that is away');
  fleet.revive(0);
  await Promise.all(answers);
  t.match(await client.patch({}), { volume: 30 });
  const sent = fleet.sent.slice(2).map(({ command }) => command);
  t.match(sent, [
    { op: 'adopt' },
    { body: { volume: 10 } },
    { body: { volume: 20 } },
    { body: { volume: 30 } },
  ]);
  t.strictSame(client.socket.kinds, []);
});

t.test(
  'a replacement that does not come is 503 at the deadline, and the player still lives',
  LIMIT,
  async (t) => {
    const client = await playing();
    const { fleet, clock } = client.main;
    fleet.die(0);
    const late = t.rejects(client.patch({ volume: 50 }), { code: 'PUM_SHARD_GONE' });
    await settle();
    clock.advance(4_999);
    const stillWaits = client.patch({ volume: 60 });
    await settle();
    clock.advance(1);
    await late;
    fleet.revive(0);
    t.match(await stillWaits, { volume: 60, track: { info: { position: 5_000 } } });
  },
);

t.test('a PATCH that waited has what is left of its deadline', LIMIT, async (t) => {
  const client = await playing();
  const { fleet, clock } = client.main;
  const ttls: number[] = [];
  const send = fleet.command.bind(fleet);
  fleet.command = (player, placement, command, ttlMs) => {
    if (command.op === 'update') ttls.push(ttlMs);
    return send(player, placement, command, ttlMs);
  };
  fleet.die(0);
  const patched = client.patch({ volume: 50 });
  await settle();
  clock.advance(1_200);
  fleet.revive(0);
  await patched;
  t.strictSame(ttls, [3_800]);
});

t.test(
  'a DELETE does not wait: the track ends, and the PATCH that waited finds no player',
  LIMIT,
  async (t) => {
    const client = await playing();
    const { fleet } = client.main;
    fleet.die(0);
    const patched = t.rejects(client.patch({ volume: 50 }), { code: 'PUM_PLAYER_NOT_FOUND' });
    await settle();
    await client.remove();
    await patched;
    t.match(client.socket.messages, [
      { type: 'TrackEndEvent', reason: 'stopped', track: { info: { position: 5_000 } } },
    ]);
    fleet.revive(0);
    await settle();
    t.strictSame(adopted(client), []);
    t.equal(fleet.players.size, 0);
  },
);

t.test('a session that ends while its players are lost leaves nothing', LIMIT, async (t) => {
  const client = await playing();
  const { fleet } = client.main;
  fleet.die(0);
  const patched = t.rejects(client.patch({ volume: 50 }), { code: 'PUM_PLAYER_NOT_FOUND' });
  await settle();
  await client.vanish();
  await patched;
  fleet.revive(0);
  await settle();
  t.strictSame(adopted(client), []);
  t.equal(fleet.players.size, 0);
});

t.test('a player that was being made fails its own PATCH only', LIMIT, async (t) => {
  const client = await playing();
  const { fleet } = client.main;
  fleet.hold();
  const made = t.rejects(client.patch({ encodedTrack: MP3_TOKEN }, { guild: '2' }), {
    code: 'PUM_SHARD_GONE',
  });
  await settle();
  client.socket.clear();
  fleet.die(0);
  fleet.open();
  await made;
  fleet.revive(0);
  await settle();
  t.match(adopted(client), [{ guild: '1' }]);
  t.equal(client.session.players.get('2'), null);
  t.match(await client.patch({ encodedTrack: MP3_TOKEN }, { guild: '2' }), { track: { encoded: MP3_TOKEN } });
});

t.test('a client that is away comes back to a player that plays', LIMIT, async (t) => {
  const client = await playing();
  client.session.resuming = true;
  const { id } = client.session;
  await client.vanish();
  await replace(client);
  client.comeBack(id);
  t.strictSame(client.socket.kinds, ['ready', 'playerUpdate'], 'and missed nothing');
  t.match(client.session.players.get('1'), { isPlaying: true, positionMs: 5_000 });
});

/** A death at any step of a racing set of commands. */
const races = fc.record({
  before: fc.integer({ min: 0, max: 20 }),
  during: fc.integer({ min: 0, max: 20 }),
  after: fc.integer({ min: 0, max: 20 }),
  away: fc.integer({ min: 0, max: 6_000 }),
});

t.test('commands that race a death settle once each, whatever the moment', { timeout: 60_000 }, async (t) => {
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(races, async ({ before, during, after, away }) => {
      const client = await playing();
      const { fleet, clock } = client.main;
      const settled: number[] = [];
      const racing: Promise<void>[] = [];
      const race = (count: number): void => {
        for (let n = 0; n < count; n++) {
          const number = racing.length;
          racing.push(
            client.patch({ volume: 100 + number }).then(
              () => void settled.push(number),
              (error: unknown) => {
                settled.push(number);
                codes.add(ServerError.from(error, 'PUM_HTTP_INTERNAL').code);
              },
            ),
          );
        }
      };
      fleet.hold();
      race(before);
      await settle();
      fleet.die(0);
      fleet.open();
      race(during);
      await settle();
      clock.advance(away);
      fleet.revive(0);
      race(after);
      await settle();
      clock.advance(5_000);
      await Promise.all(racing);
      const total = before + during + after;
      if (new Set(settled).size !== total || settled.length !== total) throw new Error('not once each');
      if (client.socket.kinds.some((kind) => kind !== 'playerUpdate')) throw new Error('an event was told');
      if (client.session.players.get('1')?.current?.number !== 1) throw new Error('the track is gone');
    }),
    { numRuns: 60 },
  );
  t.strictSame([...codes], ['PUM_SHARD_GONE']);
});
