// The loader pool: probes identifiers in threads of its own, so that a hostile file can kill a loader and
// never a playing shard. Threads start on demand and end after half a minute without work.
import { MessageChannel } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.js';
import type { ShardConfig } from '../../shared/config.js';
import { ServerError } from '../../shared/errors.js';
import type { LoadOutcome, LoadService } from '../../shared/load.js';
import type { LoadTask } from '../../shared/shard-task.js';
import { Pool } from './pool.js';

export interface LoaderPoolOptions {
  readonly clock: Clock;
  readonly config: ShardConfig;
  readonly deadlineMs: number;
  /** The compiled loader entry. */
  readonly entry: URL;
}

const MAX_THREADS = 2;
const LOADS_PER_THREAD = 32;
const IDLE_TIMEOUT_MS = 30_000;
/** A loader that has not answered this long after the deadline is stuck in a parser: its thread is ended. */
const WEDGED_AFTER_MS = 1_000;

export class LoaderPool implements LoadService {
  readonly #options: LoaderPoolOptions;
  readonly #pool: Pool;

  constructor(options: LoaderPoolOptions) {
    this.#options = options;
    this.#pool = new Pool({
      entry: options.entry,
      minThreads: 0,
      maxThreads: MAX_THREADS,
      tasksPerThread: LOADS_PER_THREAD,
      idleTimeout: IDLE_TIMEOUT_MS,
      stackBytes: null,
      maxHeapMb: 256,
      maxYoungMb: null,
    });
  }

  async load(identifier: string, signal: AbortSignal): Promise<LoadOutcome> {
    if (signal.aborted) throw signal.reason;
    const { clock, config, deadlineMs } = this.#options;
    const { port1, port2 } = new MessageChannel();
    let threadId = 0;
    port1.on('message', (id: number) => {
      threadId = id;
    });
    port1.unref();
    const task: LoadTask = { identifier, deadlineMs, config, cancel: port2 };
    let onAbort: () => void = () => undefined;
    const cancelled = new Promise<never>((_, reject) => {
      onAbort = () => {
        port1.postMessage('cancel');
        reject(ServerError.from(signal.reason, 'PUM_LOAD_FAILED'));
      };
    });
    signal.addEventListener('abort', onAbort, { once: true });
    cancelled.catch(() => undefined);
    const wedged = clock.after(deadlineMs + WEDGED_AFTER_MS, () => {
      void this.#pool.terminate(threadId);
    });
    const running = this.#pool.run(task, [port2]) as Promise<LoadOutcome>;
    // The watchdog outlives a cancelled load: a loader that ignores the cancelling is ended too.
    const over = (): void => {
      wedged.cancel();
      signal.removeEventListener('abort', onAbort);
      port1.close();
    };
    running.then(over, over);
    try {
      return await Promise.race([running, cancelled]);
    } catch (thrown) {
      if (thrown instanceof ServerError) throw thrown;
      const error = new ServerError('PUM_LOAD_DEADLINE', { ms: deadlineMs }, thrown);
      return { kind: 'error', error: error.toShape() };
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
