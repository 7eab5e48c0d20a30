// The sender threads (architecture §2): starts them, gives every life of a shard its rings and a port to the one
// that sends for it, and replaces one that died, with the rings handed over. Main thread only.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.js';
import { DISPATCH } from '../../shared/limits.js';
import { slabFor } from '../../shared/ring-plan.js';
import type { SenderLink } from '../../shared/shard-task.js';
import type { Log } from '../log.js';
import type { SenderReport } from './fleet.js';
import { Restarts } from './restarts.js';
import { SenderHandle, type SenderClient } from './sender-handle.js';

export interface SendersOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Threads to start; 0: the shards send by themselves. */
  readonly count: number;
  /** `bufferDurationMs`. */
  readonly leadMs: number;
  /** Too many of them have died: the process should end with 70. */
  readonly giveUp: () => void;
  /** Another worker entry, for tests that need a sender to misbehave. */
  readonly entry?: URL;
}

/** What one life of a shard gets. */
export interface SenderLease {
  readonly link: SenderLink;
  /** To be transferred with the link. */
  readonly ports: readonly MessagePort[];
  /** The shard's thread is gone. */
  end(): void;
}

export class Senders {
  readonly #options: SendersOptions;
  readonly #senders: readonly SenderHandle[];
  readonly #restarts = new Restarts();
  #closing = false;

  constructor(options: SendersOptions) {
    this.#options = options;
    const entry = options.entry ?? new URL('../../shard/sender/entry.js', import.meta.url);
    this.#senders = Array.from(
      { length: options.count },
      (_, index) =>
        new SenderHandle({
          index,
          entry,
          died: (reason) => {
            this.#died(index, reason);
          },
        }),
    );
    for (const sender of this.#senders) sender.start();
  }

  /** Rings and ports for a shard that is about to start; null where the shards send by themselves. */
  lease(shard: number): SenderLease | null {
    const sender = this.#senders[shard % this.#senders.length];
    if (!sender) return null;
    const slab = slabFor(this.#options.leadMs);
    const { port1, port2 } = new MessageChannel();
    const client: SenderClient = {
      slab,
      moved: (port) => {
        port1.postMessage({ port }, [port]);
      },
    };
    const port = sender.attach(client);
    return {
      link: { slab, port, moves: port2 },
      ports: [port, port2],
      end: () => {
        sender.detach(client);
        port1.close();
      },
    };
  }

  /** What each has counted, over all its lives. */
  reports(): readonly SenderReport[] {
    return this.#senders.map((sender) => sender.report());
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#senders.map((sender) => sender.close()));
  }

  #died(index: number, reason: string): void {
    const { clock, log, giveUp } = this.#options;
    if (this.#closing) return;
    log.error(`sender ${String(index)} died`, { sender: index, reason });
    const wait = this.#restarts.next(clock.now());
    if (wait === null) {
      log.error('too many senders have died, giving up', { restarts: DISPATCH.maxRestarts });
      giveUp();
      return;
    }
    clock.after(wait, () => {
      if (!this.#closing) this.#senders[index]?.start();
    });
  }
}
