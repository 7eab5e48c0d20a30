// `npm run bench -- shard-death [--players N] [--fault throw|exit|oom|spin] [--out FILE]`: a shard is killed under
// playing players. Its own play on within a second of the death (of a wedge: four of its start), with nothing
// missing; those of the other shard get 500 ± 3 frames each in the ten seconds round it, none more than 60 ms off
// its grid beyond what the machine itself does. Prints JSON; kept in bench/results/.
import { parseArgs } from 'node:util';
import { ShardDeathScene, type Survivor } from '../test/support/shard-death-scene.js';
import type { Floor } from './floor-probe.js';
import { keep } from './results.js';

const FAULTS = ['throw', 'exit', 'oom', 'spin'] as const;
type Fault = (typeof FAULTS)[number];

export interface DeathResult {
  readonly players: number;
  /** Players of the shard that died. */
  readonly killed: number;
  readonly survivors: number;
  readonly fault: Fault;
  /** Milliseconds from the fault to the moment at which the fleet knew of the death. */
  readonly toldAfterMs: number;
  /** The longest silence of a player of the dead shard, at the receiver. */
  readonly longestGapMs: number;
  /** Milliseconds of sound that came twice or never, at most, by the position of a player of the dead shard. */
  readonly worstRepeatMs: number;
  readonly worstFramesOff: number;
  readonly latestMs: number;
  readonly missingOrFaulty: number;
  readonly floor: Floor;
  readonly verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE';
}

const MAX_GAP_MS = 60;
const FRAMES_OFF = 3;
/** Milliseconds; above it the machine stalls by itself and no verdict is possible. */
const QUIET_FLOOR = 60;

/** Silence beyond the moment at which the death was noticed. A wedge is noticed within three seconds. */
const MAX_SILENCE_MS = 1_000;
const MAX_NOTICE_MS: Readonly<Record<Fault, number>> = { throw: 50, exit: 50, oom: 1_000, spin: 3_000 };

const { values } = parseArgs({
  options: {
    players: { type: 'string', default: '20' },
    fault: { type: 'string', default: 'throw' },
    out: { type: 'string' },
  },
});
const fault = FAULTS.find((name) => name === values.fault);
if (fault === undefined) throw new Error(`no such fault: ${values.fault}`);
const heap = fault === 'oom' ? { 'pumice.shards.heapLimit': 256 * 1_048_576 } : {};
const scene = await ShardDeathScene.start(Number(values.players), heap);
await scene.playAll();
const { returned, survivors, noticedAfter, floor } = await scene.killOne(fault);
const told = returned.some(({ guild }) => scene.client.events(guild).join() !== 'TrackStartEvent');
await scene.close();

const off = ({ frames, seconds }: Survivor): number => Math.abs(frames - seconds * 50);
const worstOff = Math.max(...survivors.map(off));
const latest = Math.max(...survivors.map((survivor) => survivor.latest));
const faults = [...survivors, ...returned].reduce((sum, one) => sum + one.missing + one.violations, 0);
const longestGap = Math.max(...returned.map(({ gap }) => gap));
const holds =
  worstOff <= FRAMES_OFF &&
  latest <= MAX_GAP_MS + floor.max &&
  noticedAfter <= MAX_NOTICE_MS[fault] + floor.max &&
  longestGap <= noticedAfter + MAX_SILENCE_MS + floor.max;
const isWhole = faults === 0 && !told;
const result: DeathResult = {
  players: Number(values.players),
  killed: returned.length,
  survivors: survivors.length,
  fault,
  toldAfterMs: noticedAfter,
  longestGapMs: longestGap,
  worstRepeatMs: Math.max(...returned.map(({ repeated }) => Math.abs(repeated))),
  worstFramesOff: worstOff,
  latestMs: latest,
  missingOrFaulty: faults,
  floor,
  verdict: holds && isWhole ? 'PASS' : floor.max > QUIET_FLOOR && isWhole ? 'INCONCLUSIVE' : 'FAIL',
};
await keep({ bench: 'shard-death', out: values.out }, [result]);
if (result.verdict !== 'PASS') process.exitCode = 1;
