// A reader fills one packet window from one source, as far ahead as the settings allow and no further. It
// is the only asynchronous thing between the source and the wire. Exists once per track instance (a seek
// that leaves the window makes another one on the same media); told where its slowest cursor stands.
import type { ContainerInfo, PacketCursor } from '../audio/container.js';
import { PacketWindow } from '../audio/packet-window.js';
import { runUpSeconds } from '../audio/pipeline.js';
import { AUDIO } from '../shared/limits.js';
import { ServerError, type ErrorCode } from '../shared/errors.js';
import type { Media } from './media.js';
import type { ReaderTurns, TurnTaker } from './reader-turns.js';

/** Packets this much older than a run-up needs are kept, so that rounding never loses one. Seconds. */
const KEEP_SLACK = 0.1;
/** At least this much lies ahead whatever the packets' size, or large packets would stop the music. Seconds. */
const LEAST_AHEAD = 0.2;
/** With less than this ahead a reader goes before those that have more. Seconds. */
const HURRY_BELOW = 1;
/**
 * A window is filled again when what lies ahead has come down to four fifths of the whole, for one reader
 * earlier and for another later: or those that started together would all read at the same time for ever.
 */
const LEAST_REFILL = 0.7;
const REFILL_RANGE = 0.2;

export interface ReaderOptions {
  /** Source seconds of the first frame wanted; the packets of its run-up are read too. */
  readonly from: number;
  /** How far ahead of the cursor to read, seconds. */
  readonly ahead: number;
  /** Those of the shard. */
  readonly turns: ReaderTurns;
  /**
   * Told when the container is open, when packets have come (one that somebody waits for at once, others
   * together), at the end and on failure.
   */
  readonly changed: () => void;
}

/** What a reader says of itself to somebody who asks why nothing is heard. */
export interface ReaderInspection {
  readonly state: ReaderState['kind'];
  readonly error: ErrorCode | null;
  readonly packetsRead: number;
  readonly packetAgeMs: number | null;
}

export type ReaderState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: ServerError }
  | { readonly kind: 'closed' };

export class Reader implements TurnTaker {
  readonly window = new PacketWindow();
  readonly #media: Media;
  readonly #options: ReaderOptions;
  #state: ReaderState = { kind: 'opening' };
  #info: ContainerInfo | null = null;
  #runUp = 0;
  /** Source seconds from which packets are kept. */
  #kept = 0;
  #cursorAt: number;
  /** Somebody has used up the window and waits; for the first packet somebody always does. */
  #wanted = true;
  /** Packets have come that nobody was told of. */
  #untold = false;
  /** Clock time of the last packet; -1 before the first. */
  #packetAt = -1;
  /** Share of `ahead` below which the window is filled again. */
  readonly #refillBelow: number;
  /** Goes on after a rest; null while it reads. */
  #wake: (() => void) | null = null;
  /** Goes on in its turn; null when it waits for none. */
  #go: (() => void) | null = null;

  constructor(media: Media, options: ReaderOptions) {
    this.#media = media;
    this.#options = options;
    this.#cursorAt = options.from;
    this.#refillBelow = LEAST_REFILL + REFILL_RANGE * options.turns.spread();
    void this.#run();
  }

  get state(): ReaderState {
    return this.#state;
  }

  /** What the container said, once it is open; kept when the source fails later. */
  get info(): ContainerInfo | null {
    return this.#info;
  }

  /** Whether the window holds everything that a producer needs to start at `seconds`. */
  covers(seconds: number): boolean {
    return this.#info !== null && this.window.covers(seconds - this.#runUp, seconds);
  }

  /** The cursor will go on at `at`: what lies ahead is counted from there, nothing is dropped yet. */
  aim(at: number): void {
    this.#cursorAt = at;
    this.#wakeIfHungry();
  }

