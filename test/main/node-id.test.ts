// Claims about the node's persistent name.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadNodeId } from '../../src/main/node-id.js';

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pumice-node-id-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

t.test('the id is made once and read ever after', { timeout: 10_000 }, async (t) => {
  const state = join(await directory(), 'state');
  const made = await loadNodeId(state);
  t.match(made, /^[0-9a-f]{32}$/);
  t.equal(await loadNodeId(state), made);
  t.strictSame(await readdir(state), ['node-id'], 'nothing else is left behind');
});

t.test('a damaged file is replaced', { timeout: 10_000 }, async (t) => {
  const state = await directory();
  await writeFile(join(state, 'node-id'), 'half');
  const made = await loadNodeId(state);
  t.equal(await loadNodeId(state), made);
});

t.test('a directory that cannot be used is a configuration error', { timeout: 10_000 }, async (t) => {
  const file = join(await directory(), 'file');
  await writeFile(file, '');
  await t.rejects(loadNodeId(join(file, 'state')), {
    code: 'PUM_CONFIG_INVALID',
    message: /pumice\.state\.directory/,
  });
});
