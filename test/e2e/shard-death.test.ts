// A shard dies under twenty playing players: what its own players are told, and that nobody else hears of it.
import t, { type Test } from 'tap';
import { FloorProbe } from '../../bench/floor-probe.js';
import type { Placement } from '../../src/main/dispatch/fleet.js';
import type { ConfigValues } from '../../src/shared/config.js';
import { FakeVoiceProcess } from '../support/fake-voice-process.js';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { Origin } from '../support/origin.js';
import { startInProcess, type PumiceInProcess } from '../support/pumice-in-process.js';
import { makeFault } from '../support/shard-faults.js';
import { tone } from '../support/signal.js';

const PLAYERS = 20;
const guilds = Array.from({ length: PLAYERS }, (_, n) => String(300_000_000_000_000_000n + BigInt(n)));

interface House {
  readonly node: PumiceInProcess;
  readonly voice: FakeVoiceProcess;
  readonly client: NodeClient;
  readonly track: string;
}

async function house(t: Pick<Test, 'teardown'>, config: Partial<ConfigValues> = {}): Promise<House> {
  const voice = await FakeVoiceProcess.start({ openEvery: 5 });
  const origin = await Origin.start();
  origin.file('/a.opus', { body: oggOpus(tone(40)), contentType: 'audio/ogg' });
  const node = await startInProcess({ ca: voice.certificate.cert, shards: 2, config });
  const client = await NodeClient.connect(node.port);
  t.teardown(async () => {
    client.close();
    await node.close();
    await origin.close();
    await voice.stop();
  });
  return { node, voice, client, track: await client.load(origin.url('/a.opus')) };
}

/** Shard of each guild's player. */
function shardsOf(node: PumiceInProcess, client: NodeClient): Map<string, number> {
  const placed = new Map<string, number>();
  for (const guild of guilds) {
    const placement: Placement | null = node.fleet.placementOf(`${client.session}:${guild}`);
    if (placement) placed.set(guild, placement.shard);
  }
  return placed;
}

/** Frames heard so far, each with the moment of its counting. */
async function countsOf(
  voice: FakeVoiceProcess,
  of: readonly string[],
): Promise<{ frames: number; at: number }[]> {
  const counts: { frames: number; at: number }[] = [];
  for (const guild of of) counts.push({ frames: await voice.count(guild), at: performance.now() });
  return counts;
}

async function playAll({ client, voice, track }: House): Promise<void> {
  await Promise.all(
    guilds.map(async (guild) => {
      await voice.addListener(guild);
      await client.join(guild, voice.endpoint);
      await voice.waitForDave(guild, 20_000);
      await client.play(guild, track, { volume: 100 });
    }),
  );
}

