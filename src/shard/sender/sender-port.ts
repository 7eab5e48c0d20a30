// The shard's end of the port to a sender thread: calls become messages, messages calls (messages.ts). It
// remembers what it has asked for, so that the rings can be handed to another sender when this one has died.

import type { MessagePort } from 'node:worker_threads';
import type { RowPlace } from '../../shared/sent-row.js';
import type { SenderControl, SenderListener, SenderReport, SenderRequest } from './messages.js';

/** What a ring's next sender has to be told. */
interface Asked {
  discover: SenderRequest | null;
  open: SenderRequest | null;
  closing: boolean;
}

export class SenderPort implements SenderControl {
  readonly outlivesShard = true;
  readonly #listener: SenderListener;
  readonly #asked = new Map<number, Asked>();
  #port: MessagePort;
  readonly #take = (report: SenderReport): void => {
    const { ring } = report;
    switch (report.op) {
      case 'discovered': {
        const asked = this.#asked.get(ring);
        if (asked?.closing !== false) return;
        asked.discover = null;
        return this.#listener.discovered(ring, report.address, report.port);
      }
      case 'quiet':
        if (this.#asked.get(ring)?.closing === false) this.#listener.quiet(ring);
        return;
      case 'closed':
        this.#asked.delete(ring);
        return this.#listener.closed(ring);
    }
  };

  constructor(port: MessagePort, listener: SenderListener) {
    this.#listener = listener;
    this.#port = port;
    port.on('message', this.#take);
  }

  discover(ring: number, address: string, port: number, ssrc: number): void {
    const request: SenderRequest = { op: 'discover', ring, address, port, ssrc };
    this.#of(ring).discover = request;
    this.#port.postMessage(request);
  }

  open(ring: number, address: string, port: number, row: RowPlace | null): void {
    const request: SenderRequest = { op: 'open', ring, address, port, row };
    this.#of(ring).open = request;
    this.#port.postMessage(request);
  }

  start(ring: number): void {
    this.#port.postMessage({ op: 'start', ring } satisfies SenderRequest);
  }

  close(ring: number): void {
    const asked = this.#of(ring);
    if (asked.closing) return;
    asked.closing = true;
    this.#port.postMessage({ op: 'close', ring } satisfies SenderRequest);
  }

  /** Hands all rings to another sender, on the same slab. Only when the thread of the one before has ended. */
  moveTo(port: MessagePort): void {
    this.disconnect();
    this.#port = port;
    port.on('message', this.#take);
    for (const [ring, { discover, open, closing }] of this.#asked) {
      if (closing) {
        port.postMessage({ op: 'close', ring } satisfies SenderRequest);
        continue;
      }
      if (discover !== null) port.postMessage(discover);
      if (open === null) continue;
      port.postMessage(open);
      // Whether it was running is in the ring: one with nothing in it does not start.
      this.start(ring);
    }
  }

  /** Ends the port; the sender forgets the rings when it has sent what is in them. */
  disconnect(): void {
    this.#port.off('message', this.#take);
    this.#port.close();
  }

  #of(ring: number): Asked {
    let asked = this.#asked.get(ring);
    if (asked === undefined) {
      asked = { discover: null, open: null, closing: false };
      this.#asked.set(ring, asked);
    }
    return asked;
  }
}
