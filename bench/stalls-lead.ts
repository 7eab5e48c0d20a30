// One shard stands still a few times, once under the lead that shall hide it and once under half of that: what is
// heard. Called by stalls.ts.
import { faultsIn, MeasuredWindow, type WindowFigures } from './measured-window.js';
import { ServerHooks, sumOf } from './server-hooks.js';
import { pause, Stage, STARTS_PER_SECOND } from './stage.js';
import { judgeLeads, type LeadEvidence } from './stalls-verdict.js';
import type { Verdict } from './verdict.js';

export interface LeadOptions {
  readonly players: number;
  readonly stallMs: number;
  /** Stalls under each lead. */
  readonly times: number;
  readonly shards: number;
}

export interface LeadFigures extends WindowFigures, LeadEvidence {
  readonly missingOrFaulty: number;
}

export interface LeadResult extends LeadOptions {
  /** The short lead, then the long one. */
  readonly leads: readonly LeadFigures[];
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

const SHORT_LEAD_MS = 200;
const LONG_LEAD_MS = 400;
const WARM_UP_SECONDS = 6;
/** From one stall to the next: the rings fill again. */
const BETWEEN_SECONDS = 2;
const SPARE_SECONDS = 20;

export async function measureLeads(options: LeadOptions): Promise<LeadResult> {
  const short = await under(SHORT_LEAD_MS, options);
  const long = await under(LONG_LEAD_MS, options);
  return { ...options, leads: [short, long], ...judgeLeads(short, long) };
}

async function under(leadMs: number, options: LeadOptions): Promise<LeadFigures> {
  const { players, stallMs, times, shards } = options;
  const hooks = await ServerHooks.create();
  const stage = await Stage.start({
    format: 'opus',
    tracks: players,
    seconds: players / STARTS_PER_SECOND + WARM_UP_SECONDS + times * BETWEEN_SECONDS + SPARE_SECONDS,
    config: {
      'pumice.performance.workerThreads': shards,
      'lavalink.server.bufferDurationMs': leadMs,
    },
    execArgv: hooks.execArgv,
  });
  try {
    const guilds = stage.guilds(0, players);
    await stage.joinAll(guilds);
    await stage.playAll(guilds);
    await pause(WARM_UP_SECONDS * 1_000);
    const window = await MeasuredWindow.open(stage);
    for (let n = 1; n <= times; n++) {
      await hooks.tell({ kind: 'stall', shard: 0, ms: stallMs });
      await window.last(n * BETWEEN_SECONDS);
    }
    const figures = await window.close();
    const replies = await hooks.tell({ kind: 'calm' });
    return {
      ...figures,
      leadMs,
      stallMs,
      times,
      stalls: sumOf(replies, ({ stalls }) => stalls),
      underruns: figures.nulled,
      missingOrFaulty: faultsIn(figures),
      floorMax: figures.floor.max,
    };
  } finally {
    await stage.close();
    await hooks.close();
  }
}
