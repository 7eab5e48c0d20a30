// Claims about reading the machine's limits and loads, with fixed files.
import t from 'tap';
import { coresOf, limitOf, localMachine, systemTimeOf, type ReadText } from '../../src/main/machine.js';

const files =
  (contents: Record<string, string>): ReadText =>
  (path) =>
    contents[path] ?? null;

t.test('a quota limits the cores, whichever version of control groups sets it', { timeout: 10_000 }, (t) => {
  t.equal(coresOf(files({}), 8), 8);
  t.equal(coresOf(files({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }), 8), 8);
  t.equal(coresOf(files({ '/sys/fs/cgroup/cpu.max': '150000 100000\n' }), 8), 2);
  t.equal(coresOf(files({ '/sys/fs/cgroup/cpu.max': '10000 100000\n' }), 8), 1);
  t.equal(coresOf(files({ '/sys/fs/cgroup/cpu.max': '900000 100000\n' }), 8), 8);
  const old = '/sys/fs/cgroup/cpu/cpu.cfs_';
  t.equal(coresOf(files({ [`${old}quota_us`]: '200000\n', [`${old}period_us`]: '100000\n' }), 8), 2);
  t.equal(coresOf(files({ [`${old}quota_us`]: '-1\n', [`${old}period_us`]: '100000\n' }), 8), 8);
  t.end();
});

t.test('a memory limit is a number or there is none', { timeout: 10_000 }, (t) => {
  t.equal(limitOf(files({})), null);
  t.equal(limitOf(files({ '/sys/fs/cgroup/memory.max': 'max\n' })), null);
  t.equal(limitOf(files({ '/sys/fs/cgroup/memory.max': '1048576\n' })), 1_048_576);
  t.equal(limitOf(files({ '/sys/fs/cgroup/memory/memory.limit_in_bytes': '2048\n' })), 2_048);
  t.end();
});

t.test('processor time is read from the first line, guests not counted twice', { timeout: 10_000 }, (t) => {
  t.strictSame(systemTimeOf('cpu  10 1 5 80 4 0 1 0 9 9\ncpu0 1 1 1 1\n'), { busy: 17, total: 101 });
  for (const text of [null, '', 'cpu0 1 2 3 4 5', 'cpu  a b c d e', 'cpu 1 2'])
    t.equal(systemTimeOf(text), null);
  t.end();
});

t.test('the real machine gives readings that can be true', { timeout: 10_000 }, (t) => {
  const machine = localMachine();
  t.ok(machine.cores >= 1);
  t.ok(machine.memoryLimit() > 0);
  t.ok(machine.memory().resident > 0);
  t.ok(machine.processTime() > 0);
  t.end();
});
