// A named worker can be told from its neighbours in `top -H`: the kernel shows its name.

import { readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { nameThread } from '../../src/shared/thread-name.js';

const linux = process.platform === 'linux' ? false : 'thread names are written on Linux only';

function threadNames(): readonly string[] {
  return readdirSync(`/proc/${process.pid}/task`).flatMap((tid) => {
    try {
      return [readFileSync(`/proc/${process.pid}/task/${tid}/comm`, 'utf8').trimEnd()];
    } catch {
      return []; // The thread ended between the two reads.
    }
  });
}

/** A worker that names itself, says so and waits to be told to end. */
async function namedWorker(name: string): Promise<Worker> {
  const module = new URL('../../src/shared/thread-name.js', import.meta.url).href;
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { nameThread } from ${JSON.stringify(module)};
    nameThread(workerData);
    parentPort.once('message', () => {});
    parentPort.postMessage('named');
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(url, { workerData: name });
  await once(worker, 'message');
  return worker;
}

t.test(
  'two named workers show their names, cut to 15 characters',
  { timeout: 20_000, skip: linux },
  async (t) => {
    const before = threadNames();
    const workers = await Promise.all([namedWorker('pumice-s0'), namedWorker('pumice-sender-number-one')]);
    const names = threadNames();
    t.ok(names.includes('pumice-s0'), 'the short name', { names });
    t.ok(names.includes('pumice-sender-n'), 'the long name, cut', { names });
    t.equal(names[0], before[0], 'the main thread keeps its own');
    await Promise.all(workers.map((worker) => worker.terminate()));
    t.notOk(threadNames().includes('pumice-s0'), 'the name goes with the thread');
  },
);

t.test('the calling thread is the one that gets the name', { timeout: 10_000, skip: linux }, (t) => {
  const own = readFileSync(`/proc/self/task/${process.pid}/comm`, 'utf8').trimEnd();
  t.teardown(() => nameThread(own));
  nameThread('pumice-main');
  t.equal(readFileSync(`/proc/self/task/${process.pid}/comm`, 'utf8'), 'pumice-main\n');
  t.end();
});

t.test('a name that cannot be written is no error', { timeout: 10_000 }, (t) => {
  t.doesNotThrow(() => nameThread(''));
  t.doesNotThrow(() => nameThread('x'.repeat(100_000)));
  t.end();
});
