// One voice session of a bot: its numbers, key, numbered messages, place in the channel and audited stream. It
// outlives its websocket for as long as it can be resumed. Driven by gateway-connection.ts and voice-udp.ts; the
// faults that concern single messages to a bot are committed here.

import crypto from 'node:crypto';
import type { DaveMember } from './dave-member.js';
import type { DaveReport } from './dave-report.js';
import { ResendBuffer } from './resend-buffer.js';
import type { NumberedMessage } from './resend-buffer.js';
import { openPacket } from './rtp-packet.js';
import { StreamAudit } from './stream-audit.js';
import type { AuditedFrame, StreamContext, StreamReport } from './stream-audit.js';
import type { VoiceChannel } from './voice-channel.js';
import type { AeadMode, FakeVoiceOptions, GatewayClose, VoiceFaults } from './voice-options.js';

export interface SessionIdentity {
  readonly guildId: string;
  readonly userId: string;
  /** The main gateway's session id; many guilds of one bot share it. */
  readonly sessionId: string;
  readonly token: string;
}

/** The websocket of a session, as far as the session is concerned. */
export interface SessionSocket {
  readonly open: boolean;
  send(data: string | Buffer): void;
  /** The reason defaults to the name of the code. */
  close(code: number, reason?: string): void;
  /** Cuts the TCP connection without a close frame. */
  cut(): void;
}

export interface ReceivedFrame extends AuditedFrame {
  /** `id` of the voice session. */
  readonly session: string;
}

export interface VoiceReport extends StreamReport {
  /** Unique within the server: 's1', 's2'. */
  id: string;
  guildId: string;
  userId: string;
  channelId: string;
  sessionId: string;
  ssrc: number;
  mode: AeadMode | null;
  /** Its websocket is open. */
  open: boolean;
  close: GatewayClose | null;
  resumes: number;
  heartbeats: number;
  /** Discovery packets that got an answer. */
  discoveries: number;
  speaking: boolean;
  /** The flags of every op 5 of the bot, in order. */
  speakingFlags: number[];
  /** The `d` of the newest op 15, null before one. */
  sinkWants: unknown;
  dave: DaveReport;
}

export class VoiceSession implements DaveMember, StreamContext {
  readonly id: string;
  readonly guildId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly token: string;
  readonly ssrc: number;
  readonly channel: VoiceChannel;
  readonly audit: StreamAudit;
  readonly openEvery: number;
  readonly speakingGraceMs: number;
  readonly mediaSessionId = crypto.randomBytes(16).toString('hex');

  faults: VoiceFaults;
  mode: AeadMode | null = null;
  /** Op 4 has been sent. */
  described = false;
  /** The session is over and cannot be resumed. */
  ended = false;
  close: GatewayClose | null = null;
  resumes = 0;
  heartbeats = 0;
  discoveries = 0;
  discoveriesDropped = 0;
  sinkWants: unknown = null;
  readonly speakingFlags: number[] = [];

  readonly #onFrame: (session: VoiceSession, frame: AuditedFrame) => void;
  readonly #buffer: ResendBuffer;
  readonly #timers = new Set<NodeJS.Timeout>();
  #key: Buffer | null = null;
  #socket: SessionSocket | null = null;
  #heldNames: unknown[] = [];
  #welcomed = false;

  constructor(
    id: string,
    ssrc: number,
    identity: SessionIdentity,
    channel: VoiceChannel,
    options: FakeVoiceOptions,
    faults: VoiceFaults,
    onFrame: (session: VoiceSession, frame: AuditedFrame) => void,
  ) {
    this.id = id;
    this.ssrc = ssrc;
    this.guildId = identity.guildId;
    this.userId = identity.userId;
    this.sessionId = identity.sessionId;
    this.token = identity.token;
    this.channel = channel;
    this.openEvery = options.openEvery;
    this.speakingGraceMs = options.speakingGraceMs;
    this.faults = faults;
    this.#onFrame = onFrame;
    this.#buffer = new ResendBuffer(options.firstSeq, options.resumeBuffer);
    this.audit = new StreamAudit(this);
  }

  get open(): boolean {
    return this.#socket?.open === true;
  }

