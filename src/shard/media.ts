// One track's container, opened through its source and shared by the readers that follow one another on it
// (a seek makes a new reader). May let go of the far end during a long pause and open it again. Owns the
// bytes; runs in a shard.
import type { Container, PacketCursor } from '../audio/container.js';
import { ServerError } from '../shared/errors.js';

export class Media {
  readonly #open: (signal: AbortSignal) => Promise<Container>;
  #abort = new AbortController();
  #container: Promise<Container> | null = null;
  #closed = false;

  /** Starts to open at once; `open` is given a signal that is aborted by rest() and close(). */
  constructor(open: (signal: AbortSignal) => Promise<Container>) {
    this.#open = open;
    void this.#start();
  }

  /** The container; opened again after a rest. */
  container(): Promise<Container> {
    if (this.#closed) return Promise.reject(new ServerError('PUM_TRACK_TERMINATED'));
    return this.#container ?? this.#start();
  }

  /** Packets from that source time on; makes an earlier cursor useless. */
  async packets(fromSeconds: number): Promise<PacketCursor> {
    const container = await this.container();
    return container.packets(fromSeconds);
  }

  /** Lets go of sockets and files until the container is wanted again. */
  rest(): void {
    this.#abort.abort();
    // Whether it never opened or does not close well: there is nobody left to be told.
    this.#container?.then((container) => container.close()).catch(() => undefined);
    this.#container = null;
  }

  close(): void {
    this.#closed = true;
    this.rest();
  }

  #start(): Promise<Container> {
    this.#abort = new AbortController();
    const container = this.#open(this.#abort.signal);
    // Whoever waits hears of a failure; when nobody waits any more it is not an error.
    container.catch(() => undefined);
    this.#container = container;
    return container;
  }
}
