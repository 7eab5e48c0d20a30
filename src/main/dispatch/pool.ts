// The only file that knows piscina. A pool of worker threads for one entry file: shards run one task each
// that does not end (architecture §4.1), loaders many short ones. Main thread only.
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';

export interface PoolOptions {
  /** The compiled worker entry; its default export is the task. */
  readonly entry: URL;
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly tasksPerThread: number;
  /** Milliseconds after which a thread above minThreads ends. */
  readonly idleTimeout: number;
  readonly stackBytes: number | null;
  readonly maxHeapMb: number | null;
  readonly maxYoungMb: number | null;
}

export class Pool {
  readonly #piscina: Piscina;

  constructor(options: PoolOptions) {
    const { stackBytes, maxHeapMb, maxYoungMb } = options;
    this.#piscina = new Piscina({
      filename: fileURLToPath(options.entry),
      minThreads: options.minThreads,
      maxThreads: options.maxThreads,
      concurrentTasksPerWorker: options.tasksPerThread,
      idleTimeout: options.idleTimeout,
      // The default parks an idle worker in Atomics.wait, where neither timers nor sockets run.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: {
        ...(stackBytes === null ? {} : { stackSizeMb: stackBytes / 1_048_576 }),
        ...(maxHeapMb === null ? {} : { maxOldGenerationSizeMb: maxHeapMb }),
        ...(maxYoungMb === null ? {} : { maxYoungGenerationSizeMb: maxYoungMb }),
      },
    });
    // The death of a thread without a task; its replacement has been started already.
    this.#piscina.on('error', () => undefined);
  }

  /**
   * Runs one task. Rejects with what it threw, or when its thread died. Aborting `signal` rejects as well and
   * ends the thread that has the task, if one has. A thread that dies before it takes a task leaves it waiting.
   */
  run(task: unknown, transfer: readonly object[] = [], signal: AbortSignal | null = null): Promise<unknown> {
    return this.#piscina.run(task, { transferList: transfer as never, signal });
  }

  /** Tasks that wait for a thread. */
  get waiting(): number {
    return this.#piscina.queueSize;
  }

  get threads(): number {
    return this.#piscina.threads.length;
  }

  /** Ends one thread by its id; its tasks reject. False when there is no such thread any more. */
  async terminate(threadId: number): Promise<boolean> {
    const worker = this.#piscina.threads.find((thread) => thread.threadId === threadId);
    if (!worker) return false;
    await worker.terminate();
    return true;
  }

  /** Ends every thread. */
  async destroy(): Promise<void> {
    await this.#piscina.destroy();
  }
}
