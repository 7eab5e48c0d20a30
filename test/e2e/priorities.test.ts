// The kernel's priorities of a running server's threads: field 19 of /proc/PID/task/TID/stat.
import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { PumiceProcess } from '../support/pumice-process.js';

const CEILING = { timeout: 60_000 };
/** Of the fields behind the name, which may hold anything, the first is the third of proc(5). */
const NICE = 19 - 3;

interface Threads {
  readonly name: string;
  readonly nice: number;
}

async function threadsOf(pid: number): Promise<Threads[]> {
  const tids = await readdir(`/proc/${pid}/task`);
  return Promise.all(
    tids.map(async (tid) => {
      const stat = await readFile(`/proc/${pid}/task/${tid}/stat`, 'utf8');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      // All threads that main starts bear its name until they have one.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return { name: Number(tid) === pid ? 'main' : name, nice: Number(fields[NICE]) };
    }),
  );
}

t.test('senders go before shards, shards before main, and main before what can wait', CEILING, async (t) => {
  const server = await PumiceProcess.start({ config: { 'pumice.performance.workerThreads': 2 } });
  t.teardown(() => server.stop());
  const threads = await threadsOf(server.pid);
  const niceOf = (name: RegExp): number[] =>
    threads.filter((one) => name.test(one.name)).map((one) => one.nice);
  const [main = NaN] = niceOf(/^main$/);
  const [sender = NaN] = niceOf(/^pumice-snd0$/);
  const shards = niceOf(/^pumice-s\d$/);
  const platform = niceOf(/^(?:node|V8Worker)/);
  t.equal(shards.length, 2);
  t.ok(
    shards.every((nice) => sender <= nice && nice < main),
    `${sender} ${String(shards)} ${main}`,
  );
  t.ok(platform.length > 0 && platform.every((nice) => nice > main), String(platform));
});

t.test(
  'switched off, all threads have the priority that the process was started with',
  CEILING,
  async (t) => {
    const config = { 'pumice.performance.priorityScheduling': false };
    const server = await PumiceProcess.start({ config });
    t.teardown(() => server.stop());
    t.equal(new Set((await threadsOf(server.pid)).map(({ nice }) => nice)).size, 1);
  },
);
