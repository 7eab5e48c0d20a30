// One player's voice connection of the native driver: carries out what voice-state.ts decides, and joins
// gateway, DAVE group and frame stream. Made by the driver, in a shard. Knows no socket and no library.

import type { Clock, Timer } from '../../shared/clock.js';
import { DRIVER, count } from '../../shared/driver-words.js';
import { ServerError } from '../../shared/errors.js';
import type { ConnectionInspection } from '../../shared/inspection.js';
import type { RowPlace } from '../../shared/sent-row.js';
import { DaveOp } from './dave-payloads.js';
import type { DaveQueue } from './dave-queue.js';
import type { FrameMode, GiveUp, VoiceConnection, VoiceListener, VoiceServer } from './driver.js';
import type { GatewayClose, GatewayTrust } from './gateway.js';
import { GatewaySession, type GatewaySessionOwner } from './gateway-session.js';
import { NativeSession, type FrameListener, type RingLease, type RingOwner } from './native-session.js';
import { OutQueue } from './out-queue.js';
import { usableMode } from './seal.js';
import type { VoiceGuard } from './voice-guard.js';
import { Op, readDescription, readGreeting, readUser, readUsers } from './voice-payloads.js';
import type { Description, Greeting } from './voice-payloads.js';
import { FIRST_STATE, firstEffects, nextVoiceState } from './voice-state.js';
import type { VoiceEffect, VoiceEvent, VoiceState, VoiceTimes } from './voice-state.js';

export interface NativeParts {
  readonly clock: Clock;
  readonly guard: VoiceGuard;
  readonly trust: GatewayTrust;
  readonly counters: Float64Array;
  readonly times: VoiceTimes & { readonly daveHold: number };
  readonly daveQueue: DaveQueue;
  /** Frames that may lie ahead in the ring. */
  readonly lead: number;
  /** Packets after which a session is exchanged for one with another key. */
  readonly renewAfter: number;
  /** A ring at that sender. Throws PUM_VOICE_FULL. */
  readonly lease: (owner: RingOwner, sender: number) => RingLease;
  readonly random: () => number;
  /** The connection has released everything. */
  readonly onOver: (connection: NativeConnection) => void;
}

export class NativeConnection implements VoiceConnection, GatewaySessionOwner, FrameListener {
  /** In which turn of its driver it is looked at. */
  turn = 0;
  readonly #parts: NativeParts;
  readonly #server: VoiceServer;
  readonly #listener: VoiceListener;
  readonly #mayConnect: () => boolean;
  readonly #row: RowPlace | null;
  readonly #gateway: GatewaySession;
  /** Frames that have not left, from one session to the next. */
  readonly #queue = new OutQueue();
  #state: VoiceState = FIRST_STATE;
  #session: NativeSession;
  /** Of the look-up under way. */
  #abort: AbortController | null = null;
  #deadline: Timer | null = null;
  #retry: Timer | null = null;
  /** Code with which the gateway was lost last. */
  #lastClose: number | null = null;

  /** Starts connecting at once. */
  constructor(
    parts: NativeParts,
    server: VoiceServer,
    listener: VoiceListener,
    mayConnect: () => boolean,
    row: RowPlace | null,
  ) {
    this.#parts = parts;
    this.#server = server;
    this.#listener = listener;
    this.#mayConnect = mayConnect;
    this.#row = row;
    this.#gateway = new GatewaySession(parts.clock, parts.trust, this);
    this.#session = this.#newSession();
    for (const effect of firstEffects(parts.times)) this.#perform(effect);
  }

  /** True while frames can leave, so also while only the gateway is being resumed. */
  get connected(): boolean {
    return this.#session.stream !== null;
  }

  get ping(): number {
    return this.#gateway.ping;
  }

  get depth(): number {
    return this.#parts.lead;
  }

  room(): number {
    return this.#session.stream?.room() ?? 0;
  }

  push(frame: Uint8Array, sourceMs: number, tag: number, mode: FrameMode): void {
    this.#session.stream?.push(frame, sourceMs, tag, mode);
  }

