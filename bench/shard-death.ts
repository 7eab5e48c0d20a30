// `npm run bench -- shard-death [--players N] [--out FILE]`: a shard is killed under playing players; what those
// of the other shard get in the ten seconds round it: 500 ± 3 frames each, none more than 60 ms off its grid
// beyond what the machine itself does. Prints JSON; kept in bench/results/.
import { parseArgs } from 'node:util';
import { ShardDeathScene, type Survivor } from '../test/support/shard-death-scene.js';
import type { Floor } from './floor-probe.js';
import { keep } from './results.js';

export interface DeathResult {
  readonly players: number;
  /** Players of the shard that died. */
  readonly killed: number;
  readonly survivors: number;
  /** Milliseconds from the death to the last end of a track of its players. */
  readonly toldAfterMs: number;
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

const { values } = parseArgs({
  options: { players: { type: 'string', default: '20' }, out: { type: 'string' } },
});
const scene = await ShardDeathScene.start(Number(values.players));
await scene.playAll();
const { theirs, survivors, toldAfter, floor } = await scene.killOne();
await scene.close();

const off = ({ frames, seconds }: Survivor): number => Math.abs(frames - seconds * 50);
const worstOff = Math.max(...survivors.map(off));
const latest = Math.max(...survivors.map((survivor) => survivor.latest));
const faults = survivors.reduce((sum, { missing, violations }) => sum + missing + violations, 0);
const holds = worstOff <= FRAMES_OFF && latest <= MAX_GAP_MS + floor.max && faults === 0;
const result: DeathResult = {
  players: Number(values.players),
  killed: theirs.length,
  survivors: survivors.length,
  toldAfterMs: toldAfter,
  worstFramesOff: worstOff,
  latestMs: latest,
  missingOrFaulty: faults,
  floor,
  verdict: holds ? 'PASS' : floor.max > QUIET_FLOOR && faults === 0 ? 'INCONCLUSIVE' : 'FAIL',
};
await keep({ bench: 'shard-death', out: values.out }, [result]);
if (result.verdict !== 'PASS') process.exitCode = 1;