  get hasKey(): boolean {
    return this.#key !== null;
  }

  /** Number of the newest numbered message. */
  get seq(): number {
    return this.#buffer.seq;
  }

  /** A new key of 32 bytes for the mode; the old one is forgotten. */
  makeKey(mode: AeadMode): readonly number[] {
    this.mode = mode;
    this.#key = crypto.randomBytes(32);
    return [...this.#key];
  }

  // ---- Its websocket ----

  attach(socket: SessionSocket): void {
    this.#socket = socket;
    this.close = null;
  }

  /** The websocket has closed; false when it is not this session's any more. */
  detach(socket: SessionSocket, close: GatewayClose): boolean {
    if (this.#socket !== socket) return false;
    this.#socket = null;
    this.close = close;
    return true;
  }

  closeSocket(code: number, reason?: string): void {
    this.#socket?.close(code, reason);
  }

  /** The connection is cut without a close frame. */
  cut(): void {
    this.#socket?.cut();
  }

  end(): void {
    this.ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.channel.delivery.leave(this.userId);
  }

  // ---- Numbered messages ----

  acknowledge(seqAck: number): void {
    this.#buffer.acknowledge(seqAck);
  }

  /** Null: a missed message is no longer in the buffer. */
  missedSince(seqAck: number): readonly NumberedMessage[] | null {
    return this.#buffer.since(seqAck);
  }

  sendJson(op: number, d: unknown): void {
    this.#send(this.#buffer.json(op, d));
  }

  sendBinary(op: number, payload: Buffer): void {
    this.#send(this.#buffer.binary(op, payload));
  }

  deliverJson(op: number, d: unknown): void {
    if (op === 11 && this.faults.unknownUserProposals === true) this.#heldNames.push(d);
    else if (op === 22) this.#execute(d);
    else this.sendJson(op, d);
  }

  deliverBinary(op: number, payload: Buffer): void {
    this.sendBinary(op, op === 30 ? this.#welcome(payload) : payload);
    if (op !== 27) return;
    for (const names of this.#heldNames) this.sendJson(11, names);
    this.#heldNames = [];
  }

  // ---- What the audit asks ----

  unseal(packet: Buffer): Buffer | null {
    if (this.#key === null || this.mode === null) return null;
    return openPacket(this.mode, this.#key, packet);
  }

  decrypt(frame: Buffer): Buffer | null | undefined {
    return this.channel.decrypt(this.userId, frame);
  }

  settledFor(now: number): number {
    return this.channel.delivery.settledFor(now);
  }

  received(frame: AuditedFrame): void {
    this.#onFrame(this, frame);
  }

  unspoken(): void {
    if (this.speakingFlags.every((flags) => flags === 0)) this.closeSocket(4020);
  }

  report(): VoiceReport {
    return {
      id: this.id,
      guildId: this.guildId,
      userId: this.userId,
      channelId: this.channel.id,
      sessionId: this.sessionId,
      ssrc: this.ssrc,
      mode: this.mode,
      open: this.open,
      close: this.close,
      resumes: this.resumes,
      heartbeats: this.heartbeats,
      discoveries: this.discoveries,
      speaking: this.audit.speaking,
      speakingFlags: [...this.speakingFlags],
      sinkWants: this.sinkWants,
      dave: this.channel.delivery.report(),
      ...this.audit.report(),
    };
  }

  #send(message: NumberedMessage): void {
    this.#socket?.send(message.data);
  }

  /** Op 22, late or never if a fault says so. */
  #execute(d: unknown): void {
    const { executeDelayMs, staleProposals } = this.faults;
    if (executeDelayMs === null) return;
    const execute = () => {
      this.sendJson(22, d);
      if (staleProposals === true) this.sendBinary(27, this.channel.delivery.staleProposals());
    };
    if (executeDelayMs === undefined) {
      execute();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      execute();
    }, executeDelayMs);
    this.#timers.add(timer);
  }

  #welcome(payload: Buffer): Buffer {
    if (this.faults.corruptWelcome !== true || this.#welcomed) return payload;
    this.#welcomed = true;
    const damaged = Buffer.from(payload);
    damaged[damaged.length - 1]! ^= 0xff;
    return damaged;
  }
}
