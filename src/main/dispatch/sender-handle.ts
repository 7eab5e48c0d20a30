// The only file of main that starts a Worker by hand: a sender thread, replaced when it dies, with every shard's
// rings attached to whichever thread lives. Started by senders.ts; main thread only; the worker side is
// src/shard/sender/entry.ts.
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { Clock, Timer } from '../../shared/clock.js';
import { DRIVER, LATE_BUCKETS } from '../../shared/driver-words.js';
import { DISPATCH } from '../../shared/limits.js';
import type { SlabLayout } from '../../shared/send-ring.js';
import { SENDER_PULSE, SENDER_WORDS, type SenderOrder, type SenderTask } from '../../shared/sender-task.js';
import type { SenderReport } from './fleet.js';
import type { Watched } from './watchdog.js';

export interface SenderHandleOptions {
  readonly index: number;
  /** Priority of the thread; main's own by default. */
  readonly nice?: number | undefined;
  /** The compiled worker entry. */
  readonly entry: URL;
  readonly clock: Clock;
  /** The thread is gone though nobody asked it to end. */
  readonly died: (reason: string) => void;
  /** It did not end when it was told to: it hangs in native code, which nothing can end. */
  readonly stuck: () => void;
}

/** One life of a shard, whose rings this sender empties. */
export interface SenderClient {
  readonly slab: SlabLayout;
  /** Another thread sends from now on: hands the shard a port to it. */
  readonly moved: (port: MessagePort) => void;
}

/** A small young generation keeps the pauses of collections short (discord-voice.md §4.2 rule 6). */
const YOUNG_MB = 2;

export class SenderHandle implements Watched {
  readonly index: number;
  /** The words of SenderTask.counters, over all lives of the thread. */
  readonly counters = new Float64Array(new SharedArrayBuffer(SENDER_WORDS * Float64Array.BYTES_PER_ELEMENT));
  restarts = 0;
  /** Placed on it and not gone; senders.ts counts them. */
  players = 0;
  readonly #options: SenderHandleOptions;
  readonly #clients = new Set<SenderClient>();
  #worker: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();
  #closing = false;
  /** What the pulse was when the present thread was started. */
  #firstPulse = 0;

  constructor(options: SenderHandleOptions) {
    this.index = options.index;
    this.#options = options;
  }

  /** What the watchdog looks at; null while there is no thread that has shown life. */
  get pulse(): number | null {
    const pulse = this.counters[SENDER_PULSE] ?? 0;
    return this.#worker === null || pulse === this.#firstPulse ? null : pulse;
  }

  /** Starts the thread, or its successor: the rings of every shard that lives are handed to it. */
  start(): void {
    this.#firstPulse = this.counters[SENDER_PULSE] ?? 0;
    const task: SenderTask = {
      index: this.index,
      counters: this.counters.buffer,
      nice: this.#options.nice ?? null,
    };
    const worker = new Worker(this.#options.entry, {
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker = worker;
    // A thread that hangs at its start has no pulse that could stand still.
    const deadline = this.#options.clock.after(DISPATCH.startDeadline, () => {
      if (this.pulse === null) void this.terminate();
    });
    let reason = 'it ended by itself';
    worker.on('error', (error: Error) => {
      reason = `${error.name}: ${error.message}`;
    });
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => {
        deadline.cancel();
        this.#worker = null;
        resolve();
        if (this.#closing) return;
        this.restarts++;
        this.#options.died(reason);
      });
    });
    for (const client of this.#clients) client.moved(this.#connect(client.slab));
  }

  /** Ends its thread, if there is one; a successor is started as after every death. */
  async terminate(): Promise<void> {
    const { clock, stuck } = this.#options;
    const deadline: Timer = clock.after(DISPATCH.terminateDeadline, stuck);
    await this.#worker?.terminate();
    deadline.cancel();
  }

  /** From here on this sender sends for the shard, whichever thread it has. Returns the shard's port to it. */
  attach(client: SenderClient): MessagePort {
    this.#clients.add(client);
    return this.#connect(client.slab);
  }

  /** The shard's thread is gone: what it had sealed goes out, and its rings are not used again. */
  detach(client: SenderClient): void {
    this.#clients.delete(client);
  }

  report(): SenderReport {
    const words = this.counters;
    return {
      sender: this.index,
      up: this.pulse !== null,
      restarts: this.restarts,
      players: this.players,
      sent: words[DRIVER.sent] ?? 0,
      silence: words[DRIVER.silence] ?? 0,
      missed: words[DRIVER.missed] ?? 0,
      lateness: [...words.subarray(DRIVER.late, DRIVER.late + LATE_BUCKETS.length)],
      maxLatenessMs: words[DRIVER.maxLate] ?? 0,
    };
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker?.terminate();
    await this.#ended;
  }

  #connect(slab: SlabLayout): MessagePort {
    const { port1, port2 } = new MessageChannel();
    // Between two threads there is nobody to take it: the successor connects everybody anew.
    if (this.#worker === null) port1.close();
    else this.#worker.postMessage({ op: 'attach', port: port1, slab } satisfies SenderOrder, [port1]);
    return port2;
  }
}