  /** The slowest cursor stands at `at`: of what lies before it only a run-up is kept. */
  keep(at: number): void {
    this.#cursorAt = at;
    const from = at - this.#runUp - KEEP_SLACK;
    if (from > this.#kept) {
      this.#kept = from;
      this.window.dropBefore(from);
    }
    this.#wakeIfHungry();
  }

  /**
   * The window is used up. The next packet is read whatever the window's limits say: by the container's
   * clock it may look full (a jump in its times, packets larger than the limit) and yet yield no frame.
   */
  want(): void {
    this.#wanted = true;
    this.#wake?.();
    if (this.#go) this.#options.turns.hurry(this);
  }

  inspect(): ReaderInspection {
    const state = this.#state;
    return {
      state: state.kind,
      error: state.kind === 'failed' ? state.error.code : null,
      packetsRead: this.window.next,
      packetAgeMs: this.#packetAt < 0 ? null : Math.round(this.#options.turns.now - this.#packetAt),
    };
  }

  get hurries(): boolean {
    return this.#wanted || this.#aheadSeconds() < HURRY_BELOW;
  }

  /** Its turn has come; called by the turns only. */
  read(): void {
    this.#go?.();
  }

  close(): void {
    this.#state = { kind: 'closed' };
    this.#options.turns.leave(this);
    this.#wake?.();
    this.#go?.();
  }

  async #run(): Promise<void> {
    try {
      const { info } = await this.#media.container();
      if (this.#isClosed()) return;
      this.#info = info;
      this.#runUp = runUpSeconds(info.format);
      this.#kept = Math.max(0, this.#options.from - this.#runUp - KEEP_SLACK);
      this.#state = { kind: 'reading' };
      this.#options.changed();
      await this.#fill(await this.#media.packets(this.#kept));
    } catch (thrown) {
      if (this.#isClosed()) return;
      this.#state = { kind: 'failed', error: ServerError.from(thrown, 'PUM_SOURCE_BROKEN') };
      this.#options.changed();
    } finally {
      this.#options.turns.leave(this);
    }
  }

  async #fill(cursor: PacketCursor): Promise<void> {
    const { turns } = this.#options;
    while (!this.#isClosed()) {
      if (this.#mayRest()) {
        this.#tell();
        turns.leave(this);
        await this.#paused();
        continue;
      }
      if (!turns.mayRead(this)) {
        this.#tell();
        await this.#turn();
        continue;
      }
      const packet = cursor.ready?.() ?? (await cursor.next());
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
      this.#packetAt = turns.now;
      this.#untold = true;
      if (this.#wanted) {
        this.#wanted = false;
        this.#tell();
      }
    }
  }

  #mayRest(): boolean {
    const full = this.#overflowing();
    if (full && this.#wanted)
      throw new ServerError('PUM_FORMAT_BROKEN', { reason: 'its packets hold no sound' });
    return full || (!this.#wanted && (this.#aheadSeconds() >= this.#options.ahead || this.#overBytes()));
  }

  #tell(): void {
    if (!this.#untold) return;
    this.#untold = false;
    this.#options.changed();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#go = () => {
        this.#go = null;
        resolve();
      };
      this.#options.turns.ask(this);
    });
  }

  #paused(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  /** Woken when a part is used up, so that a full window costs one wake per batch and not one per frame. */
  #wakeIfHungry(): void {
    if (this.#go) this.#options.turns.hurry(this);
    if (!this.#wake || this.#overBytes() || this.#overflowing()) return;
    if (this.#aheadSeconds() < this.#options.ahead * this.#refillBelow) this.#wake();
  }

  #aheadSeconds(): number {
    return this.window.end - this.#cursorAt;
  }

  #overBytes(): boolean {
    return this.window.bytes >= AUDIO.maxWindowBytes && this.#aheadSeconds() > LEAST_AHEAD;
  }

  /** Times that stand still or mean nothing bound no window. */
  #overflowing(): boolean {
    const { window } = this;
    return window.bytes >= AUDIO.maxWindowBytesEver || window.next - window.first >= AUDIO.maxWindowPackets;
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed';
  }
}
