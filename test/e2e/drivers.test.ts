// What an operator may choose of the way to the voice servers: with each choice a bot's own client is heard,
// end-to-end encrypted, to the last frame.
import t from 'tap';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { packetsOf, soundOf } from '../support/opus-packets.js';
import { tone } from '../support/signal.js';
import { stage } from '../support/stage.js';

const GUILD = '350000000000000001';

const CHOICES = {
  'our own driver, one sender': {},
  'our own driver, two senders': { 'pumice.performance.senderThreads': 2 },
  'our own driver, sending from the shards': { 'pumice.performance.senderThreads': 'off' },
  'the shortest lead': { 'lavalink.server.bufferDurationMs': 40 },
  'the longest lead': { 'lavalink.server.bufferDurationMs': 1_000 },
  'the driver over @discordjs/voice': { 'pumice.voice.driver': 'discordjs' },
} as const;

for (const [name, config] of Object.entries(CHOICES)) {
  t.test(`a track is heard whole with ${name}`, { timeout: 60_000 }, async (t) => {
    const house = await stage(t, { config });
    const song = oggOpus(tone(3));
    house.origin.file('/a.opus', { body: song, contentType: 'audio/ogg' });
    house.voice.addListener(GUILD);
    const client = await NodeClient.connect(house.server.port);
    t.teardown(() => {
      client.close();
    });
    const track = await client.load(house.origin.url('/a.opus'));
    await client.join(GUILD, house.voice.endpoint);
    await house.voice.waitForDave(GUILD);
    await client.play(GUILD, track);
    await client.waitForEvent(GUILD, 'TrackEndEvent');
    await house.voice.waitForSilence(GUILD);
    await house.voice.waitForSpeaking(GUILD, false);
    t.same(client.events(GUILD), ['TrackStartEvent', 'TrackEndEvent finished']);
    const heard = soundOf(house.voice.frames(GUILD));
    const packets = await packetsOf(song);
    t.equal(heard.length, packets.length);
    t.ok(
      heard.every((frame, at) => frame.equals(packets[at] ?? Buffer.alloc(0))),
      'byte for byte',
    );
    t.match(house.voice.report(GUILD), { missing: 0, violations: [], plainWhileActive: 0 });
  });
}
