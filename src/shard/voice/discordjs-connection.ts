// One player's connection in the discordjs driver: from the first Identify through silent reconnections to
// its end (decision D8), with every wait under a deadline. Made by the driver, in a shard. It knows sessions
// and close codes, but neither the library nor sockets.

import type { Timer } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import type { ConnectionInspection } from '../../shared/inspection.js';
import { VOICE } from '../../shared/limits.js';
import { SentRow, type RowPlace } from '../../shared/sent-row.js';
import { closeRule, resumeDelay } from './close-rules.js';
import type { CloseRule } from './close-rules.js';
import { DiscordjsSession } from './discordjs-session.js';
import type { SessionOwner, SessionParts } from './discordjs-session.js';
import type { GiveUp, VoiceClose, VoiceConnection, VoiceListener, VoiceServer } from './driver.js';
import type { GatewayClose } from './gateway.js';
import { SendResult } from './paced-lane.js';
import type { PacedLane, PacedOutput } from './paced-lane.js';
import type { Pacer } from './pacer.js';

/** Milliseconds; the defaults are those of VOICE in src/shared/limits.ts. */
export interface DriverTimes {
  /** From connect(), or from the start of any later try, to its success. */
  readonly connectDeadline: number;
  readonly discoveryInterval: number;
  readonly resumeFirstDelay: number;
  readonly resumeWindow: number;
  readonly daveHold: number;
}

export interface ConnectionParts extends SessionParts {
  readonly pacer: Pacer;
  readonly times: DriverTimes;
  /** The connection has released everything. */
  readonly onOver: (connection: DiscordjsConnection) => void;
}

/** identifying: no session yet (the first, or a fresh one). waiting: before the next try to resume. */
type Phase = 'identifying' | 'ready' | 'waiting' | 'resuming' | 'over';

export class DiscordjsConnection implements VoiceConnection, PacedOutput, SessionOwner {
  readonly #parts: ConnectionParts;
  readonly #server: VoiceServer;
  readonly #listener: VoiceListener;
  readonly #mayConnect: () => boolean;
  readonly #lane: PacedLane;
  #phase: Phase = 'identifying';
  #session: DiscordjsSession | null = null;
  #everReady = false;
  /** Ends what the current try waits for; replaced at every try. */
  #abort = new AbortController();
  #deadline: Timer | null = null;
  #retry: Timer | null = null;
  // What this spell of trouble has used up. A new spell begins when the connection has held for a window.
  #troubleSince = -Infinity;
  #resumedAt = -Infinity;
  #resumes = 0;
  #timeoutResumed = false;
  #identifiedAfresh = false;
  /** Code with which the gateway was lost last. */
  #lastClose: number | null = null;
  /** Clock time of the last frame that left; -1 before the first. */
  #sentAt = -1;

  /** Starts connecting at once. */
  constructor(
    parts: ConnectionParts,
    server: VoiceServer,
    listener: VoiceListener,
    mayConnect: () => boolean,
    row: RowPlace | null,
  ) {
    this.#parts = parts;
    this.#server = server;
    this.#listener = listener;
    this.#mayConnect = mayConnect;
    this.#lane = parts.pacer.add(this, row === null ? null : new SentRow(row));
    this.#setDeadline(parts.times.connectDeadline);
    void this.#dial();
  }

  /** True while frames can leave, so also while only the gateway is being resumed. */
  get connected(): boolean {
    return this.#lane.open;
  }

  get ping(): number {
    return this.#session?.ping ?? -1;
  }

  get depth(): number {
    return VOICE.discordjsQueue;
  }

  room(): number {
    return this.#lane.room();
  }

  push(frame: Uint8Array, sourceMs: number, tag: number): void {
    this.#lane.push(frame, sourceMs, tag);
  }

  runsOutAt(): number {
    return this.#lane.runsOutAt();
  }

  flush(): number {
    return this.#lane.flush();
  }

  finish(): void {
    this.#lane.finish();
  }