  runsOutAt(): number {
    return this.#session.stream?.runsOutAt() ?? this.#parts.clock.now();
  }

  flush(): number {
    return this.#session.stream?.flush() ?? this.#queue.cut(0);
  }

  finish(): void {
    this.#session.stream?.finish();
  }

  inspect(): ConnectionInspection {
    const { step, everReady } = this.#state;
    const { connected } = this;
    const lastClose = this.#lastClose;
    return { driver: 'native', step: step.kind, connected, everReady, lastClose, ...this.#session.inspect() };
  }

  close(): void {
    this.#on({ kind: 'close' });
  }

  /** Tells what has left; called by the driver every few frames. */
  /** Silence is queued, and then nothing: its end is waited for. */
  get isEnding(): boolean {
    return this.#session.stream?.isEnding ?? false;
  }

  poll(): void {
    this.#session.stream?.poll();
    if ((this.#session.stream?.nonces ?? 0) >= this.#parts.renewAfter) this.#on({ kind: 'worn' });
  }

  // ---- From the gateway ----

  onOpen(): void {
    this.#on({ kind: 'opened', mayConnect: this.#mayConnect() });
  }

  onJson(op: number, d: unknown): void {
    switch (op) {
      case Op.ready:
        this.#greeted(readGreeting(d));
        break;
      case Op.sessionDescription:
        this.#described(readDescription(d));
        break;
      case Op.resumed:
        this.#on({ kind: 'resumed' });
        break;
      case Op.clientsConnect: {
        const users = readUsers(d);
        if (users === null) this.onIgnored();
        else this.#session.dave.usersConnected(users);
        break;
      }
      case Op.clientDisconnect: {
        const user = readUser(d);
        if (user === null) this.onIgnored();
        else this.#session.dave.userLeft(user);
        break;
      }
      case DaveOp.prepareTransition:
      case DaveOp.executeTransition:
      case DaveOp.prepareEpoch:
        this.#session.dave.json(op, d);
        break;
      default: // Video, flags, platforms, speed tests: nothing that a sender needs.
    }
  }

  onBinary(op: number, payload: Buffer): void {
    this.#session.dave.binary(op, payload);
  }

  onLost(close: GatewayClose): void {
    this.#lastClose = close.code;
    this.#on({ kind: 'lost', close });
  }

  onIgnored(): void {
    count(this.#parts.counters, DRIVER.ignored);
  }

  // ---- From the session ----

  onSent(at: number): void {
    this.#listener.onSent(at);
  }

  onGivenUp(at: number, why: GiveUp): void {
    this.#listener.onGivenUp(at, why);
  }

  onMissed(isBlocked: boolean): void {
    this.#listener.onMissed(isBlocked);
  }

  // ---- The state and what follows from it ----

  #greeted(greeting: Greeting | null): void {
    if (this.#state.step.kind !== 'greeting') {
      this.onIgnored();
    } else if (greeting === null) {
      this.#refuse(1006, 'The Ready message of the voice server is damaged');
    } else if (!this.#parts.guard.udpAllowed(this.#server.endpoint, greeting.address)) {
      this.#refuse(1008, `The voice server named ${greeting.address} for audio, which is not allowed`);
    } else if (usableMode(greeting.modes) === null) {
      const offered = greeting.modes.slice(0, 8).join(', ');
      this.#refuse(4016, `No encryption mode in common with the voice server (${offered})`);
    } else {
      this.#on({ kind: 'greeted', greeting });
    }
  }

  #described(description: Description | null): void {
    if (this.#state.step.kind !== 'selecting') {
      this.onIgnored();
    } else if (description === null || usableMode([description.mode]) === null) {
      this.#refuse(1006, 'The SessionDescription message of the voice server is damaged');
    } else {
      this.#on({ kind: 'described', description });
    }
  }

  #refuse(code: number, reason: string): void {
    this.#on({ kind: 'refused', code, reason });
  }

  #on(event: VoiceEvent): void {
    const { clock, random, times } = this.#parts;
    const { state, effects } = nextVoiceState(this.#state, event, {
      now: clock.now(),
      random: random(),
      times,
    });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: VoiceEffect): void {
    switch (effect.do) {
      case 'dial':
        void this.#dial();
        break;
      case 'identify':
        this.#identify();
        break;
      case 'resume':
        this.#resume();
        break;
      case 'discover':
        this.#discover(effect.greeting);
        break;
      case 'select':
        this.#select(effect.greeting, effect.address, effect.port);
        break;
      case 'open':
        this.#session.open(effect.greeting, effect.description);
        break;
      case 'reopen':
        this.#session.stream?.tellAgain();
        break;
      case 'forget':
        this.#gateway.close(1000);
        this.#session.handOver();
        this.#gateway.forget();
        this.#session = this.#newSession();
        break;
      case 'hangUp':
        this.#abort?.abort();
        this.#gateway.hangUp();
        break;
      case 'deadlineIn':
        this.#deadline?.cancel();
        this.#deadline = this.#parts.clock.after(effect.ms, () => {
          this.#on({ kind: 'deadline' });
        });
        break;
      case 'noDeadline':
        this.#deadline?.cancel();
        this.#deadline = null;
        break;
      case 'retryIn':
        this.#retry?.cancel();
        this.#retry = this.#parts.clock.after(effect.ms, () => {
          this.#retry = null;
          this.#on({ kind: 'retry' });
        });
        break;
      case 'tellReady':
        this.#listener.onReady();
        break;
      case 'tellClosed':
        this.#listener.onClosed(effect.close);
        break;
      case 'release':
        this.#release();
        break;
    }
  }

  /** Resolves the endpoint and opens the gateway at the address that was checked. */
  async #dial(): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    try {
      const target = await this.#parts.guard.resolve(this.#server.endpoint, abort.signal);
      if (abort.signal.aborted) return;
      if (this.#mayConnect()) this.#gateway.open(target, this.#parts.times.connectDeadline);
      else this.#on({ kind: 'superseded' });
    } catch (thrown) {
      if (abort.signal.aborted) return;
      const error = ServerError.from(thrown, 'PUM_SOURCE_RESOLVE');
      if (error.code !== 'PUM_SOURCE_RESOLVE') this.#refuse(1008, error.message);
      else this.onLost({ code: 1006, reason: error.message, byRemote: false, failure: error.code });
    } finally {
      // A connection lives for hours, its look-up for milliseconds.
      if (this.#abort === abort) this.#abort = null;
    }
  }

  #identify(): void {
    count(this.#parts.counters, DRIVER.identifies);
    const { guildId, userId, sessionId, token } = this.#server;
    this.#gateway.sendJson(Op.identify, {
      server_id: guildId,
      user_id: userId,
      session_id: sessionId,
      token,
      max_dave_protocol_version: 1,
    });
  }

  #resume(): void {
    count(this.#parts.counters, DRIVER.resumes);
    const { guildId, sessionId, token } = this.#server;
    this.#gateway.sendJson(Op.resume, {
      server_id: guildId,
      session_id: sessionId,
      token,
      seq_ack: this.#gateway.sequence,
    });
  }

  #discover(greeting: Greeting): void {
    try {
      this.#session.discover(greeting, (address, port) => {
        this.#on({ kind: 'discovered', address, port });
      });
    } catch (thrown) {
      this.#refuse(1006, ServerError.from(thrown, 'PUM_VOICE_FAILED').message);
    }
  }

  #select({ modes }: Greeting, address: string, port: number): void {
    const data = { address, port, mode: usableMode(modes) };
    this.#gateway.sendJson(Op.selectProtocol, { protocol: 'udp', data });
  }

  #newSession(): NativeSession {
    return new NativeSession({
      parts: this.#parts,
      server: this.#server,
      gateway: this.#gateway,
      queue: this.#queue,
      frames: this,
      row: this.#row,
    });
  }

  #release(): void {
    this.#abort?.abort();
    this.#deadline?.cancel();
    this.#retry?.cancel();
    this.#gateway.close(1000);
    this.#session.close();
    this.#parts.onOver(this);
  }
}
