// A voice gateway ends a session in the middle of a track for a fault of ours, and another follows at once (decision
// D8): the track goes on where it was and ends with its event, with either driver. On the real server.
import t from 'tap';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { tone } from '../support/signal.js';
import { stage } from '../support/stage.js';

const GUILD = '430000000000000001';
const SECONDS = 5;

for (const driver of ['native', 'discordjs']) {
  t.test(`${driver}: a track over two voice sessions is whole and ends`, { timeout: 60_000 }, async (t) => {
    const { server, voice, origin } = await stage(t, { config: { 'pumice.voice.driver': driver } });
    origin.file('/a.opus', { body: oggOpus(tone(SECONDS)), contentType: 'audio/ogg' });
    const client = await NodeClient.connect(server.port);
    t.teardown(() => {
      client.close();
    });
    voice.addListener(GUILD);
    await client.join(GUILD, voice.endpoint);
    await voice.waitForDave(GUILD);
    await client.play(GUILD, await client.load(origin.url('/a.opus')));
    await voice.waitForFrames(GUILD, 50);
    voice.act(GUILD, { kind: 'close', code: 4020 });
    await client.waitForEvent(GUILD, 'TrackEndEvent');
    t.same(client.events(GUILD), ['TrackStartEvent', 'TrackEndEvent finished']);
    await voice.waitForSilence(GUILD);
    t.equal(voice.reports(GUILD).length, 2);
    for (const report of voice.reports(GUILD)) t.match(report, { missing: 0, violations: [] });
    const sound = voice.frames(GUILD).filter(({ silence }) => !silence).length;
    // The frame that leaves at the very moment may still reach the old session, which hears nothing any more.
    t.ok(Math.abs(sound - SECONDS * 50) <= 3, `${String(sound)} of ${String(SECONDS * 50)} frames`);
  });
}
