// `npm run bench -- shard-death [--players N]`: a shard is killed under playing players; what those of the other
// shard get in the ten seconds round it: 500 ± 3 frames each, none more than 60 ms off its grid beyond what the
// machine itself does. Prints JSON; kept in bench/results/.
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ShardDeathScene, type Survivor } from '../test/support/shard-death-scene.js';

const MAX_GAP_MS = 60;
const FRAMES_OFF = 3;
/** Milliseconds; above it the machine stalls by itself and no verdict is possible. */
const QUIET_FLOOR = 60;

const { values } = parseArgs({ options: { players: { type: 'string', default: '20' } } });
const scene = await ShardDeathScene.start(Number(values.players));
await scene.playAll();
const { theirs, survivors, toldAfter, floor } = await scene.killOne();
await scene.close();

const off = ({ frames, seconds }: Survivor): number => Math.abs(frames - seconds * 50);
const worstOff = Math.max(...survivors.map(off));
const latest = Math.max(...survivors.map((survivor) => survivor.latest));
const faults = survivors.reduce((sum, { missing, violations }) => sum + missing + violations, 0);
const holds = worstOff <= FRAMES_OFF && latest <= MAX_GAP_MS + floor.max && faults === 0;
const verdict = holds ? 'PASS' : floor.max > QUIET_FLOOR && faults === 0 ? 'INCONCLUSIVE' : 'FAIL';
const result = {
  players: Number(values.players),
  killed: theirs.length,
  survivors: survivors.length,
  toldAfterMs: toldAfter,
  worstFramesOff: worstOff,
  latestMs: latest,
  missingOrFaulty: faults,
  floor,
  verdict,
};
console.log(JSON.stringify(result, null, 2));
await mkdir('bench/results', { recursive: true });
await writeFile('bench/results/shard-death.json', `${JSON.stringify(result, null, 2)}\n`);
if (verdict !== 'PASS') process.exitCode = 1;
