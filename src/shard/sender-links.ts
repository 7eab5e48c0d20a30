// The sender threads that a shard knows: main hands over a link for each when the shard starts and when it starts
// another one, and a new port to one that was replaced. Called by run-shard.ts, in the shard; used by the driver.
import type { MessagePort } from 'node:worker_threads';
import { ServerError } from '../shared/errors.js';
import type { SenderLink } from '../shared/shard-task.js';
import type { SenderControl, SenderListener } from './sender/messages.js';
import { SenderRings } from './voice/sender-rings.js';

/** A sender at the other end of a port. */
export interface LinkedSender extends SenderControl {
  /** Another thread has taken its place. */
  moveTo(port: MessagePort): void;
  /** Lets go of it: it sends what is sealed and forgets the rings. */
  disconnect(): void;
}

export type ConnectSender = (port: MessagePort, listener: SenderListener) => LinkedSender;

export class SenderLinks {
  readonly #connect: ConnectSender;
  readonly #senders = new Map<number, LinkedSender>();
  readonly #rings = new Map<number, SenderRings>();

  constructor(connect: ConnectSender) {
    this.#connect = connect;
  }

  take({ sender, slab, port }: SenderLink): void {
    if (slab === null) {
      const known = this.#senders.get(sender);
      if (known) known.moveTo(port);
      else port.close();
      return;
    }
    const rings = new SenderRings(slab, (listener) => {
      const linked = this.#connect(port, listener);
      this.#senders.set(sender, linked);
      return linked;
    });
    this.#rings.set(sender, rings);
  }

  /** Throws PUM_VOICE_FAILED for a sender that was never handed over. */
  rings(sender: number): SenderRings {
    const rings = this.#rings.get(sender);
    if (!rings) throw new ServerError('PUM_VOICE_FAILED', {}, `no sender ${String(sender)}`);
    return rings;
  }

  close(): void {
    for (const sender of this.#senders.values()) sender.disconnect();
    this.#senders.clear();
    this.#rings.clear();
  }
}
