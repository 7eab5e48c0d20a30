// `npm run bench -- packet [--rounds N] [--out FILE]`: what one packet costs, step by step (DAVE, seal, ring, send),
// beside a C program that only seals and sends the same packets, and beside @discordjs/voice; and what reading and
// demuxing cost for a second of sound. All of them take turns in every round; the figures are medians of the rounds.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SealMode, usableMode } from '../src/shard/voice/seal.js';
import { openCall, type Call } from './packet-call.js';
import { demuxCosts, type DemuxCost } from './packet-demux.js';
import { PacketsInC, type RoundInC } from './packet-in-c.js';
import { garbageOf, round, type Garbage } from './packet-rounds.js';
import { openSink, type Sink } from './packet-sink.js';
import { LIBRARY_MODE, librarySteps, ourSteps, type StepName } from './packet-steps.js';
import { judgePackets, median } from './packet-verdict.js';
import { keep } from './results.js';
import type { Verdict } from './verdict.js';

type Cost = Readonly<Record<StepName, number>>;

/** Times are microseconds of CPU time a packet. */
export interface PacketResult {
  /** Bytes of an Opus frame. */
  readonly frame: number;
  readonly connections: number;
  readonly rounds: number;
  readonly mode: string;
  readonly steps: Cost;
  /** `fill` and `send` of the same round. */
  readonly whole: number;
  /** Null where it could not be made: `why` says it. */
  readonly inC: RoundInC | null;
  readonly timesC: number | null;
  readonly library: { readonly mode: string; readonly whole: number };
  readonly garbage: Readonly<Record<StepName, Garbage>>;
  readonly demux: readonly DemuxCost[];
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

const FRAME_SIZES = [240, 320];
const CONNECTIONS = 200;
const MIN_ROUNDS = 7;
const WARM_UP = 3;
/** Packets of every connection in a round. */
const TICKS = 20;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, out: { type: 'string' } },
});
const rounds = Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds >= MIN_ROUNDS)) {
  console.error(`usage: packet [--rounds N] [--out FILE]; N at least ${MIN_ROUNDS}`);
  process.exit(1);
}

const mode = usableMode(Object.values(SealMode));
if (mode === null) throw new Error('nothing to seal with on this machine');
const sink = await openSink();
const call = await openCall();
const demux = await demuxCosts(rounds);
const results: PacketResult[] = [];
for (const frame of FRAME_SIZES) results.push(await measure(frame, mode, call, sink));
call.close();
await sink.close();
for (const { why, frame } of results) console.error(`${frame} bytes: ${why.join('; ')}`);
await keep({ bench: 'packet', out: values.out }, results);
if (results.some(({ verdict }) => verdict !== 'PASS')) process.exitCode = 1;

async function measure(frame: number, mode: SealMode, call: Call, { port }: Sink): Promise<PacketResult> {
  const key = randomBytes(32);
  const frames = Array.from({ length: CONNECTIONS }, () => opusFrame(frame));
  const bodies = frames.map((opus) => call.ours.encrypt(opus) ?? opus);
  const parts = { frames, bodies, key, port };
  const ours = await ourSteps(parts, mode, call.ours);
  const theirs = await librarySteps(parts, call.theirs);
  const steps = [...ours.steps, ...theirs.steps];
  const program =
    mode === SealMode.xchacha
      ? await PacketsInC.start(bodies, key, port)
      : 'without libsodium we seal in another way';

  const costs: Cost[] = [];
  const inC: RoundInC[] = [];
  for (let n = 0; n < WARM_UP + rounds; n++) {
    const cost = await round(steps, CONNECTIONS, TICKS);
    const costInC = typeof program === 'string' ? null : await program.round(TICKS);
    if (n < WARM_UP) continue;
    costs.push(cost);
    if (costInC !== null) inC.push(costInC);
  }
  if (typeof program !== 'string') await program.close();
  const garbage = await garbageOf(steps, CONNECTIONS);
  const failed = ours.failed() + theirs.failed();
  ours.close();
  theirs.close();
  if (failed > 0) throw new Error(`${failed} packets could not be sent`);

  const of = (name: StepName): number[] => costs.map((cost) => cost[name]);
  const whole = costs.map(({ fill, send }) => fill + send);
  const wholeInC = inC.map(({ seal, send }) => seal + send);
  const { verdict, why } = judgePackets({
    dave: of('dave'),
    whole,
    inC: typeof program === 'string' ? program : wholeInC,
  });
  const there = inC.length > 0;
  return {
    frame,
    connections: CONNECTIONS,
    rounds,
    mode,
    steps: Object.fromEntries(steps.map(({ name }) => [name, median(of(name))])) as Cost,
    whole: median(whole),
    inC: there
      ? { seal: median(inC.map(({ seal }) => seal)), send: median(inC.map(({ send }) => send)) }
      : null,
    timesC: there ? median(whole) / median(wholeInC) : null,
    library: {
      mode: LIBRARY_MODE,
      whole: median(costs.map(({ prepare, dispatch }) => prepare + dispatch)),
    },
    garbage,
    demux,
    verdict,
    why,
  };
}

/** One frame of 20 ms, whose bytes are like no other's. */
function opusFrame(bytes: number): Buffer {
  return Buffer.concat([Buffer.from([0xfc]), randomBytes(bytes - 1)]);
}
