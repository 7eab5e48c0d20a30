// One measurement of a node under a number of players: everything started fresh, warmed up, measured over a
// window, and stopped.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FakeVoiceProcess } from '../test/support/fake-voice-process.js';
import { NodeClient } from '../test/support/node-client.js';
import { PumiceProcess } from '../test/support/pumice-process.js';
import { FloorProbe, type Floor } from './floor-probe.js';
import { cpuOf, pssOf } from './process-usage.js';
import { tracks, type TrackFormat } from './tracks.js';

export interface CapacityOptions {
  readonly format: TrackFormat;
  readonly players: number;
  /** Length of the measured window. */
  readonly seconds: number;
  /** Shards; 0 for one per core. */
  readonly shards: number;
}

export interface CapacityResult extends CapacityOptions {
  readonly packetsPerSecond: number;
  readonly idealPerSecond: number;
  /** Share of the ideal, 1 is all. */
  readonly delivered: number;
  readonly missing: number;
  readonly undecrypted: number;
  readonly violations: number;
  /** Milliseconds off each connection's own grid, at the receiver. */
  readonly receiver: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  /** Frames that left the sender at most so many milliseconds late, by upper bound. */
  readonly sender: Readonly<Record<string, number>>;
  readonly floor: Floor;
  /** Share of one core, of the server's process only. */
  readonly cpu: number;
  readonly cpuByThread: Readonly<Record<string, number>>;
  /** Milliseconds of CPU per second of audio. */
  readonly cpuMsPerAudioSecond: number;
  readonly pssIdle: number;
  readonly pssLoaded: number;
  readonly pssPerPlayer: number;
  readonly verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
  readonly why: string;
}

const WARM_UP_SECONDS = 4;
/** Joins under way at once: each costs both sides a handshake. */
const CONCURRENT_JOINS = 4;
const DELIVERED = 0.999;
/** Milliseconds; above it the machine itself was too restless for a verdict on a missed rate. */
const QUIET_FLOOR = 5;

export async function measure(options: CapacityOptions): Promise<CapacityResult> {
  const { format, players, seconds } = options;
  const length = seconds + WARM_UP_SECONDS + 15 + Math.ceil(players / 10);
  const folder = await tracks(format, players, Math.ceil(length / 30) * 30);
  const origin = await startOrigin(folder);
  const voice = await FakeVoiceProcess.start({ keepFrames: 0, openEvery: 10, speakingGraceMs: 5_000 });
  const server = await PumiceProcess.start({
    ca: voice.certificate.cert,
    config: { 'pumice.performance.workerThreads': options.shards },
  });
  try {
    const client = await NodeClient.connect(server.port);
    await pause(1_000);
    const pssIdle = await pssOf(server.pid);
    await startPlayers();
    await pause(WARM_UP_SECONDS * 1_000);

    const before = { cpu: await cpuOf(server.pid), sender: await senderLateness(client) };
    await voice.resetCounters();
    const floorProbe = new FloorProbe();
    const began = performance.now();
    await pause(seconds * 1_000);
    const totals = await voice.totals();
    const wall = (performance.now() - began) / 1_000;
    const floor = await floorProbe.stop();
    const cpu = await cpuOf(server.pid);
    const sender = difference(await senderLateness(client), before.sender);
    const pssLoaded = await pssOf(server.pid);
    client.close();

    const ideal = players * 50;
    const rate = totals.packets / wall;
    const share = (cpu.total - before.cpu.total) / wall;
    const byThread = Object.fromEntries(
      [...cpu.byThread].map(
        ([name, s]) => [name, (s - (before.cpu.byThread.get(name) ?? 0)) / wall] as const,
      ),
    );
    const { p50, p99, p999, max } = totals.lateness;
    return {
      ...options,
      packetsPerSecond: rate,
      idealPerSecond: ideal,
      delivered: rate / ideal,
      missing: totals.missing,
      undecrypted: totals.undecrypted,
      violations: totals.violationCount,
      receiver: { p50, p99, p999, max },
      sender,
      floor,
      cpu: share,
      cpuByThread: byThread,
      cpuMsPerAudioSecond: (share * 1_000) / players,
      pssIdle,
      pssLoaded,
      pssPerPlayer: (pssLoaded - pssIdle) / players,
      ...judge(rate / ideal, totals.missing + totals.violationCount, floor),
    };

    async function startPlayers(): Promise<void> {
      let next = 0;
      const join = async (): Promise<void> => {
        for (let n = next++; n < players; n = next++) {
          const guild = String(300_000_000_000_000_000n + BigInt(n));
          await voice.addListener(guild);
          await client.join(guild, voice.endpoint);
          await voice.waitForDave(guild, 20_000);
          const encoded = await client.load(`http://127.0.0.1:${String(origin.port)}/${String(n)}.${format}`);
          await client.play(guild, encoded);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENT_JOINS }, join));
    }
  } finally {
    await server.stop();
    await voice.stop();
    origin.child.disconnect();
  }
}

function judge(delivered: number, faults: number, floor: Floor): Pick<CapacityResult, 'verdict' | 'why'> {
  const share = `${(delivered * 100).toFixed(2)} % of the frames`;
  if (faults > 0)
    return { verdict: 'FAIL', why: `${String(faults)} missing packets or faults in the stream` };
  if (delivered >= DELIVERED) return { verdict: 'PASS', why: share };
  if (floor.p99 > QUIET_FLOOR)
    return { verdict: 'INCONCLUSIVE', why: `${share}, floor p99 ${floor.p99.toFixed(1)} ms` };
  return { verdict: 'FAIL', why: share };
}

async function startOrigin(folder: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL('./origin-child.js', import.meta.url)), [folder]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

/** Cumulative frames by upper bound in seconds, summed over shards. */
async function senderLateness(client: NodeClient): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const line of (await client.text('/metrics')).split('\n')) {
    const match = /^lavalink_frame_lateness_seconds_bucket\{.*le="([^"]+)".*\} (\d+)/.exec(line);
    if (match?.[1] !== undefined) found[match[1]] = (found[match[1]] ?? 0) + Number(match[2]);
  }
  return found;
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([le, count]) => [le, count - (before[le] ?? 0)]));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
