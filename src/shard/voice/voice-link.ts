// One voice connection of one player, and the promise of its first outcome: a PATCH with voice data waits
// for it, but no longer than the answer deadline (decision D14). Stands between driver and player so that a
// connection that was replaced can tell nobody anything.
import type { Clock, Timer } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { VOICE } from '../../shared/limits.js';
import type { RowPlace } from '../../shared/sent-row.js';
import type {
  GiveUp,
  VoiceClose,
  VoiceConnection,
  VoiceDriver,
  VoiceListener,
  VoiceServer,
} from './driver.js';

/** The player's side. */
export interface LinkOwner {
  voiceReady(silent: boolean): void;
  voiceClosed(close: VoiceClose): void;
  /** The connection never came about, and the PATCH that asked for it is told so: no event. */
  voiceFailed(): void;
  frameSent(at: number): void;
  frameGivenUp(at: number, why: GiveUp): void;
  frameMissed(isBlocked: boolean): void;
}

export interface LinkOptions {
  readonly driver: VoiceDriver;
  readonly server: VoiceServer;
  readonly owner: LinkOwner;
  readonly clock: Clock;
  /** Ready is not told as an event: a replacement takes over. */
  readonly silent: boolean;
  readonly mayConnect: () => boolean;
  /** The player's, in the shared counters. */
  readonly row: RowPlace | null;
}

/** Of a link whose outcome is told. */
const NOBODY = (): void => undefined;

export class VoiceLink implements VoiceListener {
  readonly connection: VoiceConnection;
  /** Resolves when connected, superseded, or after the answer deadline; rejects with PUM_VOICE_FAILED. */
  readonly settled: Promise<void>;
  /** Code with which the connection ended by itself; null while it has not. */
  closedWith: number | null = null;
  readonly #owner: LinkOwner;
  readonly #silent: boolean;
  /** Runs until the first outcome. */
  #timer: Timer | null;
  #settle: (error: ServerError | null) => void = NOBODY;
  #waiting = true;
  #closed = false;

  /** Throws PUM_VOICE_FULL. */
  constructor(options: LinkOptions) {
    this.#owner = options.owner;
    this.#silent = options.silent;
    this.settled = new Promise((resolve, reject) => {
      this.#settle = (error) => {
        if (error) reject(error);
        else resolve();
      };
    });
    // Nobody waits for an adopted connection.
    this.settled.catch(() => undefined);
    this.connection = options.driver.connect(options.server, this, options.mayConnect, options.row);
    this.#timer = options.clock.after(VOICE.answerDeadline, () => {
      this.#answer(null);
    });
  }

  /** Ends the connection; from here on nobody hears of it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#answer(null);
    this.connection.close();
  }

  onReady(): void {
    if (this.#closed) return;
    this.#owner.voiceReady(this.#silent);
    this.#answer(null);
  }

  onClosed(close: VoiceClose): void {
    if (this.#closed) return;
    this.#closed = true;
    this.closedWith = close.code;
    // A failure that a waiting PATCH answers is not told a second time as an event.
    if (this.#waiting && close.beforeReady && !this.#silent) {
      this.#owner.voiceFailed();
      this.#answer(new ServerError('PUM_VOICE_FAILED', {}, `${String(close.code)} ${close.reason}`));
    } else {
      this.#answer(null);
      this.#owner.voiceClosed(close);
    }
  }

  onSent(at: number): void {
    if (!this.#closed) this.#owner.frameSent(at);
  }

  onGivenUp(at: number, why: GiveUp): void {
    if (!this.#closed) this.#owner.frameGivenUp(at, why);
  }

  onMissed(isBlocked: boolean): void {
    if (!this.#closed) this.#owner.frameMissed(isBlocked);
  }

  #answer(error: ServerError | null): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#timer?.cancel();
    this.#timer = null;
    this.#settle(error);
    this.#settle = NOBODY;
  }
}
