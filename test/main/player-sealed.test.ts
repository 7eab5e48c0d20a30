// Claims about what a dead shard had sealed ahead, as main and its clients see it: its sender still sends that, so the
// replacement goes on behind it, and the position that a client reads runs through.
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import type { AdoptBody } from '../../src/shared/shard-commands.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, settle, VOICE } from '../support/main-node.js';

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

t.test(
  'what the dead shard has sealed is not played again, and the client sees no jump',
  LIMIT,
  async (t) => {
    const client = await playing();
    const { fleet, clock } = client.main;
    const id = client.id();
    fleet.setSealed(id, 5_400);
    fleet.die(0);
    clock.advance(100);
    t.match(client.session.players.get('1'), { positionMs: 5_000 });
    fleet.revive(0);
    await settle();
    t.match(adopted(client), [{ playing: { play: { startMs: 5_400 }, silentMs: -300 } }]);
    t.match(client.session.players.get('1'), { positionMs: 5_100 }, 'it is at 5,400 in 300 ms');
    clock.advance(250);
    t.match(client.session.players.get('1'), { positionMs: 5_350 });
    clock.advance(250);
    t.match(client.session.players.get('1'), { positionMs: 5_400 }, 'and stands there until the next frame');
  },
);

t.test('what is sealed counts only ahead of the position, and not while paused', LIMIT, async (t) => {
  const behind = await playing();
  behind.main.fleet.setSealed(behind.id(), 4_900);
  await replace(behind);
  t.match(adopted(behind), [{ playing: { play: { startMs: 5_000 }, silentMs: 0 } }]);
  const paused = await playing({ paused: true });
  paused.main.fleet.setSealed(paused.id(), 5_400);
  await replace(paused);
  t.match(adopted(paused), [{ playing: { play: { startMs: 5_000 } } }]);
  const sought = await playing();
  sought.main.fleet.setSealed(sought.id(), 5_400);
  sought.main.fleet.setPosition(sought.id(), 5_000);
  await replace(sought);
  t.match(adopted(sought), [{ playing: { play: { startMs: 5_000 } } }], 'nor what is of before a seek');
});

t.test('a second death does not bring back what the first shard had sealed', LIMIT, async (t) => {
  const client = await playing();
  const { fleet, clock } = client.main;
  fleet.setSealed(client.id(), 5_400);
  fleet.die(0);
  fleet.hold();
  fleet.revive(0);
  await settle();
  fleet.setWord(client.id(), PlayerWord.instance, 0);
  fleet.die(0);
  fleet.open();
  clock.advance(100);
  fleet.revive(0);
  await settle();
  t.match(adopted(client)[1], { playing: { play: { startMs: 5_400 }, silentMs: -300 } });
});

t.test('a living player is kept where it is, whatever lies sealed', LIMIT, async (t) => {
  const client = await playing();
  client.main.fleet.setSealed(client.id(), 5_400);
  t.match(client.session.players.get('1')?.snapshot(), { track: { position: { sourceMs: 5_000 } } });
});
