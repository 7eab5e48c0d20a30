// Claims about the process as an operator sees it: one line when it is ready, a drain on a signal, exit codes.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ENTRY = fileURLToPath(new URL('../../src/main/start.cjs', import.meta.url));
const CEILING = { timeout: 60_000 };

/** Starts the server in a folder of its own with that configuration; it ends with the test. */
async function run(configuration: string): Promise<{ child: ChildProcess; output: () => string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'pumice-index-'));
  await writeFile(join(cwd, 'application.yml'), configuration);
  const child = spawn(process.execPath, [ENTRY], { cwd, env: { PATH: process.env['PATH'] ?? '' } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(cwd, { recursive: true, force: true });
  });
  return { child, output: () => output };
}

t.test('it says once where it is ready, drains on SIGTERM and exits with 0', CEILING, async (t) => {
  const password = 'a secret of nobody';
  const { child, output } = await run(
    `server: {port: 0, address: 127.0.0.1}\nlavalink: {server: {password: ${password}}}\n` +
      'pumice: {performance: {workerThreads: 1}}\n',
  );
  while (!output().includes('ready on')) await once(child.stdout ?? child, 'data');
  const [, origin = ''] = /ready on (http:\/\/127\.0\.0\.1:\d+) \(1 shard, uWebSockets/.exec(output()) ?? [];
  t.equal((await fetch(`${origin}/version`, { headers: { Authorization: password } })).status, 200);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  t.strictSame(await exited, [0, null]);
  t.equal(output().split('ready on').length, 2);
  t.notMatch(output(), new RegExp(password));
});

t.test('without a password it does not start, and says so with exit code 78', CEILING, async (t) => {
  const { child, output } = await run('server: {port: 0, address: 127.0.0.1}\n');
  const [code] = (await once(child, 'exit')) as [number];
  t.equal(code, 78);
  t.match(output(), /lavalink\.server\.password/);
});
