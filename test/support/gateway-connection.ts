// One websocket of the fake voice gateway, version 8: Hello, Identify, Resume, heartbeats, and what a client may
// send afterwards (discord-voice.md §1.3 to §1.5). Made by voice-gateway.ts for each connection; session state
// that outlives the websocket is voice-session.ts.

import type { WebSocket } from 'ws';
import type { GatewayMessageData } from './resend-buffer.js';
import { closeReason, type GatewayClose } from './voice-closes.js';
import { IGNORABLE, junkMessages, type JunkKind } from './voice-junk.js';
import { bytesOf, fieldsOf, identityOf, parseMessage, seqAckOf, type Fields } from './voice-messages.js';
import type { AeadMode, FakeVoiceOptions, Moment, VoiceFaults } from './voice-options.js';
import { RateWindow } from './voice-rate.js';
import type { SessionIdentity, SessionSocket, VoiceSession } from './voice-session.js';

/** What a connection asks of the server it belongs to. */
export interface GatewayHost {
  readonly options: FakeVoiceOptions;
  /** False: the user has identified in that guild too often. */
  mayIdentify(identity: SessionIdentity): boolean;
  /** Faults of the next connection. */
  connectionFaults(): VoiceFaults;
  /** Faults of that guild's next Identify or Resume, null when none are scripted. */
  guildFaults(guildId: string): VoiceFaults | null;
  openSession(identity: SessionIdentity, faults: VoiceFaults): VoiceSession;
  findSession(identity: SessionIdentity): VoiceSession | null;
  /** The session has a connection again. */
  regained(session: VoiceSession): void;
  /** The session is over at once: its Resume was refused. */
  endSession(session: VoiceSession): void;
  /** The session's websocket has closed. */
  lost(session: VoiceSession, close: GatewayClose): void;
  changed(guildId?: string): void;
}

export class GatewayConnection implements SessionSocket {
  readonly #socket: WebSocket;
  readonly #host: GatewayHost;
  readonly #messages: RateWindow;
  /** Until there is a session, which then has them. */
  #ownFaults: VoiceFaults;
  #session: VoiceSession | null = null;
  #closing: GatewayClose | null = null;
  #heartbeatTimer: NodeJS.Timeout | null = null;