  inspect(): ConnectionInspection {
    const age = this.#sentAt < 0 ? null : Math.round(this.#parts.clock.now() - this.#sentAt);
    return {
      driver: 'discordjs',
      step: this.#phase,
      connected: this.connected,
      everReady: this.#everReady,
      lastClose: this.#lastClose,
      ...(this.#session?.inspect() ?? { dave: null, speaking: null }),
      ring: this.connected ? { ...this.#lane.inspect(), sentAgeMs: age } : null,
    };
  }

  close(): void {
    this.#release();
  }

  // From the pacer.

  send(frame: Uint8Array, gap: number): SendResult {
    // A lane runs only while there is a session that has been ready.
    return this.#session?.send(frame, gap) ?? SendResult.held;
  }

  quiet(): void {
    this.#session?.quiet();
  }

  onSent(at: number): void {
    this.#sentAt = at;
    this.#listener.onSent(at);
  }

  onGivenUp(at: number, why: GiveUp): void {
    this.#listener.onGivenUp(at, why);
  }

  onMissed(): void {
    this.#listener.onMissed(false);
  }

  // From the session.

  onReady(): void {
    this.#everReady = true;
    this.#lane.enable();
    this.#connected();
  }

  onResumed(): void {
    if (this.#phase === 'resuming') this.#connected();
  }

  onLost(close: GatewayClose): void {
    this.#lastClose = close.code;
    if (this.#phase === 'identifying') this.#notIdentified(close);
    else this.#recover(close, closeRule(close.code));
  }

  onRefused(code: number, reason: string): void {
    this.#end(code, reason, false);
  }

  onSuperseded(): void {
    this.#release();
  }

  #connected(): void {
    this.#phase = 'ready';
    this.#resumedAt = this.#parts.clock.now();
    this.#deadline?.cancel();
    this.#listener.onReady();
  }

  /** Resolves the endpoint and opens the session there: a new one identifies, one that was ready resumes. */
  async #dial(): Promise<void> {
    this.#abort.abort();
    const abort = (this.#abort = new AbortController());
    let target;
    try {
      target = await this.#parts.guard.resolve(this.#server.endpoint, abort.signal);
    } catch (thrown) {
      if (!abort.signal.aborted) this.#notResolved(ServerError.from(thrown, 'PUM_SOURCE_RESOLVE'));
      return;
    }
    if (abort.signal.aborted) return;
    if (!this.#mayConnect()) {
      this.#release();
      return;
    }
    try {
      this.#session ??= new DiscordjsSession(this.#parts, this.#server, this, this.#mayConnect);
      this.#session.open(target, this.#parts.times.connectDeadline);
    } catch (thrown) {
      this.#end(1008, ServerError.from(thrown, 'PUM_VOICE_FAILED').message, false);
    }
  }

  #notResolved(error: ServerError): void {
    if (error.code !== 'PUM_SOURCE_RESOLVE') {
      this.#end(1008, error.message, false);
      return;
    }
    this.onLost({ code: 1006, reason: error.message, byRemote: false, failure: error.code });
  }

  /** Before a session is ready: one more try with a fresh Identify, unless that is without hope. */
  #notIdentified(close: GatewayClose): void {
    const hopeless = closeRule(close.code) === 'end' || isCertificateFailure(close.failure);
    if (hopeless || this.#identifiedAfresh) this.#end(close.code, close.reason, close.byRemote);
    else this.#identifyAfresh();
  }

  /** After a session was ready (decision D8). */
  #recover(close: GatewayClose, rule: CloseRule): void {
    const { clock, times } = this.#parts;
    if (this.#phase === 'ready' && clock.now() - this.#resumedAt > times.resumeWindow) this.#forgetTrouble();
    if (this.#troubleSince === -Infinity) this.#troubleSince = clock.now();
    if (rule === 'identify' && !this.#identifiedAfresh) {
      this.#lane.disable();
      this.#setDeadline(times.connectDeadline);
      this.#identifyAfresh();
      return;
    }
    const left = this.#troubleSince + times.resumeWindow - clock.now();
    const again = rule === 'resume' || (rule === 'resumeOnce' && !this.#timeoutResumed);
    if (!again || left <= 0 || this.#resumes >= VOICE.maxResumes) {
      this.#end(close.code, close.reason, close.byRemote);
      return;
    }
    if (rule === 'resumeOnce') this.#timeoutResumed = true;
    this.#resumes++;
    this.#phase = 'waiting';
    this.#deadline?.cancel();
    this.#retryAfter(resumeDelay(this.#resumes, times.resumeFirstDelay, Math.random()), () => {
      this.#phase = 'resuming';
      this.#setDeadline(Math.min(times.connectDeadline, Math.max(left, times.resumeFirstDelay)));
      void this.#dial();
    });
  }

  #identifyAfresh(): void {
    this.#identifiedAfresh = true;
    this.#phase = 'identifying';
    this.#session?.destroy();
    this.#session = null;
    this.#retryAfter(
      resumeDelay(1, this.#parts.times.resumeFirstDelay, Math.random()),
      () => void this.#dial(),
    );
  }

  #forgetTrouble(): void {
    this.#troubleSince = -Infinity;
    this.#resumes = 0;
    this.#timeoutResumed = false;
    this.#identifiedAfresh = false;
  }

  #retryAfter(ms: number, action: () => void): void {
    this.#retry?.cancel();
    this.#retry = this.#parts.clock.after(ms, action);
  }

  #setDeadline(ms: number): void {
    this.#deadline?.cancel();
    this.#deadline = this.#parts.clock.after(ms, () => {
      const reason = `No voice connection within ${Math.round(ms)} ms`;
      if (this.#phase === 'identifying') {
        this.#end(1006, reason, false);
        return;
      }
      this.#abort.abort();
      this.#session?.abandon();
      this.#recover({ code: 1006, reason, byRemote: false, failure: null }, 'resume');
    });
  }

  #end(code: number, reason: string, byRemote: boolean): void {
    if (this.#phase === 'over') return;
    const close: VoiceClose = { code, reason, byRemote, beforeReady: !this.#everReady };
    this.#release();
    this.#listener.onClosed(close);
  }

  #release(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#abort.abort();
    this.#deadline?.cancel();
    this.#retry?.cancel();
    this.#parts.pacer.remove(this.#lane);
    this.#session?.destroy();
    this.#session = null;
    this.#parts.onOver(this);
  }
}

/** OpenSSL's names for a certificate that does not verify, and Node's for one with another name in it. */
function isCertificateFailure(failure: string | null): boolean {
  return failure !== null && /CERT|UNABLE_TO_(GET|VERIFY|DECODE)|HOSTNAME_MISMATCH/.test(failure);
}
