// A reader fills one packet window from one source, as far ahead as the settings allow and no further. It
// is the only asynchronous thing between the source and the wire. Exists once per track instance (a seek
// that leaves the window makes another one on the same media); told where its slowest cursor stands.
import type { ContainerInfo, PacketCursor } from '../audio/container.js';
import { PacketWindow } from '../audio/packet-window.js';
import { AUDIO } from '../shared/limits.js';
import { ServerError } from '../shared/errors.js';
import type { Media } from './media.js';

export interface ReaderOptions {
  /** Source seconds to start from. */
  readonly from: number;
  /** How far ahead of the cursor to read, seconds. */
  readonly ahead: number;
  /** Told when the container is open, when packets came after there were none to take, at the end and on failure. */
  readonly changed: () => void;
}

export type ReaderState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: ServerError }
  | { readonly kind: 'closed' };

export class Reader {
  readonly window = new PacketWindow();
  readonly #media: Media;
  readonly #options: ReaderOptions;
  #state: ReaderState = { kind: 'opening' };
  #info: ContainerInfo | null = null;
  /** Source seconds from which packets are kept. */
  #kept: number;
  #cursorAt: number;
  #wake: (() => void) | null = null;

  constructor(media: Media, options: ReaderOptions) {
    this.#media = media;
    this.#options = options;
    this.#kept = options.from;
    this.#cursorAt = options.from;
    void this.#run();
  }

  get state(): ReaderState {
    return this.#state;
  }

  /** What the container said, once it is open; kept when the source fails later. */
  get info(): ContainerInfo | null {
    return this.#info;
  }

  /** The cursor will go on at `at`: what lies ahead is counted from there, nothing is dropped yet. */
  aim(at: number): void {
    this.#cursorAt = at;
    this.#wakeIfHungry();
  }

  /** The slowest cursor stands at `at`; packets from `from` (its run-up included) on are kept. */
  keep(from: number, at: number): void {
    this.#cursorAt = at;
    if (from > this.#kept) {
      this.#kept = from;
      this.window.dropBefore(from);
    }
    this.#wakeIfHungry();
  }

  close(): void {
    this.#state = { kind: 'closed' };
    this.#wake?.();
  }

  async #run(): Promise<void> {
    try {
      const container = await this.#media.container();
      if (this.#isClosed()) return;
      this.#info = container.info;
      this.#state = { kind: 'reading' };
      this.#options.changed();
      await this.#fill(await this.#media.packets(this.#options.from));
    } catch (thrown) {
      if (this.#isClosed()) return;
      this.#state = { kind: 'failed', error: ServerError.from(thrown, 'PUM_SOURCE_BROKEN') };
      this.#options.changed();
    }
  }

  async #fill(cursor: PacketCursor): Promise<void> {
    while (!this.#isClosed()) {
      if (this.#aheadSeconds() >= this.#options.ahead || this.#overBytes()) {
        await this.#paused();
        continue;
      }
      const packet = await cursor.next();
      if (this.#isClosed()) return;
      if (!packet) {
        this.#state = { kind: 'ended' };
        this.#options.changed();
        return;
      }
      if (packet.data.byteLength > AUDIO.maxPacket) {
        throw new ServerError('PUM_FORMAT_BROKEN', {
          reason: `a packet of ${String(packet.data.byteLength)} bytes`,
        });
      }
      this.window.push(packet);
      this.#options.changed();
    }
  }

  #paused(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  /** Woken at four fifths, so that a full window costs one wake per batch and not one per frame. */
  #wakeIfHungry(): void {
    if (this.#wake && this.#aheadSeconds() < this.#options.ahead * 0.8 && !this.#overBytes()) this.#wake();
  }

  #aheadSeconds(): number {
    return this.window.end - this.#cursorAt;
  }

  #overBytes(): boolean {
    // At least a frame's worth lies ahead whatever the packets' size, or a large packet would stop the music.
    return this.window.bytes >= AUDIO.maxWindowBytes && this.#aheadSeconds() > 0.1;
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
}