  constructor(socket: WebSocket, version: number, host: GatewayHost) {
    this.#socket = socket;
    this.#host = host;
    this.#messages = new RateWindow(host.options.messageLimit);
    this.#ownFaults = host.connectionFaults();
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    socket.on('error', () => {}); // Always followed by 'close'.
    if (this.#faults.silent === true) return;
    socket.on('message', (data, isBinary) => {
      if (this.#closing !== null) return;
      if (!this.#messages.admit(performance.now())) this.close(4021);
      else if (isBinary) this.#onBinary(bytesOf(data));
      else this.#onText(bytesOf(data).toString());
    });
    if (version < 4 || !Number.isInteger(version)) {
      this.close(4020);
      return;
    }
    this.#reply(8, { v: version, heartbeat_interval: host.options.heartbeatMs });
    this.#awaitHeartbeat();
    this.#reached('open');
  }

  /** Closes from the server's side; the reason is the code's name unless given. */
  close(code: number, reason = closeReason(code)): void {
    if (this.#closing !== null) return;
    this.#closing = { code, reason, by: 'server' };
    this.#socket.close(code, reason);
  }

  get open(): boolean {
    return this.#closing === null && this.#socket.readyState === this.#socket.OPEN;
  }

  get #faults(): VoiceFaults {
    return this.#session?.faults ?? this.#ownFaults;
  }

  send(data: GatewayMessageData): void {
    if (this.open) this.#socket.send(data);
  }

  cut(): void {
    this.#closing ??= { code: 1006, reason: '', by: 'server' };
    this.#socket.terminate();
  }

  junk(kinds: readonly JunkKind[] = IGNORABLE): void {
    const seq = this.#session?.seq ?? (this.#host.options.firstSeq - 1) & 0xffff;
    for (const data of junkMessages(kinds, seq)) this.send(data);
  }

  #onClose(code: number, reason: string): void {
    if (this.#heartbeatTimer !== null) clearTimeout(this.#heartbeatTimer);
    const close: GatewayClose = this.#closing ?? { code, reason, by: 'client' };
    const session = this.#session;
    if (session?.detach(this, close) === true) this.#host.lost(session, close);
  }

  #onText(text: string): void {
    const message = parseMessage(text);
    if (message === null) {
      this.close(4002);
      return;
    }
    const { op, d } = message;
    if (op === 0) this.#identify(d);
    else if (op === 7) this.#resume(d);
    else if (this.#session === null) this.close(4003);
    else this.#dispatch(this.#session, op, d);
    this.#host.changed(this.#session?.guildId);
  }

  #dispatch(session: VoiceSession, op: number, d: Fields): void {
    const { delivery } = session.channel;
    switch (op) {
      case 1:
        return this.#selectProtocol(session, d);
      case 3:
        return this.#heartbeat(session, d);
      case 5:
        return this.#speaking(session, d);
      case 15:
        session.sinkWants = d;
        return undefined;
      case 16:
        return this.#reply(16, { voice: '0.9.1', rtc_worker: '0.3.35' });
      case 23:
        return delivery.ready(session.userId, Number(d['transition_id']));
      case 31:
        return delivery.invalid(session.userId, Number(d['transition_id']));
      case 12:
        session.video = d;
        return this.#relay(session, 12, d);
      case 14:
      case 32:
        return undefined; // accepted, not acted on
      default:
        session.audit.violation(`op ${op} is not for clients to send`);
        return this.close(4001);
    }
  }

  #onBinary(message: Buffer): void {
    const session = this.#session;
    if (session === null) {
      this.close(4003);
      return;
    }
    const op = message[0];
    const payload = message.subarray(1);
    const { delivery } = session.channel;
    try {
      if (op === 26) delivery.keyPackage(session.userId, payload);
      else if (op === 28 && this.#faults.losesRace === true) return;
      else if (op === 28) delivery.commit(session.userId, payload);
      else this.close(4001);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      session.audit.violation(`op ${op}: ${error.message}`);
      this.close(4020);
    }
  }

  // ---- Identify and Resume ----

  #identify(d: Fields): void {
    const { options } = this.#host;
    const identity = identityOf(d);
    if (this.#session !== null) return this.close(4005);
    if (identity === null) return this.close(4020);
    this.#ownFaults = { ...this.#ownFaults, ...this.#host.guildFaults(identity.guildId) };
    if (!this.#host.mayIdentify(identity)) return this.close(4021);
    if (options.token !== null && identity.token !== options.token) return this.close(4004);
    if (options.dave > 0 && !(Number(d['max_dave_protocol_version']) >= 1)) return this.close(4017);
    const session = this.#host.openSession(identity, this.#ownFaults);
    session.attach(this);
    this.#session = session;
    if (this.#reached('identify') || this.#faults.noReady === true) return undefined;
    const { readyAddress, readyModes } = this.#faults;
    this.#reply(2, {
      ssrc: session.ssrc,
      ip: readyAddress?.ip ?? '127.0.0.1',
      port: readyAddress?.port ?? session.port,
      modes: readyModes ?? options.modes,
      experiments: ['fixed_keyframe_interval'],
      streams: [],
    });
    session.channel.delivery.enter(session);
    this.#reached('ready');
    return undefined;
  }

  #resume(d: Fields): void {
    const identity = identityOf(d);
    if (identity === null) return this.close(4020);
    this.#ownFaults = { ...this.#ownFaults, ...this.#host.guildFaults(identity.guildId) };
    const session = this.#host.findSession(identity);
    if (session === null) return this.close(4006);
    if (session.token !== identity.token) return this.close(4004);
    const missed = session.missedSince(seqAckOf(d));
    if (missed === null || this.#ownFaults.refuseResume === true) {
      this.#host.endSession(session);
      return this.close(4006);
    }
    this.#host.regained(session);
    session.cut(); // The old connection, if it still hangs on.
    session.faults = this.#ownFaults;
    session.attach(this);
    this.#session = session;
    if (this.#faults.noResumed === true) return undefined;
    session.resumes++;
    const resumedFirst = this.#host.options.resumeOrder === 'resumed-first';
    if (resumedFirst) this.#reply(9, null);
    for (const message of missed) this.send(message.data);
    if (!resumedFirst) this.#reply(9, null);
    this.#reached('resume');
    return undefined;
  }

  #selectProtocol(session: VoiceSession, d: Fields): void {
    const { options } = this.#host;
    if (d['protocol'] !== 'udp') return this.close(4012);
    const data = fieldsOf(d['data']);
    const mode = options.modes.find((offered) => offered === data?.['mode']);
    if (data === null || mode === undefined) return this.close(4016);
    if (typeof data['address'] !== 'string' || typeof data['port'] !== 'number') return this.close(4020);
    if (this.#reached('select-protocol') || this.#faults.noSessionDescription === true) return undefined;
    this.#describe(session, mode);
    this.#reached('session-description');
    return undefined;
  }

  #describe(session: VoiceSession, mode: AeadMode): void {
    const { delivery } = session.channel;
    const { externalSender, describedMode } = this.#faults;
    const version = this.#host.options.dave === 0 ? 0 : delivery.version;
    const early = version > 0 && externalSender === 'before-description';
    if (early) delivery.begin(session.userId);
    this.#reply(4, {
      audio_codec: 'opus',
      video_codec: 'H264',
      media_session_id: session.mediaSessionId,
      mode: describedMode ?? mode,
      secret_key: session.makeKey(mode),
      dave_protocol_version: version,
    });
    session.described = true;
    if (this.#host.options.chatter) this.#chatter(session);
    if (version === 0 || early) return;
    if (externalSender === 'none' || externalSender === 'behind-proposals')
      delivery.beginSilently(session.userId);
    else delivery.begin(session.userId);
    if (externalSender === 'twice') session.deliverBinary(25, delivery.externalSender);
  }

