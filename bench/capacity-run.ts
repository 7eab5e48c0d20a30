// One measurement of a node under a number of players: everything started fresh, warmed up, measured over a
// window, and stopped. Called by capacity.ts and soak.ts.
import { ListenerTurns } from './listener-turns.js';
import { MeasuredWindow, type WindowFigures } from './measured-window.js';
import { pssOf } from './process-usage.js';
import { pause, Stage, STARTS_PER_SECOND } from './stage.js';
import type { TrackFormat } from './tracks.js';
import { CAPACITY, delivered, judge, type Limits, type Verdict } from './verdict.js';

export interface CapacityOptions {
  readonly format: TrackFormat;
  readonly players: number;
  /** Length of the measured window. */
  readonly seconds: number;
  /** Shards; 0 for one per core. */
  readonly shards: number;
}

export interface RunOptions extends CapacityOptions {
  /** Seconds in which a listener comes and goes in each call; 0: nobody does. */
  readonly listenerSeconds?: number;
  readonly limits?: Limits;
}

export interface CapacityResult extends CapacityOptions, Omit<WindowFigures, 'seconds'> {
  readonly packetsPerSecond: number;
  readonly idealPerSecond: number;
  /** Share of the ideal, 1 is all. */
  readonly delivered: number;
  /** Listeners that came and went in the window. */
  readonly joins: number;
  readonly leaves: number;
  /** Milliseconds of CPU per second of audio. */
  readonly cpuMsPerAudioSecond: number;
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

/** Rejects when a player cannot join or a track cannot be loaded. */
export async function measure(options: RunOptions): Promise<CapacityResult> {
  const { format, players, seconds, shards } = options;
  const stage = await Stage.start({
    format,
    tracks: players,
    seconds: seconds + WARM_UP_SECONDS + SPARE_SECONDS + players / STARTS_PER_SECOND,
    config: { 'pumice.performance.workerThreads': shards },
  });
  try {
    return await run(options, stage);
  } finally {
    await stage.close();
  }
}

async function run(options: RunOptions, stage: Stage): Promise<CapacityResult> {
  const { format, players, seconds, shards, listenerSeconds = 0, limits = CAPACITY } = options;
  const { pid } = stage.server;
  await pause(1_000);
  const pssIdle = await pssOf(pid);
  const guilds = stage.guilds(0, players);
  await stage.joinAll(guilds);
  const pssJoined = await pssOf(pid);
  await stage.playAll(guilds);
  await pause(WARM_UP_SECONDS * 1_000);

  const turns = listenerSeconds > 0 ? new ListenerTurns(stage.voice, guilds, listenerSeconds * 1_000) : null;
  const window = await MeasuredWindow.open(stage);
  await window.last(seconds);
  const { seconds: measured, ...figures } = await window.close();
  await turns?.stop();
  const pssLoaded = await pssOf(pid);

  const { packets, cpu } = figures;
  return {
    format,
    players,
    seconds,
    shards,
    ...figures,
    packetsPerSecond: packets / measured,
    idealPerSecond: players * 50,
    delivered: delivered({ players, packets, seconds: measured }),
    joins: turns?.joins ?? 0,
    leaves: turns?.leaves ?? 0,
    cpuMsPerAudioSecond: (cpu * 1_000) / players,
    pssIdle,
    pssJoined,
    pssLoaded,
    pssPerPlayer: (pssLoaded - pssIdle) / players,
    ...judge({ ...figures, players, seconds: measured }, limits),
  };
}
