// The unit file is one that systemd accepts without a word, is hardened as far as a Node process can be, and
// promises nothing that the server does not do yet.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const unit = fileURLToPath(new URL('../../lavalink.service', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function analyze(...args: readonly string[]): Promise<Outcome | null> {
  return new Promise((resolve) => {
    execFile(
      'systemd-analyze',
      args,
      { env: { ...process.env, SYSTEMD_COLORS: '0' } },
      (error, stdout, stderr) => {
        if (error?.code === 'ENOENT') resolve(null);
        else
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: `${stdout}${stderr}` });
      },
    );
  });
}

const missing = (await analyze('--version')) === null;
// On the project's own runs the tool is installed, so there its absence is a failure.
const skip = missing && process.env['CI'] !== 'true' ? 'systemd-analyze is not installed' : false;

/** Directive → its values in order, from every section. */
function directives(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of readFileSync(unit, 'utf8').split('\n')) {
    const match = /^(\w+)=(.*)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    found.set(match[1], [...(found.get(match[1]) ?? []), match[2]]);
  }
  return found;
}

t.test('systemd accepts the unit without a warning', { timeout: 30_000, skip }, async (t) => {
  t.strictSame(await analyze('verify', unit), { code: 0, output: '' });
});

t.test('its exposure is at most 2.0', { timeout: 30_000, skip }, async (t) => {
  const outcome = await analyze('security', '--offline=true', '--no-pager', '--threshold=20', unit);
  const level = /Overall exposure level for lavalink\.service: (\d+\.\d)/.exec(outcome?.output ?? '')?.[1];
  t.ok(Number(level) <= 2, `the level is ${level}`);
  t.equal(outcome?.code, 0);
});

t.test('what would stop or blind a Node process is not switched on', { timeout: 10_000 }, (t) => {
  const unit = directives();
  for (const name of ['MemoryDenyWriteExecute', 'ProcSubset', 'IPAddressDeny']) t.notOk(unit.has(name), name);
  t.notMatch(unit.get('SystemCallFilter')?.join(' '), /~.*@resources/, 'priorities may be set');
  t.end();
});

t.test('what the server cannot do yet is not asked of it', { timeout: 10_000 }, (t) => {
  const unit = directives();
  t.strictSame(unit.get('Type'), ['exec']);
  for (const name of ['NotifyAccess', 'WatchdogSec', 'ExecReload']) t.notOk(unit.has(name), name);
  t.end();
});

t.test('a wrong configuration is not restarted, a crash is', { timeout: 10_000 }, (t) => {
  const unit = directives();
  t.strictSame(unit.get('Restart'), ['on-failure']);
  t.strictSame(unit.get('RestartPreventExitStatus'), ['78']);
  t.strictSame(unit.get('KillMode'), ['mixed']);
  t.end();
});
