// One voice session of a bot: its numbers, key, numbered messages, place in the channel and audited stream. It
// outlives its websocket for as long as it can be resumed. Driven by gateway-connection.ts and voice-udp.ts.

import crypto from 'node:crypto';
import type { DaveMember } from './dave-member.js';
import { ResendBuffer, type GatewayMessageData, type NumberedMessage } from './resend-buffer.js';
import { openPacket, openRtcp, sealPacket, sealRtcp, type RtpHeader } from './rtp-packet.js';
import { StreamAudit, type AuditedFrame, type StreamContext } from './stream-audit.js';
import type { VoiceChannel } from './voice-channel.js';
import type { GatewayClose } from './voice-closes.js';
import type { JunkKind } from './voice-junk.js';
import { VoiceLine } from './voice-line.js';
import type { AeadMode, FakeVoiceOptions, VoiceFaults } from './voice-options.js';
import type { VoiceReport } from './voice-report.js';

export type { ReceivedFrame, VoiceReport } from './voice-report.js';

/** Far from where a client's counter is, so that both directions under one key keep apart. */
const FIRST_SUFFIX = 0x8000_0000;

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
  send(data: GatewayMessageData): void;
  /** The reason defaults to the name of the code. */
  close(code: number, reason?: string): void;
  /** Cuts the TCP connection without a close frame. */
  cut(): void;
  /** Without kinds whatever a client can only ignore. */
  junk(kinds?: readonly JunkKind[]): void;
}

/** Where a bot was last heard from; what is sent to it goes there (discord-voice.md §1.7). */
export interface UdpAddress {
  readonly address: string;
  readonly port: number;
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
  badDiscoveries = 0;
  sinkWants: unknown = null;
  video: unknown = null;
  memberFrames = 0;
  /** Null until a datagram has come. */
  address: UdpAddress | null = null;
  readonly port: number;
  readonly speakingFlags: number[] = [];

  readonly #onFrame: (session: VoiceSession, frame: AuditedFrame) => void;
  readonly #buffer: ResendBuffer;
  readonly #line: VoiceLine;
  #key: Buffer | null = null;
  #socket: SessionSocket | null = null;
  #suffix = FIRST_SUFFIX;

  constructor(
    id: string,
    ssrc: number,
    port: number,
    identity: SessionIdentity,
    channel: VoiceChannel,
    options: FakeVoiceOptions,
    faults: VoiceFaults,
    onFrame: (session: VoiceSession, frame: AuditedFrame) => void,
  ) {
    this.id = id;
    this.ssrc = ssrc;
    this.port = port;
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
    this.#line = new VoiceLine(this);
    this.audit = new StreamAudit(this);
  }

  get open(): boolean {
    return this.#socket?.open === true;
  }

  /** The transport key; null before there is one. */
  get key(): Buffer | null {
    return this.#key;
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
    this.#suffix = FIRST_SUFFIX;
    this.audit.newKey();
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

  junk(kinds?: readonly JunkKind[]): void {
    this.#socket?.junk(kinds);
  }

  /** The connection is cut without a close frame. */
  cut(): void {
    this.#socket?.cut();
  }

  end(): void {
    this.ended = true;
    this.#line.close();
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
    this.#line.json(op, d);
  }

  deliverBinary(op: number, payload: Buffer): void {
    this.#line.binary(op, payload);
  }

  // ---- Voices of others ----

  /** By its newest op 15: the quality it wants of that SSRC, else of any; all of it before one (§1.4). */
  wants(ssrc: number): boolean {
    const wants = this.sinkWants;
    if (typeof wants !== 'object' || wants === null) return true;
    const { [String(ssrc)]: one, any } = wants as Record<string, unknown>;
    return Number(one ?? any ?? 100) > 0;
  }

  /** Null before there is a key. */
  seal(at: RtpHeader, frame: Buffer): Buffer | null {
    if (this.#key === null || this.mode === null) return null;
    return sealPacket(this.mode, this.#key, at, this.#suffix++, frame);
  }

  /** An RTCP packet whose first eight bytes stay in the clear; null before there is a key. */
  sealRtcp(packet: Buffer): Buffer | null {
    if (this.#key === null || this.mode === null) return null;
    return sealRtcp(this.mode, this.#key, packet, this.#suffix++);
  }

  // ---- What the audit asks ----

  unseal(packet: Buffer): Buffer | null {
    if (this.#key === null || this.mode === null) return null;
    return openPacket(this.mode, this.#key, packet);
  }

  unsealRtcp(packet: Buffer): Buffer | null {
    if (this.#key === null || this.mode === null) return null;
    return openRtcp(this.mode, this.#key, packet);
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
      port: this.port,
      mode: this.mode,
      open: this.open,
      close: this.close,
      resumes: this.resumes,
      heartbeats: this.heartbeats,
      discoveries: this.discoveries,
      speaking: this.audit.speaking,
      speakingFlags: [...this.speakingFlags],
      sinkWants: this.sinkWants,
      video: this.video,
      memberFrames: this.memberFrames,
      dave: this.channel.delivery.report(),
      ...this.audit.report(),
    };
  }

  #send(message: NumberedMessage): void {
    this.#socket?.send(message.data);
  }
}
