// One measurement of a node under a number of players: everything started fresh, warmed up, measured over a
// window, and stopped. Called by capacity.ts.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FakeVoiceProcess } from '../test/support/fake-voice-process.js';
import { NodeClient } from '../test/support/node-client.js';
import { PumiceProcess } from '../test/support/pumice-process.js';
import { FloorProbe, type Floor } from './floor-probe.js';
import { cpuOf, cpuOfAll, pssOf } from './process-usage.js';
import { senderCounts, senderLateness, since, type SenderLateness } from './sender-counts.js';
import { tracks, type TrackFormat } from './tracks.js';
import { delivered, judge, type Verdict } from './verdict.js';

export interface CapacityOptions {
  readonly format: TrackFormat;
  readonly players: number;
  /** Length of the measured window. */
  readonly seconds: number;
  /** Shards; 0 for one per core. */
  readonly shards: number;
}

export interface CapacityResult extends CapacityOptions {
  readonly packets: number;
  readonly packetsPerSecond: number;
  readonly idealPerSecond: number;
  /** Share of the ideal, 1 is all. */
  readonly delivered: number;
  readonly missing: number;
  /** Slots of playing players for which the server had no frame. */
  readonly nulled: number;
  /** Of the packets that were opened, every 25th. */
  readonly undecrypted: number;
  readonly violations: number;
  /** Milliseconds off each connection's own grid, at the receiver. */
  readonly receiver: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  /** Milliseconds later than due, as the server counts it; upper bounds. */
  readonly sender: SenderLateness;
  readonly floor: Floor;
  /** Cores, of the server's process only. */
  readonly cpu: number;
  readonly cpuByThread: Readonly<Record<string, number>>;
  /** Milliseconds of CPU per second of audio. */
  readonly cpuMsPerAudioSecond: number;
  /** Cores used by the bench itself: voice server, origin, client, probe. */
  readonly benchCpu: number;
  /** Cores used by whatever else runs on the machine. */
  readonly otherCpu: number;
  /** Bytes before the first player, with all players joined, and at the end of the window. */
  readonly pssIdle: number;
  readonly pssJoined: number;
  readonly pssLoaded: number;
  readonly pssPerPlayer: number;
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

const WARM_UP_SECONDS = 4;
/** What a track is longer than the window and the warm-up. */
const SPARE_SECONDS = 6;
/** Joins under way at once: each costs both sides a handshake. */
const CONCURRENT_JOINS = 4;
/** Players that begin to play in a second. */
const STARTS_PER_SECOND = 25;
const OPEN_EVERY = 25;
const DAVE_MS = 20_000;

/** Everything that runs beside the client. */
interface Stage {
  readonly origin: { readonly child: ChildProcess; readonly port: number };
  readonly voice: FakeVoiceProcess;
  readonly server: PumiceProcess;
}

/** Rejects when a player cannot join or a track cannot be loaded. */
export async function measure(options: CapacityOptions): Promise<CapacityResult> {
  const { format, players, seconds, shards } = options;
  const length = seconds + WARM_UP_SECONDS + SPARE_SECONDS + players / STARTS_PER_SECOND;
  const folder = await tracks(format, players, Math.ceil(length / 15) * 15);
  const origin = await startOrigin(folder, format, players);
  const voice = await FakeVoiceProcess.start({
    keepFrames: 0,
    openEvery: OPEN_EVERY,
    udpThreads: 1,
    speakingGraceMs: 5_000,
  });
  try {
    const server = await PumiceProcess.start({
      ca: voice.certificate.cert,
      config: { 'pumice.performance.workerThreads': shards },
    });
    try {
      return await run(options, { origin, voice, server });
    } finally {
      await server.stop();
    }
  } finally {
    await voice.stop();
    origin.child.disconnect();
  }
}

async function run(options: CapacityOptions, { origin, voice, server }: Stage): Promise<CapacityResult> {
  const { format, players, seconds } = options;
  const client = await NodeClient.connect(server.port);
  await pause(1_000);
  const pssIdle = await pssOf(server.pid);
  const guilds = Array.from({ length: players }, (_, n) => String(300_000_000_000_000_000n + BigInt(n)));
  const encoded = new Map<string, string>();
  await inTurns(guilds, async (guild, n) => {
    await voice.addListener(guild);
    await client.join(guild, voice.endpoint);
    await voice.waitForDave(guild, DAVE_MS);
    encoded.set(guild, await client.load(`http://127.0.0.1:${String(origin.port)}/${String(n)}.${format}`));
  });
  const pssJoined = await pssOf(server.pid);
  await staggered(guilds, (guild) => client.play(guild, encoded.get(guild) ?? ''));
  await pause(WARM_UP_SECONDS * 1_000);

  const probe = new FloorProbe();
  const before = await look();
  await voice.resetCounters();
  const began = performance.now();
  await pause(seconds * 1_000 - (began - before.at));
  const asked = performance.now();
  const totals = await voice.totals();
  // Both calls take their time on the way; half of it is before the count that they ask for.
  const window = ((asked + performance.now()) / 2 - (before.at + began) / 2) / 1_000;
  const after = await look();
  const floor = await probe.stop();
  const pssLoaded = await pssOf(server.pid);
  client.close();

  const wall = (after.at - before.at) / 1_000;
  const cpu = (after.cpu.total - before.cpu.total) / wall;
  const own = new Set([process.pid, voice.pid, origin.child.pid ?? 0]);
  const coresOf = (wanted: (pid: number) => boolean): number => cores(after.all, before.all, wall, wanted);
  const sent = since(after.sent, before.sent);
  const { packets, missing, undecrypted } = totals;
  const { p50, p99, p999, max } = totals.lateness;
  const facts = {
    packets,
    missing,
    undecrypted,
    violations: totals.violationCount,
    receiver: { p50, p99, p999, max },
    sender: senderLateness(sent),
    floor,
    otherCpu: coresOf((pid) => pid !== server.pid && !own.has(pid)),
  };
  return {
    ...options,
    ...facts,
    packetsPerSecond: packets / window,
    idealPerSecond: players * 50,
    delivered: delivered({ players, packets, seconds: window }),
    nulled: sent.nulled,
    cpu,
    cpuByThread: shares(after.cpu.byThread, before.cpu.byThread, wall),
    cpuMsPerAudioSecond: (cpu * 1_000) / players,
    benchCpu: coresOf((pid) => own.has(pid)),
    pssIdle,
    pssJoined,
    pssLoaded,
    pssPerPlayer: (pssLoaded - pssIdle) / players,
    ...judge({ ...facts, players, seconds: window }),
  };

  async function look() {
    const sent = senderCounts(await client.text('/metrics'));
    const [cpu, all] = await Promise.all([cpuOf(server.pid), cpuOfAll()]);
    return { at: performance.now(), sent, cpu, all };
  }
}

async function inTurns(
  guilds: readonly string[],
  act: (guild: string, n: number) => Promise<void>,
): Promise<void> {
  const waiting = guilds.entries();
  const one = async (): Promise<void> => {
    for (const [n, guild] of waiting) await act(guild, n);
  };
  await Promise.all(Array.from({ length: CONCURRENT_JOINS }, one));
}

/** One after the other at a fixed rate, so that no two tracks are at the same place at the same time. */
async function staggered(guilds: readonly string[], act: (guild: string) => Promise<unknown>): Promise<void> {
  const began = performance.now();
  const acts: Promise<unknown>[] = [];
  for (const [n, guild] of guilds.entries()) {
    await pause(began + (n * 1_000) / STARTS_PER_SECOND - performance.now());
    acts.push(act(guild));
  }
  await Promise.all(acts);
}

function shares(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  wall: number,
): Record<string, number> {
  return Object.fromEntries([...after].map(([name, s]) => [name, (s - (before.get(name) ?? 0)) / wall]));
}

/** Of the processes that are wanted; one that has begun in between counts whole. */
function cores(
  after: ReadonlyMap<number, number>,
  before: ReadonlyMap<number, number>,
  wall: number,
  wanted: (pid: number) => boolean,
): number {
  let seconds = 0;
  for (const [pid, spent] of after) if (wanted(pid)) seconds += spent - (before.get(pid) ?? 0);
  return seconds / wall;
}

async function startOrigin(folder: string, format: TrackFormat, count: number): Promise<Stage['origin']> {
  const child = fork(fileURLToPath(new URL('./origin-child.js', import.meta.url)), [
    folder,
    format,
    String(count),
  ]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
