// A shard dies with a part of the track sealed ahead: what its sender still sends is not played again, what nobody
// sends any more is, and the position that the client reads goes on as if nothing had happened. Judged by the bytes
// of the frames that were heard.
import t from 'tap';
import type { ConfigValues } from '../../src/shared/config.js';
import { ShardDeathScene } from '../support/shard-death-scene.js';
import { makeFault } from '../support/shard-faults.js';

const LIMIT = { timeout: 90_000 };
const FRAME_MS = 20;
/** Frames that may be heard twice, or lost: one in the sender's hands, and what the counting cannot tell apart. */
const MAY_DIFFER = 3;
/** Milliseconds. Who reads without a pause keeps the replacement from starting. */
const READ_EVERY = 40;
/** Milliseconds by which a sender that was held up may catch up, threefold. */
const CATCH_UP = 180;

const CASES: readonly (readonly [string, 'throw' | 'exit', Partial<ConfigValues>])[] = [
  ['with a sender thread', 'throw', {}],
  // The longest lead outlasts the making of the replacement, which waits for it: its Identify ends the old session.
  ['whose ring outlasts the start of its successor', 'exit', { 'lavalink.server.bufferDurationMs': 1_000 }],
  ['that sends by itself', 'exit', { 'pumice.performance.senderThreads': 'off' }],
  ['of discordjs', 'exit', { 'pumice.voice.driver': 'discordjs' }],
];

for (const [what, fault, config] of CASES) {
  t.test(`at the death of a shard ${what} nothing is heard twice and nothing is lost`, LIMIT, async (t) => {
    const scene = await ShardDeathScene.start(2, config, 2, { openEvery: 1, keepFrames: 5_000 });
    t.teardown(() => scene.close());
    const { client, voice, guilds } = scene;
    for (const guild of guilds) {
      await client.join(guild, voice.endpoint);
      await client.play(guild, scene.track);
    }
    const guild = guilds.find((one) => scene.shardOf(one) === 0) ?? '';
    await voice.waitForFrames(guild, 75);

    const readings: { readonly at: number; readonly positionMs: number }[] = [];
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        const at = performance.now();
        readings.push({ at, positionMs: await scene.positionOf(guild) });
        await new Promise((resolve) => setTimeout(resolve, READ_EVERY));
      }
    })();
    makeFault({ shard: 0, fault });
    await scene.waitForReturn(guild);
    isOver = true;
    await watching;

    await client.patch(guild, { paused: true });
    await voice.waitForSilence(guild);
    const { distinct, repeated } = await voice.call('heard', guild);
    const reached = (await scene.positionOf(guild)) / FRAME_MS;
    t.ok(repeated <= MAY_DIFFER, `${String(repeated)} frames came twice`);
    const lost = reached - distinct;
    t.ok(Math.abs(lost) <= MAY_DIFFER, `${String(lost)} of ${String(reached)} frames never came`);

    const [first = { at: 0, positionMs: 0 }] = readings;
    let back = 0;
    let ahead = 0;
    for (const [n, { at, positionMs }] of readings.entries()) {
      const before = readings[n - 1] ?? first;
      back = Math.max(back, before.positionMs - positionMs);
      // Asked at `at`, answered before the next question: what went by meanwhile may be in it.
      const answered = readings[n + 1]?.at ?? at + READ_EVERY;
      ahead = Math.max(ahead, positionMs - first.positionMs - (answered - first.at));
    }
    t.equal(back, 0, 'the position that a client reads never goes back');
    t.ok(ahead <= CATCH_UP, `and runs ${ahead.toFixed(0)} ms ahead of the sound at most`);
    t.ok(readings.length > 10);
    t.same(client.events(guild), ['TrackStartEvent']);
  });
}
