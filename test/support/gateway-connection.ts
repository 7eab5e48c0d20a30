// One websocket of the fake voice gateway, version 8: Hello, Identify, Resume, heartbeats, and what a client may
// send afterwards (discord-voice.md §1.3 to §1.5). Made by voice-gateway.ts for each connection; session state
// that outlives the websocket is voice-session.ts.

import type { RawData, WebSocket } from 'ws';
import { closeReason } from './voice-options.js';
import type { AeadMode, FakeVoiceOptions, GatewayClose, Moment, VoiceFaults } from './voice-options.js';
import type { SessionIdentity, SessionSocket, VoiceSession } from './voice-session.js';

/** What a connection asks of the server it belongs to. */
export interface GatewayHost {
  readonly options: FakeVoiceOptions;
  readonly udpPort: number;
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
  changed(): void;
}

type Fields = Readonly<Record<string, unknown>>;

export class GatewayConnection implements SessionSocket {
  readonly #socket: WebSocket;
  readonly #host: GatewayHost;
  #faults: VoiceFaults;
  #session: VoiceSession | null = null;
  #closing: GatewayClose | null = null;
  #heartbeatTimer: NodeJS.Timeout | null = null;

  constructor(socket: WebSocket, version: number, host: GatewayHost) {
    this.#socket = socket;
    this.#host = host;
    this.#faults = host.connectionFaults();
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    socket.on('error', () => {}); // Always followed by 'close'.
    if (this.#faults.silent === true) return;
    socket.on('message', (data, isBinary) => {
      if (this.#closing !== null) return;
      if (isBinary) this.#onBinary(bytesOf(data));
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

  send(data: string | Buffer): void {
    if (this.open) this.#socket.send(data);
  }

  cut(): void {
    this.#closing ??= { code: 1006, reason: '', by: 'server' };
    this.#socket.terminate();
  }

  #onClose(code: number, reason: string): void {
    if (this.#heartbeatTimer !== null) clearTimeout(this.#heartbeatTimer);
    const close: GatewayClose = this.#closing ?? { code, reason, by: 'client' };
    const session = this.#session;
    if (session?.detach(this, close) === true) this.#host.lost(session, close);
  }

  #onText(text: string): void {
    const message = parse(text);
    if (message === null) {
      this.close(4002);
      return;
    }
    const { op, d } = message;
    if (op === 0) this.#identify(d);
    else if (op === 7) this.#resume(d);
    else if (this.#session === null) this.close(4003);
    else this.#dispatch(this.#session, op, d);
    this.#host.changed();
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
    this.#faults = { ...this.#faults, ...this.#host.guildFaults(identity.guildId) };
    if (options.token !== null && identity.token !== options.token) return this.close(4004);
    if (options.dave > 0 && !(Number(d['max_dave_protocol_version']) >= 1)) return this.close(4017);
    const session = this.#host.openSession(identity, this.#faults);
    session.attach(this);
    this.#session = session;
    if (this.#reached('identify') || this.#faults.noReady === true) return undefined;
    const { readyAddress } = this.#faults;
    this.#reply(2, {
      ssrc: session.ssrc,
      ip: readyAddress?.ip ?? '127.0.0.1',
      port: readyAddress?.port ?? this.#host.udpPort,
      modes: options.modes,
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
    this.#faults = { ...this.#faults, ...this.#host.guildFaults(identity.guildId) };
    const session = this.#host.findSession(identity);
    if (session === null) return this.close(4006);
    if (session.token !== identity.token) return this.close(4004);
    const missed = session.missedSince(seqAckOf(d));
    if (missed === null || this.#faults.refuseResume === true) {
      this.#host.endSession(session);
      return this.close(4006);
    }
    this.#host.regained(session);
    session.cut(); // The old connection, if it still hangs on.
    session.faults = this.#faults;
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
    const { externalSender } = this.#faults;
    const version = this.#host.options.dave === 0 ? 0 : delivery.version;
    const early = version > 0 && externalSender === 'before-description';
    if (early) delivery.begin(session.userId);
    this.#reply(4, {
      audio_codec: 'opus',
      video_codec: 'H264',
      media_session_id: session.mediaSessionId,
      mode,
      secret_key: session.makeKey(mode),
      dave_protocol_version: version,
    });
    session.described = true;
    if (version === 0 || early) return;
    if (externalSender === 'none') delivery.beginSilently(session.userId);
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
    session.channel.delivery.broadcast(
      5,
      { speaking: flags, ssrc: session.ssrc, user_id: session.userId },
      session.userId,
    );
    if (flags > 0) this.#reached('speaking');
  }

  #awaitHeartbeat(): void {
    const { heartbeatMs, heartbeatTimeoutMs } = this.#host.options;
    if (this.#heartbeatTimer !== null) clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = setTimeout(() => this.close(4009), heartbeatTimeoutMs ?? 2 * heartbeatMs);
  }

  /** Closes if the script says so; true when it did. */
  #reached(moment: Moment): boolean {
    const script = this.#faults.closeAt;
    if (script?.moment !== moment) return false;
    this.close(script.code, script.reason);
    return true;
  }

  /** A message without a number. */
  #reply(op: number, d: unknown): void {
    this.send(JSON.stringify({ op, d }));
  }
}

function parse(text: string): { op: number; d: Fields } | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const message = fieldsOf(value);
  if (message === null || typeof message['op'] !== 'number') return null;
  return { op: message['op'], d: fieldsOf(message['d']) ?? {} };
}

function identityOf(d: Fields): SessionIdentity | null {
  const { server_id: guildId, session_id: sessionId, token } = d;
  // A Resume does not say who the user is; the session knows.
  const userId = d['user_id'] ?? '';
  if (typeof guildId !== 'string' || typeof sessionId !== 'string') return null;
  if (typeof token !== 'string' || typeof userId !== 'string') return null;
  return { guildId, userId, sessionId, token };
}

/** -1: the client has seen nothing numbered yet. */
function seqAckOf(d: Fields): number {
  return typeof d['seq_ack'] === 'number' ? d['seq_ack'] : -1;
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
