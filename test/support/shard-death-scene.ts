// Twenty players on two shards, one of which dies: the scene that the test judges by counts and the bench by the
// clock. The server runs in this process, so that its shards can be told to misbehave; the voice server does not.
import { FloorProbe, type Floor } from '../../bench/floor-probe.js';
import type { ConfigValues } from '../../src/shared/config.js';
import { FakeVoiceProcess } from './fake-voice-process.js';
import { oggOpus } from './fixtures.js';
import { NodeClient } from './node-client.js';
import { Origin } from './origin.js';
import { startInProcess, type PumiceInProcess } from './pumice-in-process.js';
import { makeFault } from './shard-faults.js';
import { tone } from './signal.js';

/** What one player of the shard that lives on got in the window. */
export interface Survivor {
  readonly guild: string;
  readonly frames: number;
  readonly seconds: number;
  readonly missing: number;
  readonly violations: number;
  readonly timestampJumps: number;
  /** Milliseconds off its 20 ms grid at worst. */
  readonly latest: number;
}

export interface DeathReport {
  readonly theirs: readonly string[];
  readonly survivors: readonly Survivor[];
  /** Milliseconds from the command to the last TrackEndEvent of its players. */
  readonly toldAfter: number;
  readonly floor: Floor;
}

const WINDOW_MS = 10_000;
const KILL_AFTER_MS = 2_000;

export class ShardDeathScene {
  readonly guilds: readonly string[];
  readonly node: PumiceInProcess;
  readonly voice: FakeVoiceProcess;
  readonly client: NodeClient;
  readonly track: string;
  readonly #origin: Origin;

  private constructor(
    parts: Pick<ShardDeathScene, 'guilds' | 'node' | 'voice' | 'client' | 'track'> & { origin: Origin },
  ) {
    this.guilds = parts.guilds;
    this.node = parts.node;
    this.voice = parts.voice;
    this.client = parts.client;
    this.track = parts.track;
    this.#origin = parts.origin;
  }

  static async start(players: number, config: Partial<ConfigValues> = {}): Promise<ShardDeathScene> {
    const voice = await FakeVoiceProcess.start({ openEvery: 5 });
    const origin = await Origin.start();
    origin.file('/a.opus', { body: oggOpus(tone(40)), contentType: 'audio/ogg' });
    const node = await startInProcess({ ca: voice.certificate.cert, shards: 2, config });
    const client = await NodeClient.connect(node.port);
    const track = await client.load(origin.url('/a.opus'));
    const guilds = Array.from({ length: players }, (_, n) => String(300_000_000_000_000_000n + BigInt(n)));
    return new ShardDeathScene({ guilds, node, voice, client, track, origin });
  }

  shardOf(guild: string): number {
    return this.node.fleet.placementOf(`${this.client.session}:${guild}`)?.shard ?? -1;
  }

  /** Joins, end-to-end encrypted, and plays; resolves when two seconds of each were heard. */
  async playAll(): Promise<void> {
    const { client, voice, track } = this;
    await Promise.all(
      this.guilds.map(async (guild) => {
        await voice.addListener(guild);
        await client.join(guild, voice.endpoint);
        await voice.waitForDave(guild, 20_000);
        await client.play(guild, track);
        await voice.waitForFrames(guild, 100);
      }),
    );
  }

  /** Kills shard 0 by an uncaught exception, in the middle of a window of ten seconds. */
  async killOne(): Promise<DeathReport> {
    const { voice, client } = this;
    const theirs = this.guilds.filter((guild) => this.shardOf(guild) === 0);
    const others = this.guilds.filter((guild) => this.shardOf(guild) === 1);
    await voice.resetCounters();
    const before = await this.#counts(others);
    const probe = new FloorProbe();
    const began = performance.now();
    setTimeout(() => {
      makeFault({ shard: 0, fault: 'throw' });
    }, KILL_AFTER_MS);
    await Promise.all(theirs.map((guild) => client.waitForEvent(guild, 'TrackEndEvent')));
    const toldAfter = performance.now() - began - KILL_AFTER_MS;
    await Promise.all(theirs.map((guild) => voice.waitForIdentify(guild, 2)));
    await new Promise((resolve) => setTimeout(resolve, began + WINDOW_MS - performance.now()));
    const after = await this.#counts(others);
    const floor = await probe.stop();
    const survivors: Survivor[] = [];
    for (const [n, guild] of others.entries()) {
      const report = await voice.report(guild);
      survivors.push({
        guild,
        frames: (after[n]?.frames ?? 0) - (before[n]?.frames ?? 0),
        seconds: ((after[n]?.at ?? 0) - (before[n]?.at ?? 0)) / 1_000,
        missing: report?.missing ?? NaN,
        violations: report?.violationCount ?? NaN,
        timestampJumps: report?.timestampJumps ?? NaN,
        latest: report?.lateness.max ?? NaN,
      });
    }
    return { theirs, survivors, toldAfter, floor };
  }

  async close(): Promise<void> {
    this.client.close();
    await this.node.close();
    await this.#origin.close();
    await this.voice.stop();
  }

  /** Frames heard so far, each with the moment of its counting. */
  async #counts(guilds: readonly string[]): Promise<{ frames: number; at: number }[]> {
    const counts: { frames: number; at: number }[] = [];
    for (const guild of guilds) counts.push({ frames: await this.voice.count(guild), at: performance.now() });
    return counts;
  }
}
