// One track's container, opened once through its source and shared by the readers that follow one another
// on it (a seek makes a new reader). Owns the bytes; runs in a shard.
import type { Container, PacketCursor } from '../audio/container.js';

export class Media {
  readonly #abort = new AbortController();
  readonly #container: Promise<Container>;

  /** Starts to open at once; `open` is given a signal that is aborted by close(). */
  constructor(open: (signal: AbortSignal) => Promise<Container>) {
    this.#container = open(this.#abort.signal);
    // Whoever waits hears of a failure; when nobody waits any more it is not an error.
    this.#container.catch(() => undefined);
  }

  container(): Promise<Container> {
    return this.#container;
  }

  /** Packets from that source time on; makes an earlier cursor useless. */
  async packets(fromSeconds: number): Promise<PacketCursor> {
    const container = await this.#container;
    return container.packets(fromSeconds);
  }

  close(): void {
    this.#abort.abort();
    this.#container.then(
      (container) => {
        container.close();
      },
      () => undefined,
    );
  }
}
