// How late this machine wakes a thread that only sleeps, while something else is measured: the floor under
// every lateness. A thread of its own; started and stopped around a run.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

export interface Floor {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const SLEEP_MS = 2;

export class FloorProbe {
  readonly #worker = new Worker(new URL(import.meta.url));

  /** Milliseconds of lateness since the start. */
  async stop(): Promise<Floor> {
    this.#worker.postMessage('stop');
    const [floor] = (await once(this.#worker, 'message')) as [Floor];
    await this.#worker.terminate();
    return floor;
  }
}

if (!isMainThread && parentPort) probe(parentPort);

function probe(port: NonNullable<typeof parentPort>): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const late: number[] = [];
  let stopped = false;
  port.once('message', () => (stopped = true));
  const sleep = (): void => {
    for (let n = 0; n < 20; n++) {
      const due = performance.now() + SLEEP_MS;
      Atomics.wait(cell, 0, 0, SLEEP_MS);
      late.push(performance.now() - due);
    }
    if (!stopped) {
      setImmediate(sleep);
      return;
    }
    late.sort((a, b) => a - b);
    const at = (share: number): number =>
      late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? 0;
    port.postMessage({ p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) } satisfies Floor);
  };
  sleep();
}
