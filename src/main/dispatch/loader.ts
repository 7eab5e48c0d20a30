// The loader pool: probes identifiers in threads of its own, so that a hostile file can kill a loader and
// never a playing shard. Threads start on demand and end after half a minute without work.
import { MessageChannel } from 'node:worker_threads';
import type { Clock, Timer } from '../../shared/clock.js';
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
  /** Priority of the threads; main's own by default. */
  readonly nice?: number | undefined;
}

const MAX_THREADS = 2;
const LOADS_PER_THREAD = 32;
const IDLE_TIMEOUT_MS = 30_000;
/** A loader that has not answered so long after its deadline is stuck in a parser: its thread is ended. */
const WEDGED_AFTER_MS = 1_000;
/** A loader's own deadline comes so much earlier, a tenth at most, so that the answer is back by main's. */
const EARLY_MS = 300;

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
    const own = deadlineMs - Math.min(EARLY_MS, deadlineMs / 10);
    const task: LoadTask = {
      identifier,
      deadlineMs: own,
      config,
      cancel: port2,
      nice: this.#options.nice ?? null,
    };
    let onAbort: () => void = () => undefined;
    const cancelled = new Promise<never>((_, reject) => {
      onAbort = () => {
        port1.postMessage('cancel');
        reject(ServerError.from(signal.reason, 'PUM_LOAD_FAILED'));
      };
    });
    signal.addEventListener('abort', onAbort, { once: true });
    cancelled.catch(() => undefined);
    let timer: Timer | null = null;
    const late = new Promise<LoadOutcome>((resolve) => {
      // The loader ends by itself a little earlier, unless it is stuck or never got its turn.
      timer = clock.after(deadlineMs, () => {
        port1.postMessage('cancel');
        resolve({ kind: 'error', error: new ServerError('PUM_LOAD_DEADLINE', { ms: deadlineMs }).toShape() });
        timer = clock.after(WEDGED_AFTER_MS, endThread);
      });
    });
    const endThread = (): void => {
      // 0: still waiting for a thread, or its start; look again.
      if (threadId > 0) void this.#pool.terminate(threadId);
      timer = clock.after(WEDGED_AFTER_MS, endThread);
    };
    const running = this.#pool.run(task, [port2]) as Promise<LoadOutcome>;
    // Goes on behind a load that was cancelled or late: a loader that ignores that is ended all the same.
    const over = (): void => {
      timer?.cancel();
      signal.removeEventListener('abort', onAbort);
      port1.close();
    };
    running.then(over, over);
    try {
      return await Promise.race([running, cancelled, late]);
    } catch (thrown) {
      if (thrown instanceof ServerError) throw thrown;
      // The thread died: of this load, or of another one beside it.
      return { kind: 'error', error: new ServerError('PUM_LOAD_FAILED', {}, thrown).toShape() };
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
