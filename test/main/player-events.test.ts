// Claims about the events a client is owed: each once, in order, whatever the shard does or becomes
// (lavalink-v4.md §2.2, §2.3). What is kept over a shard's death is in player-survival.test.ts.
import fc from 'fast-check';
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { ServerError } from '../../src/shared/errors.js';
import { decodeSnapshot, encodeSnapshot } from '../../src/shared/snapshot.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, settle, STREAM_TOKEN, VOICE } from '../support/main-node.js';

t.test('events have the fields of the protocol in its order', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  const { fleet, clock } = client.main;
  await client.patch(
    { voice: VOICE, encodedTrack: MP3_TOKEN, identifier: undefined },
    { guild: '9007199254740993' },
  );
  const id = client.id('9007199254740993');
  client.socket.clear();
  const error = new ServerError(
    'PUM_DECODE_FAILED',
    {},
    new ServerError('PUM_FORMAT_BROKEN', { reason: 'x' }),
  );
  fleet.raise(id, { type: 'trackException', instance: 1, error: error.toShape(), positionMs: 7 });
  fleet.raise(id, { type: 'trackStuck', instance: 1, thresholdMs: 10_000, positionMs: 7 });
  fleet.raise(id, { type: 'trackLength', instance: 1, lengthMs: 999 });
  fleet.end(id, 'loadFailed', 7);
  fleet.raise(id, { type: 'voiceClosed', code: 4014, reason: 'Disconnected.', byRemote: true });
  const track = (length: number): string =>
    '{"encoded":"TOKEN","info":{"identifier":"https://example.com/a.mp3","isSeekable":true,' +
    `"author":"Unknown artist","length":${length},"isStream":false,"position":7,"title":"Unknown title",` +
    '"uri":"https://example.com/a.mp3","sourceName":"http","artworkUrl":null,"isrc":null},' +
    '"pluginInfo":{"probeInfo":"mp3"},"userData":{}}';
  const update = `{"op":"playerUpdate","state":{"time":${clock.wall()},"position":0,"connected":true,"ping":7},"guildId":"9007199254740993"}`;
  const event = (type: string, fields: string): string =>
    `{"op":"event","type":"${type}","guildId":"9007199254740993",${fields}}`;
  t.strictSame(
    client.socket.texts.map((text) => text.replace(/"encoded":"[^"]+"/, '"encoded":"TOKEN"')),
    [
      event(
        'TrackExceptionEvent',
        `"track":${track(12_345)},"exception":{"message":"Something went wrong when decoding the track.",` +
          '"severity":"fault","cause":"PUM_FORMAT_BROKEN: The file is damaged: x","causeStackTrace":' +
          '"PUM_DECODE_FAILED: Something went wrong when decoding the track.\\nCaused by: PUM_FORMAT_BROKEN: The file is damaged: x"}',
      ),
      event('TrackStuckEvent', `"track":${track(12_345)},"thresholdMs":10000`),
      update,
      event('TrackEndEvent', `"track":${track(999)},"reason":"loadFailed"`),
      event('WebSocketClosedEvent', '"code":4014,"reason":"Disconnected.","byRemote":true'),
      update,
    ],
  );
});

t.test('the position in an event is that of the event, in the token too', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ encodedTrack: MP3_TOKEN });
  client.main.fleet.setPosition(client.id(), 1_000);
  client.socket.clear();
  client.main.fleet.end(client.id(), 'finished', 2_000);
  const [end] = client.socket.messages;
  t.match(end, { track: { info: { position: 2_000 } } });
  const { encoded } = (end as { track: { encoded: string } }).track;
  await client.patch({ encodedTrack: encoded });
  t.equal(client.main.fleet.players.get(client.id())?.current?.startMs, 2_000);
});

t.test('a row that still tells of the track before is not believed', { timeout: 10_000 }, async (t) => {
  const client = new MainClient(mainNode());
  await client.patch({ encodedTrack: MP3_TOKEN });
  client.main.fleet.setPosition(client.id(), 8_000);
  t.match(await client.patch({}), { state: { position: 8_000 } });
  client.main.fleet.setWord(client.id(), PlayerWord.instance, 99);
  client.main.fleet.setPosition(client.id(), 1);
  t.match(await client.patch({}), { state: { position: 8_000 } });
});

t.test('the snapshot of a player is whole and comes back as it was', { timeout: 10_000 }, async (t) => {
  const main = mainNode();
  const client = new MainClient(main);
  const userData = { id: 12345678901234567890n };
  await client.patch({ voice: VOICE, track: { encoded: MP3_TOKEN, userData }, endTime: 9_000, volume: 7 });
  main.fleet.setPosition(client.id(), 5_000);
  main.clock.advance(30);
  const snapshot = client.session.players.get('1')?.snapshot();
  if (snapshot === undefined) throw new Error('no player');
  t.strictSame(decodeSnapshot(encodeSnapshot(snapshot)), snapshot);
  t.match(snapshot, {
    track: {
      token: MP3_TOKEN,
      userData: '{"id":12345678901234567890}',
      position: { sourceMs: 5_000, ageMs: 30 },
      endTimeMs: 9_000,
    },
    volume: 7,
    voice: VOICE,
    seq: 2,
    sent: { start: 1, exception: 0, stuck: 0, end: 0 },
  });
});