  // ---- Afterwards ----

  #heartbeat(session: VoiceSession, d: Fields): void {
    session.heartbeats++;
    this.#awaitHeartbeat();
    const seqAck = seqAckOf(d);
    if (seqAck >= 0 && ((session.seq - seqAck) & 0xffff) >= 0x8000) {
      session.audit.violation(`seq_ack ${seqAck} is ahead of ${session.seq}`);
    }
    session.acknowledge(seqAck);
    if (this.#faults.noHeartbeatAck !== true) this.#reply(6, { t: d['t'] });
  }

  #speaking(session: VoiceSession, d: Fields): void {
    const flags = Number(d['speaking']);
    if (d['ssrc'] !== session.ssrc) session.audit.violation(`op 5 names SSRC ${String(d['ssrc'])}`);
    session.speakingFlags.push(flags);
    session.audit.setSpeaking(flags > 0);
    this.#relay(session, 5, { speaking: flags, ssrc: session.ssrc });
    if (flags > 0) this.#reached('speaking');
  }

  /** Op 5 and op 12 of a bot, to the others in its call. */
  #relay(session: VoiceSession, op: number, d: Fields): void {
    session.channel.delivery.broadcast(op, { ...d, user_id: session.userId }, session.userId);
  }

  /** What the real service says besides (§1.3): what it wants of the bot, and how it codes. */
  #chatter(session: VoiceSession): void {
    this.#reply(15, { any: 100 });
    this.#reply(14, {
      audio_codec: 'opus',
      video_codec: 'H264',
      media_session_id: session.mediaSessionId,
    });
  }

  #awaitHeartbeat(): void {
    const { heartbeatMs, heartbeatTimeoutMs, heartbeatEnd } = this.#host.options;
    if (this.#heartbeatTimer !== null) clearTimeout(this.#heartbeatTimer);
    const end = () => (heartbeatEnd === 'drop' ? this.cut() : this.close(4009));
    this.#heartbeatTimer = setTimeout(end, heartbeatTimeoutMs ?? 2 * heartbeatMs);
  }

  /** Sends junk, closes or cuts if the script says so; true when nothing more is to be sent. */
  #reached(moment: Moment): boolean {
    const { junkAt, closeAt, dropAt } = this.#faults;
    if (junkAt?.moment === moment) this.junk(junkAt.kinds);
    if (closeAt?.moment === moment) this.close(closeAt.code, closeAt.reason);
    else if (dropAt === moment) this.cut();
    return !this.open;
  }

  /** A message without a number. */
  #reply(op: number, d: unknown): void {
    this.send(JSON.stringify({ op, d }));
  }
}
