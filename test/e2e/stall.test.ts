// The whole process stands still for a second, several times (reliability.md case 3): the audio is late and not lost,
// nobody is flooded, nobody is told. Judged by counts.
import t from 'tap';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { tone } from '../support/signal.js';
import { stage } from '../support/stage.js';

const PLAYERS = 10;
const STALLS = 3;

t.test('a process that is stopped for a second goes on where it was', { timeout: 90_000 }, async (t) => {
  const house = await stage(t);
  const { server, voice, origin } = house;
  origin.file('/a.opus', { body: oggOpus(tone(60)), contentType: 'audio/ogg' });
  const client = await NodeClient.connect(server.port);
  t.teardown(() => {
    client.close();
  });
  const track = await client.load(origin.url('/a.opus'));
  const guilds = Array.from({ length: PLAYERS }, (_, n) => String(360_000_000_000_000_000n + BigInt(n)));
  for (const guild of guilds) {
    voice.addListener(guild);
    await client.join(guild, voice.endpoint);
    await voice.waitForDave(guild);
    await client.play(guild, track);
  }
  await Promise.all(guilds.map((guild) => voice.waitForFrames(guild, 50)));
  voice.resetCounters();
  for (let stall = 0; stall < STALLS; stall++) {
    process.kill(server.pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = guilds.map((guild) => voice.count(guild));
    process.kill(server.pid, 'SIGCONT');
    await Promise.all(guilds.map((guild, n) => voice.waitForFrames(guild, (before[n] ?? 0) + 50)));
  }
  for (const guild of guilds) {
    const report = voice.report(guild);
    t.match(report, { missing: 0, nonceReuses: 0, violations: [], resumes: 0 });
    // Three leave together; a receiver that is itself busy may read more at once.
    t.ok(
      (report?.longestBurst ?? NaN) <= 10,
      `${String(report?.longestBurst)} in a row, not the fifty that were due`,
    );
    t.same(client.events(guild), ['TrackStartEvent']);
  }
});
