// Players that play while others connect, listeners come and go and members speak: one server throughout, a quiet
// window ahead of every busy one. Called by churn.ts.
import { judgeChurn, type PhaseEvidence, type SpeakingEvidence } from './churn-verdict.js';
import { MeasuredWindow, type WindowFigures } from './measured-window.js';
import { median } from './packet-verdict.js';
import { inTurns, pause, Stage, STARTS_PER_SECOND } from './stage.js';
import type { Verdict } from './verdict.js';

export interface ChurnOptions {
  /** Those that play. */
  readonly players: number;
  /** New guilds that connect, each to a call with one listener. */
  readonly connects: number;
  /** Listeners that join the calls of those who play, and leave again. */
  readonly joins: number;
  /** Connects, joins and leaves a second, where the machine can; at most four are under way at once. */
  readonly rate: number;
  /** Of a quiet window and of a window with or without speakers. */
  readonly seconds: number;
  /** Pairs of windows with and without speakers. */
  readonly rounds: number;
  readonly shards: number;
}

export type PhaseName = 'connects' | 'joins' | 'leaves';

export interface PhaseFigures extends PhaseEvidence {
  readonly quietWindow: WindowFigures;
  readonly busyWindow: WindowFigures;
}

export interface SpeakingFigures extends SpeakingEvidence {
  /** Frames of members that the voice server sent to the bots before it was told that nobody wants them, or later. */
  readonly memberFrames: number;
}

export interface ChurnResult extends ChurnOptions {
  readonly phases: readonly PhaseFigures[];
  readonly speaking: SpeakingFigures;
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

const WARM_UP_SECONDS = 6;
const SETTLE_SECONDS = 1;
const SPARE_SECONDS = 60;
const JOIN_MS = 20_000;
/** Frames a second of a speaking member. */
const MEMBER_RATE = 50;

export async function measureChurn(options: ChurnOptions): Promise<ChurnResult> {
  const { players, connects, joins, rate, seconds, rounds, shards } = options;
  const stage = await Stage.start({
    format: 'opus',
    tracks: players,
    // Busy phases may take twice as long as they should.
    seconds:
      players / STARTS_PER_SECOND +
      WARM_UP_SECONDS +
      ((connects + 2 * joins) / rate) * 2 +
      (3 + 2 * rounds) * (seconds + SETTLE_SECONDS + 1) +
      SPARE_SECONDS,
    config: { 'pumice.performance.workerThreads': shards },
  });
  try {
    const playing = stage.guilds(0, players);
    await stage.joinAll(playing);
    await stage.playAll(playing);
    await pause(WARM_UP_SECONDS * 1_000);

    const { voice } = stage;
    const came: (readonly [guild: string, user: string])[] = [];
    const calls = Array.from({ length: joins }, (_, n) => playing[n % players] ?? '');
    const phases = [
      await phase(stage, options, 'connects', stage.guilds(players, players + connects), (guild) =>
        stage.join(guild),
      ),
      await phase(stage, options, 'joins', calls, async (guild) => {
        came.push([guild, await voice.addListener(guild)]);
        await voice.waitForDave(guild, JOIN_MS);
      }),
      await phase(stage, options, 'leaves', came, async ([guild, user]) => {
        await voice.dropListener(guild, user);
        await voice.waitForDave(guild, JOIN_MS);
      }),
    ];
    const speaking = await speakers(stage, options);
    return { ...options, phases, speaking, ...judgeChurn(phases, speaking) };
  } finally {
    await stage.close();
  }
}

/** A quiet window, then one that is open for as long as all the acts take. */
async function phase<Item>(
  stage: Stage,
  { seconds, rate }: ChurnOptions,
  name: PhaseName,
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<PhaseFigures> {
  const quiet = await window(stage, seconds);
  const open = await MeasuredWindow.open(stage);
  await inTurns(paced(items, rate), async ([item, due]) => {
    await pause(due - performance.now());
    await act(item);
  });
  const busy = await open.close();
  return {
    name,
    count: items.length,
    cpuMsEach: ((busy.cpu - quiet.cpu) * busy.seconds * 1_000) / items.length,
    quiet: evidenceOf(quiet),
    busy: evidenceOf(busy),
    quietWindow: quiet,
    busyWindow: busy,
  };
}

/** Each with the moment at which it is due at that rate. */
function* paced<Item>(items: readonly Item[], rate: number): Generator<readonly [Item, number]> {
  const began = performance.now();
  for (const [n, item] of items.entries()) yield [item, began + (n * 1_000) / rate];
}

/** By turns without and with a speaking member in every call. */
async function speakers(stage: Stage, { seconds, rounds }: ChurnOptions): Promise<SpeakingFigures> {
  const { voice } = stage;
  const silent: WindowFigures[] = [];
  const speaking: WindowFigures[] = [];
  const heardBefore = (await voice.totals()).memberFrames;
  for (let round = 0; round < rounds; round++) {
    for (const speaks of round % 2 === 0 ? [false, true] : [true, false]) {
      await voice.speak(speaks ? MEMBER_RATE : 0);
      await pause(SETTLE_SECONDS * 1_000);
      (speaks ? speaking : silent).push(await window(stage, seconds));
    }
  }
  await voice.speak(0);
  const both = [...silent, ...speaking];
  return {
    silentCores: silent.map(({ cpu }) => cpu),
    speakingCores: speaking.map(({ cpu }) => cpu),
    underruns: both.reduce((sum, { nulled }) => sum + nulled, 0),
    otherCpu: median(both.map(({ otherCpu }) => otherCpu)),
    memberFrames: (await voice.totals()).memberFrames - heardBefore,
  };
}

async function window(stage: Stage, seconds: number): Promise<WindowFigures> {
  const open = await MeasuredWindow.open(stage);
  await open.last(seconds);
  return open.close();
}

function evidenceOf(window: WindowFigures): PhaseEvidence['quiet'] {
  const { receiver, senderP99, floor, nulled, missing, undecrypted, violations, otherCpu } = window;
  return {
    receiverP99: receiver.p99,
    senderP99,
    floorP99: floor.p99,
    underruns: nulled,
    missing,
    undecrypted,
    violations,
    otherCpu,
  };
}
