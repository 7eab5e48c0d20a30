// Somebody sets the wall clock while players play (reliability.md case 5): of all that the main thread tells, only
// the times it tells change. Frame statistics, positions and the wait for a client to resume are unaffected.
import t from 'tap';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN } from '../support/main-node.js';

const LIMIT = { timeout: 10_000 };
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const FRAMES_PER_SECOND = 50;

for (const jump of [HOUR, -HOUR, 20 * SECOND, -20 * SECOND]) {
  t.test(`frame statistics bear a jump of ${String(jump / SECOND)} s`, LIMIT, async (t) => {
    const main = mainNode();
    const client = new MainClient(main);
    await client.patch({ encodedTrack: MP3_TOKEN });
    let sent = 0;
    const play = (seconds: number): void => {
      for (let n = 0; n < seconds; n++) {
        main.clock.advance(SECOND);
        main.fleet.setWord(client.id(), PlayerWord.sent, (sent += FRAMES_PER_SECOND));
      }
    };
    play(185);
    t.ok(client.session.frameStats() !== null, 'it counts before');
    main.clock.jumpWall(jump);
    for (let n = 0; n < 20; n++) {
      play(15);
      const stats = client.session.frameStats();
      t.ok(stats !== null, 'it counts after');
      // The second that is just being counted may fall on either side of a minute.
      t.ok(Math.abs(stats?.deficit ?? NaN) <= FRAMES_PER_SECOND, `a deficit of ${String(stats?.deficit)}`);
    }
  });

  t.test(
    `a player who has just begun does not count for a jump of ${String(jump / SECOND)} s`,
    LIMIT,
    async (t) => {
      const main = mainNode();
      const client = new MainClient(main);
      main.clock.advance(200 * SECOND);
      await client.patch({ encodedTrack: MP3_TOKEN });
      main.clock.advance(10 * SECOND);
      main.clock.jumpWall(jump);
      t.equal(client.session.frameStats(), null);
      main.clock.advance(20 * SECOND);
      t.equal(client.session.frameStats(), null);
    },
  );
}
