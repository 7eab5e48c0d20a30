// What a bench under load stands on: an origin, the voice server and the node, each in a process of its own, and a
// client whose guilds join, end-to-end encrypted, and play. Called by the benches; measures nothing.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FakeVoiceProcess } from '../test/support/fake-voice-process.js';
import type { FakeVoiceOptions } from '../test/support/fake-voice.js';
import { NodeClient } from '../test/support/node-client.js';
import { PumiceProcess } from '../test/support/pumice-process.js';
import { bytesPerSecond, contentsOf, tracks, type TrackFormat } from './tracks.js';

export interface StageOptions {
  readonly format: TrackFormat;
  /** Tracks with an address of their own. */
  readonly tracks: number;
  /** How long each of them plays at least. */
  readonly seconds: number;
  /** Further configuration of the node, as dotted paths. */
  readonly config?: Record<string, unknown>;
  /** Arguments for the node's own Node. */
  readonly execArgv?: readonly string[];
  readonly voice?: Partial<FakeVoiceOptions>;
}

/** Joins under way at once: each costs both sides a handshake. */
const CONCURRENT_JOINS = 4;
/** Players that begin to play in a second. */
export const STARTS_PER_SECOND = 25;
/** Lengths of tracks are rounded up to that, so that runs of much the same length share their tracks. */
const LENGTH_STEP = 15;
const OPEN_EVERY = 25;
const DAVE_MS = 20_000;
const FIRST_GUILD = 300_000_000_000_000_000n;

export class Stage {
  readonly voice: FakeVoiceProcess;
  readonly server: PumiceProcess;
  readonly client: NodeClient;
  /** Of the tracks, on average; NaN without any. */
  readonly trackBytesPerSecond: number;
  readonly #format: TrackFormat;
  readonly #origin: { readonly child: ChildProcess; readonly port: number };

  private constructor(
    parts: Pick<Stage, 'voice' | 'server' | 'client' | 'trackBytesPerSecond'>,
    format: TrackFormat,
    origin: { readonly child: ChildProcess; readonly port: number },
  ) {
    this.voice = parts.voice;
    this.server = parts.server;
    this.client = parts.client;
    this.trackBytesPerSecond = parts.trackBytesPerSecond;
    this.#format = format;
    this.#origin = origin;
  }

  static async start(options: StageOptions): Promise<Stage> {
    const { format } = options;
    const length = Math.ceil(options.seconds / LENGTH_STEP) * LENGTH_STEP;
    const folder = await tracks(format, options.tracks, length);
    const origin = await startOrigin([folder, format, String(options.tracks), String(contentsOf(length))]);
    const voice = await FakeVoiceProcess.start({
      keepFrames: 0,
      openEvery: OPEN_EVERY,
      udpThreads: 1,
      speakingGraceMs: 5_000,
      ...options.voice,
    });
    try {
      const server = await PumiceProcess.start({
        ca: voice.certificate.cert,
        config: options.config ?? {},
        execArgv: options.execArgv ?? [],
      });
      const client = await NodeClient.connect(server.port);
      const trackBytesPerSecond = await bytesPerSecond(folder, format, options.tracks, length);
      return new Stage({ voice, server, client, trackBytesPerSecond }, format, origin);
    } catch (error) {
      await voice.stop();
      origin.child.disconnect();
      throw error;
    }
  }

  /** Processes that belong to the bench and not to what is measured. */
  get ownPids(): ReadonlySet<number> {
    return new Set([process.pid, this.voice.pid, this.#origin.child.pid ?? 0]);
  }

  /** Guilds by number, from `from` up to and without `to`. */
  guilds(from: number, to: number): string[] {
    return Array.from({ length: to - from }, (_, n) => String(FIRST_GUILD + BigInt(from + n)));
  }

  /** A call with one listener, who is in the DAVE group with the bot when this resolves. */
  async join(guild: string): Promise<void> {
    await this.voice.addListener(guild);
    await this.client.join(guild, this.voice.endpoint);
    await this.voice.waitForDave(guild, DAVE_MS);
  }

  async joinAll(guilds: readonly string[]): Promise<void> {
    await inTurns(guilds, (guild) => this.join(guild));
  }

  /** Each its own track, begun one after the other, so that no two are at the same place at the same time. */
  async playAll(guilds: readonly string[]): Promise<void> {
    const encoded = new Map<string, string>();
    await inTurns(guilds, async (guild) => {
      encoded.set(guild, await this.client.load(this.#track(guild)));
    });
    const acts: Promise<unknown>[] = [];
    const began = performance.now();
    for (const [n, guild] of guilds.entries()) {
      await pause(began + (n * 1_000) / STARTS_PER_SECOND - performance.now());
      acts.push(this.client.play(guild, encoded.get(guild) ?? ''));
    }
    await Promise.all(acts);
  }

  async close(): Promise<void> {
    this.client.close();
    await this.server.stop();
    await this.voice.stop();
    this.#origin.child.disconnect();
  }

  #track(guild: string): string {
    const n = String(BigInt(guild) - FIRST_GUILD);
    return `http://127.0.0.1:${String(this.#origin.port)}/${n}.${this.#format}`;
  }
}

/** A few at once, in order. */
export async function inTurns<Item>(
  items: Iterable<Item>,
  act: (item: Item) => Promise<unknown>,
  atOnce = CONCURRENT_JOINS,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const one = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

async function startOrigin(args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL('./origin-child.js', import.meta.url)), args);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}
