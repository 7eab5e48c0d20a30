// Twenty players on two shards, one of which dies: the scene that the test judges by counts and the bench by the
// clock. The server runs in this process, so that its shards can be told to misbehave; the voice server does not.
import { FloorProbe, type Floor } from '../../bench/floor-probe.js';
import type { ConfigValues } from '../../src/shared/config.js';
import { FakeVoiceProcess } from './fake-voice-process.js';
import type { FakeVoiceOptions } from './voice-options.js';
import { oggOpus } from './fixtures.js';
import { NodeClient } from './node-client.js';
import { Origin } from './origin.js';
import { startInProcess, type PumiceInProcess } from './pumice-in-process.js';
import { makeFault, type FaultCommand } from './shard-faults.js';
import { tone, withNoise } from './signal.js';

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

/** What one player of the shard that died got. */
export interface Returned {
  readonly guild: string;
  /** Milliseconds between the last frame of the old connection and the first of the new one, at the receiver. */
  readonly gap: number;
  /** Milliseconds of sound that came twice (below zero: that never came), by the player's position. */
  readonly repeated: number;
  readonly missing: number;
  readonly violations: number;
}

export interface DeathReport {
  readonly returned: readonly Returned[];
  readonly survivors: readonly Survivor[];
  /** Milliseconds from the command to the moment at which the fleet knew. */
  readonly noticedAfter: number;
  readonly floor: Floor;
}

/** The window of a killing, in which the others' frames are counted, in milliseconds. */
const WINDOW_MS = 10_000;
const KILL_AFTER_MS = 2_000;
const FRAME_MS = 20;
/** How long a spinning shard spins: for ever, as far as a test is concerned. */
const SPIN_MS = 60_000;
const RETURN_LIMIT_MS = 20_000;

export class ShardDeathScene {
  readonly guilds: readonly string[];
  readonly node: PumiceInProcess;
  readonly voice: FakeVoiceProcess;
  readonly client: NodeClient;
  readonly track: string;
  readonly #origin: Origin;
  /** Frames heard before the counters were reset. */
  readonly #uncounted = new Map<string, number>();

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

  static async start(
    players: number,
    config: Partial<ConfigValues> = {},
    shards = 2,
    options: Partial<FakeVoiceOptions> = { openEvery: 5 },
  ): Promise<ShardDeathScene> {
    const voice = await FakeVoiceProcess.start(options);
    const origin = await Origin.start();
    origin.file('/a.opus', { body: oggOpus(withNoise(tone(40))), contentType: 'audio/ogg' });
    const node = await startInProcess({ ca: voice.certificate.cert, shards, config });
    const client = await NodeClient.connect(node.port);
    const track = await client.load(origin.url('/a.opus'));
    const guilds = Array.from({ length: players }, (_, n) => String(300_000_000_000_000_000n + BigInt(n)));
    return new ShardDeathScene({ guilds, node, voice, client, track, origin });
  }

  /** The file that everybody plays cannot be had any more. */
  loseTrack(): void {
    this.#origin.file('/a.opus', { status: 404, body: Buffer.alloc(0), contentType: 'text/plain' });
  }

  shardOf(guild: string): number {
    return this.node.fleet.placementOf(`${this.client.session}:${guild}`)?.shard ?? -1;
  }

  senderOf(guild: string): number {
    return this.node.fleet.placementOf(`${this.client.session}:${guild}`)?.sender ?? -1;
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

  /** Shard 0 dies two seconds into a window of that length, or a longer one where its players take longer. */
  async killOne(fault: FaultCommand['fault'] = 'throw', windowMs = WINDOW_MS): Promise<DeathReport> {
    const { voice } = this;
    const theirs = this.guilds.filter((guild) => this.shardOf(guild) === 0);
    const others = this.guilds.filter((guild) => this.shardOf(guild) === 1);
    for (const guild of theirs) this.#uncounted.set(guild, await voice.count(guild));
    await voice.resetCounters();
    const before = await this.#counts(others);
    const probe = new FloorProbe();
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS));
    const noticedAfter = await this.kill(0, fault);
    await Promise.all(theirs.map((guild) => this.waitForReturn(guild)));
    await new Promise((resolve) => setTimeout(resolve, began + windowMs - performance.now()));
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
    const returned: Returned[] = [];
    for (const guild of theirs) returned.push(await this.#returned(guild));
    return { returned, survivors, noticedAfter, floor };
  }

  /** Resolves with the milliseconds that it took the fleet to notice. */
  async kill(shard: number, fault: FaultCommand['fault']): Promise<number> {
    const { fleet } = this.node;
    const deaths = fleet.reports()[shard]?.restarts ?? 0;
    const began = performance.now();
    makeFault({ shard, fault, ms: SPIN_MS });
    while ((fleet.reports()[shard]?.restarts ?? 0) === deaths) {
      if (performance.now() - began > RETURN_LIMIT_MS) throw new Error('nobody noticed');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return performance.now() - began;
  }

  /** A second of it was heard over its new connection. */
  async waitForReturn(guild: string): Promise<void> {
    const { voice } = this;
    const session = await voice.waitForIdentify(guild, 2, RETURN_LIMIT_MS);
    const until = performance.now() + RETURN_LIMIT_MS;
    for (;;) {
      const report = await voice.report(session);
      if ((report?.packets ?? 0) >= 50) return;
      if (performance.now() > until) throw new Error(`${guild} does not play on`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #returned(guild: string): Promise<Returned> {
    const { voice } = this;
    const [old, young] = await voice.reports(guild);
    return {
      guild,
      gap: (young?.firstAt ?? NaN) - (old?.lastAt ?? NaN),
      repeated: await this.#repeated(guild),
      missing: (old?.missing ?? NaN) + (young?.missing ?? NaN),
      violations: (old?.violationCount ?? NaN) + (young?.violationCount ?? NaN),
    };
  }

  /** Everything that was heard since the start of the track, against its position before and after the counting. */
  async #repeated(guild: string): Promise<number> {
    const least = await this.positionOf(guild);
    const heard = (this.#uncounted.get(guild) ?? 0) + (await this.voice.count(guild));
    const most = await this.positionOf(guild);
    const ms = heard * FRAME_MS;
    return ms > most ? ms - most : Math.min(0, ms - least);
  }

  async positionOf(guild: string): Promise<number> {
    const { state } = (await this.client.must('GET', this.client.player(guild))) as {
      state: { position: number };
    };
    return state.position;
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
