// Pairs of windows with and without faults, in one server that plays throughout, and what they show. Called by
// stalls.ts.
import { median } from './packet-verdict.js';
import { MeasuredWindow, type WindowFigures } from './measured-window.js';
import { ServerHooks, sumOf } from './server-hooks.js';
import { pause, Stage, STARTS_PER_SECOND } from './stage.js';
import { judgePairs, type PairEvidence } from './stalls-verdict.js';
import type { Verdict } from './verdict.js';

export interface StallsOptions {
  readonly players: number;
  readonly pairs: number;
  /** Of each window, two a pair. */
  readonly seconds: number;
  readonly shards: number;
}

export interface HalfFigures extends WindowFigures {
  /** Stalls of shards, and collections of main's heap, that were made in it. */
  readonly stalls: number;
  readonly collections: number;
  readonly collectionMs: number;
}

export interface PairFigures {
  readonly first: 'with' | 'without';
  readonly with: HalfFigures;
  readonly without: HalfFigures;
}

/** p99 with faults against p99 without, medians over the pairs. */
export interface Moved {
  readonly without: number;
  readonly with: number;
  readonly ratio: number;
  readonly differenceMs: number;
}

export interface StallsResult extends StallsOptions {
  readonly stallMs: number;
  readonly stallsPerSecond: number;
  readonly receiver: Moved;
  readonly sender: Moved;
  readonly floor: Moved;
  readonly underruns: number;
  readonly missingOrFaulty: number;
  /** Over all windows with faults. */
  readonly stalls: number;
  readonly collections: number;
  readonly collectionMs: number;
  readonly each: readonly PairFigures[];
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

const STALL_MS = 25;
const STALLS_PER_SECOND = 5;
const WARM_UP_SECONDS = 6;
/** Behind a switch, until what it has left is gone. */
const SETTLE_SECONDS = 2;
const SPARE_SECONDS = 30;

export async function measurePairs(options: StallsOptions): Promise<StallsResult> {
  const { players, pairs, seconds, shards } = options;
  const hooks = await ServerHooks.create();
  const stage = await Stage.start({
    format: 'opus',
    tracks: players,
    seconds:
      players / STARTS_PER_SECOND +
      WARM_UP_SECONDS +
      pairs * 2 * (seconds + SETTLE_SECONDS + 1) +
      SPARE_SECONDS,
    config: { 'pumice.performance.workerThreads': shards },
    execArgv: hooks.execArgv,
  });
  try {
    const guilds = stage.guilds(0, players);
    await stage.joinAll(guilds);
    await stage.playAll(guilds);
    await pause(WARM_UP_SECONDS * 1_000);
    const each: PairFigures[] = [];
    for (let n = 0; n < pairs; n++) each.push(await pair(stage, hooks, seconds, n % 2 === 0));
    return summed(options, each);
  } finally {
    await stage.close();
    await hooks.close();
  }
}

async function pair(stage: Stage, hooks: ServerHooks, seconds: number, first: boolean): Promise<PairFigures> {
  if (first) {
    const faulty = await half(stage, hooks, seconds, true);
    return { first: 'with', with: faulty, without: await half(stage, hooks, seconds, false) };
  }
  const calm = await half(stage, hooks, seconds, false);
  return { first: 'without', with: await half(stage, hooks, seconds, true), without: calm };
}

async function half(
  stage: Stage,
  hooks: ServerHooks,
  seconds: number,
  faulty: boolean,
): Promise<HalfFigures> {
  if (faulty) await hooks.tell({ kind: 'stalls', ms: STALL_MS, perSecond: STALLS_PER_SECOND });
  const before = await hooks.tell({ kind: faulty ? 'thrash' : 'calm' });
  await pause(SETTLE_SECONDS * 1_000);
  const window = await MeasuredWindow.open(stage);
  await window.last(seconds);
  const figures = await window.close();
  const after = await hooks.tell({ kind: 'calm' });
  const made = (name: 'stalls' | 'collections' | 'collectionMs'): number =>
    sumOf(after, (reply) => reply[name]) - sumOf(before, (reply) => reply[name]);
  return {
    ...figures,
    stalls: made('stalls'),
    collections: made('collections'),
    collectionMs: made('collectionMs'),
  };
}

function summed(options: StallsOptions, each: readonly PairFigures[]): StallsResult {
  const halves = each.flatMap((pair) => [pair.with, pair.without]);
  const total = (of: (half: HalfFigures) => number): number =>
    halves.reduce((sum, half) => sum + of(half), 0);
  const evidence: PairEvidence = {
    receiver: moved(each, ({ receiver }) => receiver.p99),
    sender: moved(each, ({ senderP99 }) => senderP99),
    floor: moved(each, ({ floor }) => floor.p99),
    floorMax: Math.max(...halves.map(({ floor }) => floor.max)),
    otherCpu: median(halves.map(({ otherCpu }) => otherCpu)),
    missing: total(({ missing }) => missing),
    undecrypted: total(({ undecrypted }) => undecrypted),
    violations: total(({ violations }) => violations),
    underruns: total(({ nulled }) => nulled),
  };
  const { receiver, sender, floor, underruns, missing, undecrypted, violations } = evidence;
  return {
    ...options,
    stallMs: STALL_MS,
    stallsPerSecond: STALLS_PER_SECOND,
    receiver,
    sender,
    floor,
    underruns,
    missingOrFaulty: missing + undecrypted + violations,
    stalls: total(({ stalls }) => stalls),
    collections: total(({ collections }) => collections),
    collectionMs: total(({ collectionMs }) => collectionMs),
    ...judgePairs(evidence),
    each,
  };
}

function moved(pairs: readonly PairFigures[], of: (half: HalfFigures) => number): Moved {
  return {
    without: median(pairs.map(({ without }) => of(without))),
    with: median(pairs.map((pair) => of(pair.with))),
    ratio: median(pairs.map((pair) => of(pair.with) / of(pair.without))),
    differenceMs: median(pairs.map((pair) => of(pair.with) - of(pair.without))),
  };
}
