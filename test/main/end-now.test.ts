// A shard that hangs in native code cannot be ended: the process says so and ends with 70, at once (architecture
// §2, reliability.md case 9).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const NODE = fileURLToPath(new URL('../support/wedged-node.js', import.meta.url));
/** How long the shard hangs, in milliseconds; no thread of the process can be waited for before that. */
const HANGS = 15_000;

t.test('a shard that hangs in native code ends the process with 70', { timeout: 40_000 }, async (t) => {
  const child = spawn(process.execPath, [NODE], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let said = '';
  let began = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (began === 0 && said.includes('hangs\n')) began = performance.now();
  });
  let complained = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text));
  const [code] = (await ended) as [number | null];
  const took = performance.now() - began;
  t.equal(code, 70);
  t.ok(took < HANGS - 1_000, `${took.toFixed(0)} ms`);
  t.same(said.trim().split('\n').slice(1), [
    'shard 0 does not answer',
    'shard 0 hangs in native code and cannot be ended, giving up',
  ]);
  t.equal(complained, '');
});