t.test(
  'a shard killed by a throw costs its own players their track and the others nothing',
  { timeout: 90_000 },
  async (t) => {
    const stage = await house(t);
    const { node, voice, client, track } = stage;
    await playAll(stage);
    const placed = shardsOf(node, client);
    const theirs = guilds.filter((guild) => placed.get(guild) === 0);
    const others = guilds.filter((guild) => placed.get(guild) === 1);
    t.ok(
      Math.abs(theirs.length - PLAYERS / 2) <= 2,
      `${String(theirs.length)} of ${String(PLAYERS)} on shard 0`,
    );
    await client.patch(theirs[0] ?? '', { volume: 73, filters: { volume: 0.5 } });
    await Promise.all(guilds.map((guild) => voice.waitForFrames(guild, 100)));

    const before = await countsOf(voice, others);
    const probe = new FloorProbe();
    const began = performance.now();
    setTimeout(() => {
      makeFault({ shard: 0, fault: 'throw' });
    }, 2_000);
    await Promise.all(theirs.map((guild) => client.waitForEvent(guild, 'TrackEndEvent')));
    const seenAfter = performance.now() - began - 2_000;
    t.ok(seenAfter < 1_000, `the death is told ${seenAfter.toFixed(0)} ms after the command`);
    await Promise.all(theirs.map((guild) => voice.waitForIdentify(guild, 2)));
    await new Promise((resolve) => setTimeout(resolve, began + 10_000 - performance.now()));
    const after = await countsOf(voice, others);
    const floor = await probe.stop();
    for (const [n, guild] of others.entries()) {
      const frames = (after[n]?.frames ?? 0) - (before[n]?.frames ?? 0);
      const seconds = ((after[n]?.at ?? 0) - (before[n]?.at ?? 0)) / 1_000;
      t.ok(Math.abs(frames - seconds * 50) <= 3, `${String(frames)} frames in ${seconds.toFixed(2)} s`);
      const report = await voice.report(guild);
      t.match(report, { missing: 0, violationCount: 0, timestampJumps: 0, resumes: 0 });
      t.ok((report?.lateness.max ?? Infinity) <= 60 + floor.max, `latest ${String(report?.lateness.max)} ms`);
      t.same(client.events(guild), ['TrackStartEvent']);
    }

    for (const guild of theirs) {
      t.same(
        client.events(guild),
        ['TrackStartEvent', 'TrackExceptionEvent', 'TrackEndEvent loadFailed'],
        'once each',
      );
    }
    const kept = await client.must('GET', client.player(theirs[0] ?? ''));
    t.match(kept, { volume: 73, filters: { volume: 0.5 }, track: null, state: { connected: true } });

    await Promise.all(theirs.map((guild) => voice.waitForDave(guild, 20_000)));
    await Promise.all(theirs.map((guild) => client.play(guild, track)));
    await Promise.all(
      theirs.map(async (guild) => voice.waitForFrames(guild, (await voice.count(guild)) + 50)),
    );
    for (const guild of theirs) {
      t.same(
        client.events(guild).slice(3),
        ['TrackStartEvent'],
        'it plays again, and no WebSocketClosedEvent came',
      );
      t.match(await voice.report(guild), { missing: 0, violationCount: 0 });
    }
    t.match(node.fleet.reports(), [{ restarts: 1 }, { restarts: 0 }]);
    t.equal(node.gaveUp(), 0);
  },
);

t.test(
  'a voice server that refuses the replacement is a WebSocketClosedEvent',
  { timeout: 60_000 },
  async (t) => {
    const { node, voice, client, track } = await house(t, { 'pumice.shards.heapLimit': 64 * 1_048_576 });
    const guild = guilds[0] ?? '';
    await client.join(guild, voice.endpoint);
    await client.play(guild, track);
    await voice.waitForFrames(guild, 25);
    await voice.script({ closeAt: { moment: 'identify', code: 4_006 } }, { guildId: guild, times: 2 });
    const shard = node.fleet.placementOf(`${client.session}:${guild}`)?.shard ?? 0;
    makeFault({ shard, fault: 'exit' });
    const closed = await client.waitForEvent(guild, 'WebSocketClosedEvent');
    t.match(closed, { code: 4_006, byRemote: true });
    t.same(client.events(guild), [
      'TrackStartEvent',
      'TrackExceptionEvent',
      'TrackEndEvent loadFailed',
      'WebSocketClosedEvent',
    ]);
  },
);

for (const fault of ['reject', 'oom'] as const) {
  t.test(`a shard that ends by ${fault} is replaced as well`, { timeout: 60_000 }, async (t) => {
    const { node, voice, client, track } = await house(t, { 'pumice.shards.heapLimit': 64 * 1_048_576 });
    const guild = guilds[0] ?? '';
    await client.join(guild, voice.endpoint);
    await client.play(guild, track);
    await voice.waitForFrames(guild, 25);
    const shard = node.fleet.placementOf(`${client.session}:${guild}`)?.shard ?? 0;
    makeFault({ shard, fault });
    await client.waitForEvent(guild, 'TrackEndEvent', 1, 30_000);
    await voice.waitForIdentify(guild, 2, 20_000);
    await client.play(guild, track);
    await voice.waitForFrames(guild, (await voice.count(guild)) + 25);
    t.same(client.events(guild), [
      'TrackStartEvent',
      'TrackExceptionEvent',
      'TrackEndEvent loadFailed',
      'TrackStartEvent',
    ]);
    const old = node.fleet.reports()[shard];
    t.match(old, { restarts: 1, up: true });
  });
}
