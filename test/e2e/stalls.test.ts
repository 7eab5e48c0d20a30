// Threads that stand still for longer than the lead, one at a time, and the whole process (reliability.md case 3,
// decisions C8 and D9): what was sealed is late and not lost, three packets at the most leave together, and only
// where a ring ran empty do the timestamps tell of it. The voice server has a process of its own. Judged by counts.
import t from 'tap';
import { oggOpus } from '../support/fixtures.js';
import { FakeVoiceProcess } from '../support/fake-voice-process.js';
import { NodeClient } from '../support/node-client.js';
import { Origin } from '../support/origin.js';
import { PumiceProcess } from '../support/pumice-process.js';
import { ShardDeathScene } from '../support/shard-death-scene.js';
import { makeFault, SENDER_FAULT } from '../support/shard-faults.js';
import { tone } from '../support/signal.js';

const LIMIT = { timeout: 90_000 };
const PLAYERS = 6;
const STALL_MS = 1_200;
/** Packets less than 5 ms apart at the receiver, three times what may leave together. */
const TOGETHER = 9;

async function more(voice: FakeVoiceProcess, guilds: readonly string[], frames: number): Promise<void> {
  await Promise.all(
    guilds.map(async (guild) => voice.waitForFrames(guild, (await voice.count(guild)) + frames, 20_000)),
  );
}

for (const [who, shard] of [
  ['the sender', SENDER_FAULT],
  ['a shard', 0],
] as const) {
  t.test(`${who} stands still for longer than the lead: late, in order, and no flood`, LIMIT, async (t) => {
    const scene = await ShardDeathScene.start(PLAYERS);
    t.teardown(() => scene.close());
    const { node, voice, client, guilds } = scene;
    await scene.playAll();
    await voice.resetCounters();
    await more(voice, guilds, 10);
    for (let n = 0; n < 3; n++) {
      makeFault({ shard, fault: 'spin', ms: STALL_MS });
      await more(voice, guilds, 100);
    }
    for (const guild of guilds) {
      const report = await voice.report(guild);
      t.match(report, { missing: 0, duplicates: 0, nonceReuses: 0, violations: [], undecrypted: 0 });
      const { longestBurst = NaN, timestampJumps = NaN } = report ?? {};
      t.ok(longestBurst <= TOGETHER, `${String(longestBurst)} together, not the sixty that were due`);
      const ranEmpty = shard === 0 && scene.shardOf(guild) === 0;
      t.equal(timestampJumps > 0, ranEmpty, ranEmpty ? 'a gap is told' : 'the timestamps go on');
      t.same(client.events(guild), ['TrackStartEvent']);
    }
    t.match(node.fleet.senders(), [{ restarts: 0 }]);
    t.match(node.fleet.reports(), [{ restarts: 0 }, { restarts: 0 }]);
  });
}

t.test('the whole process stands still: the audio is late, not lost', LIMIT, async (t) => {
  const voice = await FakeVoiceProcess.start();
  const origin = await Origin.start();
  origin.file('/a.opus', { body: oggOpus(tone(60)), contentType: 'audio/ogg' });
  const server = await PumiceProcess.start({ ca: voice.certificate.cert });
  t.teardown(async () => {
    await server.stop();
    await origin.close();
    await voice.stop();
  });
  const client = await NodeClient.connect(server.port);
  t.teardown(() => {
    client.close();
  });
  const track = await client.load(origin.url('/a.opus'));
  const guilds = Array.from({ length: PLAYERS }, (_, n) => String(370_000_000_000_000_000n + BigInt(n)));
  for (const guild of guilds) {
    await voice.addListener(guild);
    await client.join(guild, voice.endpoint);
    await voice.waitForDave(guild);
    await client.play(guild, track);
  }
  await more(voice, guilds, 50);
  await voice.resetCounters();
  for (let n = 0; n < 5; n++) {
    process.kill(server.pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    process.kill(server.pid, 'SIGCONT');
    await more(voice, guilds, 50);
  }
  for (const guild of guilds) {
    const report = await voice.report(guild);
    t.match(report, { missing: 0, nonceReuses: 0, violations: [], resumes: 0, timestampFaults: 0 });
    const { longestBurst = NaN } = report ?? {};
    t.ok(longestBurst <= TOGETHER, `${String(longestBurst)} together, not the fifty that were due`);
    t.same(client.events(guild), ['TrackStartEvent']);
    t.equal((await voice.reports(guild)).length, 1, 'no gateway was lost');
  }
});
