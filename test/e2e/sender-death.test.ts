// A sender thread dies, or hangs, under playing players: its rings are handed to a successor and the players go on
// (decision C11; reliability.md cases 7 and 9 for senders). Judged by counts.
import t from 'tap';
import type { FakeVoiceProcess } from '../support/fake-voice-process.js';
import { ShardDeathScene } from '../support/shard-death-scene.js';
import { makeFault, SENDER_FAULT } from '../support/shard-faults.js';

const LIMIT = { timeout: 90_000 };
const PLAYERS = 6;

async function more(voice: FakeVoiceProcess, guilds: readonly string[], frames: number): Promise<void> {
  await Promise.all(
    guilds.map(async (guild) => voice.waitForFrames(guild, (await voice.count(guild)) + frames, 20_000)),
  );
}

for (const fault of ['throw', 'exit', 'spin'] as const) {
  t.test(
    `a sender that ends by ${fault} is replaced, and at most one packet of it is lost`,
    LIMIT,
    async (t) => {
      const scene = await ShardDeathScene.start(PLAYERS);
      t.teardown(() => scene.close());
      const { node, voice, client, guilds } = scene;
      await scene.playAll();
      await voice.resetCounters();
      makeFault({ shard: SENDER_FAULT, fault, ms: 60_000 });
      await more(voice, guilds, 100);
      let lost = 0;
      for (const guild of guilds) {
        const report = await voice.report(guild);
        t.match(report, { nonceReuses: 0, duplicates: 0, reordered: 0, undecrypted: 0 });
        lost += report?.missing ?? NaN;
        t.same(client.events(guild), ['TrackStartEvent'], 'nobody is told, for nothing has ended');
      }
      t.ok(lost <= 1, `${String(lost)} packets lost`);
      t.match(node.fleet.senders(), [{ restarts: 1 }]);
      t.match(node.fleet.reports(), [{ restarts: 0 }, { restarts: 0 }]);
      const guild = guilds[0] ?? '';
      await client.patch(guild, { track: { encoded: null } });
      await voice.waitForSilence(guild);
      await voice.waitForSpeaking(guild, false);
      t.equal(node.gaveUp(), 0);
    },
  );
}

t.test(
  'of two senders one hangs: it is replaced, its players play on, and the others of the same shard never stop',
  LIMIT,
  async (t) => {
    const scene = await ShardDeathScene.start(PLAYERS, { 'pumice.performance.senderThreads': 2 }, 1);
    t.teardown(() => scene.close());
    const { node, voice, client, guilds } = scene;
    await scene.playAll();
    const [others, theirs] = [0, 1].map((sender) =>
      guilds.filter((guild) => scene.senderOf(guild) === sender),
    );
    if (!others || !theirs) throw new Error('no players');
    t.same([others.length, theirs.length], [PLAYERS / 2, PLAYERS / 2], 'one shard, spread over both');
    t.ok(node.fleet.senders().every(({ sent }) => sent > 0));
    await voice.resetCounters();
    makeFault({ shard: SENDER_FAULT + 1, fault: 'spin', ms: 60_000 });
    await more(voice, others, 50);
    const heard = await Promise.all(theirs.map((guild) => voice.count(guild)));
    t.ok(
      heard.every((frames) => frames < 25),
      `${heard.join()} of the other sender's players`,
    );
    await more(voice, theirs, 100);
    let lost = 0;
    for (const guild of guilds) {
      const report = await voice.report(guild);
      t.match(report, { nonceReuses: 0, duplicates: 0, reordered: 0, undecrypted: 0 });
      const missing = report?.missing ?? NaN;
      if (others.includes(guild)) t.equal(missing, 0);
      lost += missing;
      t.same(client.events(guild), ['TrackStartEvent'], 'nobody is told, for nothing has ended');
    }
    t.ok(lost <= 1, `${String(lost)} packets lost`);
    t.match(node.fleet.senders(), [{ restarts: 0 }, { restarts: 1 }]);
    t.match(node.fleet.reports(), [{ restarts: 0 }]);
    t.equal(node.gaveUp(), 0);
  },
);

t.test(
  'after a stall of the sender at most three packets leave together, and none is lost',
  LIMIT,
  async (t) => {
    const scene = await ShardDeathScene.start(2);
    t.teardown(() => scene.close());
    const { voice, client, guilds } = scene;
    await scene.playAll();
    await voice.resetCounters();
    makeFault({ shard: SENDER_FAULT, fault: 'spin', ms: 1_000 });
    await more(voice, guilds, 100);
    for (const guild of guilds) {
      t.match(await voice.report(guild), { missing: 0, violationCount: 0 }, 'late is not lost');
      t.same(client.events(guild), ['TrackStartEvent']);
    }
    t.ok((scene.node.fleet.senders()[0]?.maxLatenessMs ?? 0) > 500, 'it did hang');
  },
);