t.test(
  'a voice connection that the replacement cannot make ends in one event',
  { timeout: 10_000 },
  async (t) => {
    const main = mainNode();
    const client = new MainClient(main);
    await client.patch({ voice: VOICE });
    main.fleet.die(0);
    main.fleet.revive(0);
    await settle();
    client.socket.clear();
    main.fleet.raise(client.id(), { type: 'voiceClosed', code: 4006, reason: '', byRemote: true });
    t.strictSame(client.socket.kinds, ['WebSocketClosedEvent', 'playerUpdate']);
  },
);

type Step =
  | { readonly kind: 'play' | 'pausedPlay' | 'keep' | 'stop' | 'seek' | 'voice' | 'remove' | 'damaged' }
  | { readonly kind: 'finish' | 'fail' | 'exception' | 'repeat' | 'die' | 'revive' | 'refuse' | 'vanish' };

const steps = fc.array(
  fc.constantFrom<Step['kind']>(
    'play',
    'pausedPlay',
    'keep',
    'stop',
    'seek',
    'voice',
    'remove',
    'damaged',
    'finish',
    'fail',
    'exception',
    'repeat',
    'die',
    'revive',
    'refuse',
    'vanish',
  ),
  { minLength: 1, maxLength: 25 },
);

/** Runs the steps on one player and gives back everything its client got, over all its sockets. */
async function run(
  kinds: readonly Step['kind'][],
): Promise<{ events: Record<string, unknown>[]; afterRemove: number }> {
  const main = mainNode();
  const client = new MainClient(main);
  client.session.resuming = true;
  const { fleet } = main;
  const id = client.id();
  const sockets = [client.socket];
  let afterRemove = 0;
  const total = (): number =>
    sockets.reduce((sum, socket) => sum + socket.kinds.filter((kind) => kind.endsWith('Event')).length, 0);
  const waiting: Promise<unknown>[] = [];
  const patch = async (body: unknown, noReplace = false): Promise<void> => {
    const patched = client.patch(body, { noReplace }).catch((error: unknown) => {
      if (!(error instanceof ServerError)) throw error;
    });
    waiting.push(patched);
    // While the shards are down it waits for them.
    await Promise.race([patched, settle()]);
  };
  for (const kind of kinds) {
    const record = fleet.players.get(id);
    switch (kind) {
      case 'play':
        await patch({ encodedTrack: MP3_TOKEN });
        break;
      case 'pausedPlay':
        await patch({ encodedTrack: STREAM_TOKEN, paused: true });
        break;
      case 'keep':
        await patch({ encodedTrack: MP3_TOKEN }, true);
        break;
      case 'stop':
        await patch({ encodedTrack: null });
        break;
      case 'seek':
        await patch({ position: 100 });
        break;
      case 'voice':
        await patch({ voice: VOICE });
        break;
      case 'damaged':
        await patch({ encodedTrack: 'x' });
        break;
      case 'refuse':
        fleet.failNext.set('update', [new ServerError('PUM_SHARD_BUSY', { limit: 1 })]);
        await patch({ encodedTrack: MP3_TOKEN });
        fleet.failNext.clear();
        break;
      case 'finish':
        fleet.end(id, 'finished');
        break;
      case 'fail':
        fleet.end(id, 'loadFailed');
        break;
      case 'exception': {
        const error = new ServerError('PUM_DECODE_FAILED').toShape();
        if (record?.current)
          fleet.raise(id, {
            type: 'trackException',
            instance: record.current.instance,
            error,
            positionMs: 0,
          });
        break;
      }
      case 'repeat': {
        // A message of a placement that is over, or one that came twice.
        const body = { type: 'trackEnd', instance: 1, reason: 'finished', positionMs: 0 } as const;
        main.sessions.event({
          v: 1,
          player: id,
          session: client.session.id,
          epoch: record?.placement.epoch ?? 0,
          seq: 1,
          body,
        });
        break;
      }
      case 'die':
        fleet.die(0);
        fleet.die(1);
        break;
      case 'revive':
        fleet.revive(0);
        fleet.revive(1);
        await settle();
        break;
      case 'remove': {
        await client.remove();
        const before = total();
        main.clock.advance(20_000);
        await settle();
        afterRemove += total() - before;
        break;
      }
      case 'vanish': {
        const session = client.session;
        await client.vanish();
        client.comeBack(session.id);
        sockets.push(client.socket);
        break;
      }
    }
  }
  await client.remove();
  main.clock.advance(5_000);
  await Promise.all(waiting);
  return { events: sockets.flatMap((socket) => socket.messages), afterRemove };
}

t.test(
  'whatever happens, every start has one end, in order, and nothing follows a DELETE',
  { timeout: 60_000 },
  async (t) => {
    let starts = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (kinds) => {
        const { events, afterRemove } = await run(kinds);
        let playing = false;
        let excepted = false;
        for (const { type } of events) {
          if (type === 'TrackStartEvent') {
            if (playing) throw new Error('a start before the end of the one before');
            playing = true;
            excepted = false;
            starts++;
          } else if (type === 'TrackEndEvent') {
            if (!playing) throw new Error('an end without a start');
            playing = false;
          } else if (type === 'TrackExceptionEvent') {
            if (!playing || excepted) throw new Error('an exception of no track, or the second');
            excepted = true;
          }
        }
        if (playing) throw new Error('a start without an end');
        if (afterRemove > 0) throw new Error('an event after DELETE');
      }),
      { numRuns: 150 },
    );
    t.ok(starts > 20, 'the property was about something');
  },
);
