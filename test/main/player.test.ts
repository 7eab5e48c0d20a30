// Claims about main's record of a player where answers and events come in an awkward order.
import t from 'tap';
import { Player } from '../../src/main/player.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, VOICE } from '../support/main-node.js';

function player(): Player {
  const { fleet, clock } = mainNode();
  return new Player({ session: 's', guild: '1' }, fleet, clock);
}

t.test('of two commands the later one counts, whichever is answered first', { timeout: 10_000 }, (t) => {
  const record = player();
  const [first, second] = [record.nextOrder(), record.nextOrder()];
  record.acknowledged(second, { volume: 20 }, false);
  record.acknowledged(first, { volume: 10, paused: true, voice: VOICE }, false);
  t.match(record, { volume: 20, paused: true, voice: VOICE, voiceState: 'connecting' });
  t.end();
});

t.test(
  'an event of another placement, or one that came already, is not believed',
  { timeout: 10_000 },
  (t) => {
    const record = player();
    const track = record.newInstance({ token: MP3_TOKEN, startMs: 0, endTimeMs: null }, {});
    const { epoch } = record.placement;
    const start = {
      v: 1,
      player: record.id,
      session: 's',
      epoch,
      seq: 1,
      body: { type: 'trackStart', instance: 1 },
    } as const;
    t.strictSame(record.receive({ ...start, epoch: epoch - 1 }), []);
    t.equal(record.receive(start).length, 2);
    t.strictSame(record.receive(start), []);
    t.strictSame(record.receive({ ...start, seq: 2 }), [], 'a start is told once');
    t.equal(record.current, track);
    t.end();
  },
);

t.test('a track on its way counts for noReplace until it is refused', { timeout: 10_000 }, (t) => {
  const record = player();
  const track = record.newInstance({ token: MP3_TOKEN, startMs: null, endTimeMs: null }, {});
  t.equal(record.hasTrack, true);
  record.settled(track, 'refused');
  t.equal(record.hasTrack, false);
  t.end();
});

t.test('the end of a track that never started is not told', { timeout: 10_000 }, (t) => {
  const record = player();
  record.newInstance({ token: MP3_TOKEN, startMs: null, endTimeMs: null }, {});
  const { epoch } = record.placement;
  const body = { type: 'trackEnd', instance: 1, reason: 'loadFailed', positionMs: 0 } as const;
  t.strictSame(record.receive({ v: 1, player: record.id, session: 's', epoch, seq: 1, body }), []);
  t.end();
});

t.test(
  'user data without a track belongs to the newest one, even on its way',
  { timeout: 10_000 },
  async (t) => {
    const client = new MainClient(mainNode());
    await client.patch({ encodedTrack: MP3_TOKEN });
    const record = client.session.players.get('1');
    const next = record?.newInstance({ token: MP3_TOKEN, startMs: null, endTimeMs: null }, {});
    await client.patch({ track: { userData: { of: 'the next' } } });
    t.strictSame(next?.userData, { of: 'the next' });
    t.strictSame(record?.current?.userData, {});
  },
);
