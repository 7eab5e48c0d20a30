// What the native driver says to a voice gateway and hears from it, over any number of sockets of one voice
// session: numbering, heartbeats, JSON and binary framing (discord-voice.md §1.2). Made by a connection, in a
// shard. Decides nothing; nothing a server sends may throw out of it.

import type { Clock } from '../../shared/clock.js';
import type { Gateway, GatewayClose, GatewayTrust } from './gateway.js';
import { openGateway } from './gateway.js';
import { Heartbeat } from './heartbeat.js';
import type { VoiceTarget } from './voice-guard.js';
import { Op, readHello } from './voice-payloads.js';

/** Told by the session; never from inside a call into it. */
export interface GatewaySessionOwner {
  onOpen(): void;
  /** A JSON message that the session does not answer by itself; `d` is as the server sent it. */
  onJson(op: number, d: unknown): void;
  onBinary(op: number, payload: Buffer): void;
  onLost(close: GatewayClose): void;
  /** A message that could not be read. */
  onIgnored(): void;
}

export class GatewaySession {
  readonly #trust: GatewayTrust;
  readonly #owner: GatewaySessionOwner;
  readonly #heartbeat: Heartbeat;
  #gateway: Gateway | null = null;
  /** The last numbered message, -1 for none. */
  #sequence = -1;

  constructor(clock: Clock, trust: GatewayTrust, owner: GatewaySessionOwner) {
    this.#trust = trust;
    this.#owner = owner;
    this.#heartbeat = new Heartbeat(clock, {
      beat: () => {
        this.sendJson(Op.heartbeat, { t: clock.wall(), seq_ack: this.#sequence });
      },
      lost: () => {
        this.hangUp();
        const reason = 'The voice gateway stopped acknowledging heartbeats';
        owner.onLost({ code: 1006, reason, byRemote: false, failure: null });
      },
    });
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Milliseconds; -1 until known. */
  get ping(): number {
    return this.#heartbeat.ping;
  }

  /** Throws PUM_VOICE_ENDPOINT; `timeoutMs` for TCP, TLS and the upgrade. */
  open(target: VoiceTarget, timeoutMs: number): void {
    this.hangUp();
    this.#gateway = openGateway(target, this.#trust, timeoutMs, {
      onOpen: () => {
        this.#owner.onOpen();
      },
      onText: (text) => {
        this.#text(text);
      },
      onBinary: (bytes) => {
        this.#binary(bytes);
      },
      onClosed: (close) => {
        this.#gateway = null;
        this.#heartbeat.stop();
        this.#owner.onLost(close);
      },
    });
  }

  /** A new voice session counts its messages anew. */
  forget(): void {
    this.#sequence = -1;
  }

  /** False when there is no connection to send it over. */
  sendJson(op: number, d: object): boolean {
    return this.#gateway?.send(JSON.stringify({ op, d })) ?? false;
  }

  sendBinary(op: number, payload: Uint8Array): boolean {
    return this.#gateway?.send(Buffer.concat([Buffer.of(op), payload])) ?? false;
  }

  /** Ends the socket with a close frame; nothing is told. */
  close(code: number): void {
    const gateway = this.#gateway;
    this.#gateway = null;
    this.#heartbeat.stop();
    gateway?.close(code);
  }

  /** Ends the socket at once; nothing is told. */
  hangUp(): void {
    const gateway = this.#gateway;
    this.#gateway = null;
    this.#heartbeat.stop();
    gateway?.drop();
  }

  #text(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      message = null;
    }
    const { op, d, seq } = (message ?? {}) as { op?: unknown; d?: unknown; seq?: unknown };
    if (typeof op !== 'number') {
      this.#owner.onIgnored();
      return;
    }
    if (typeof seq === 'number' && Number.isInteger(seq)) this.#sequence = seq;
    switch (op) {
      case Op.hello: {
        const interval = readHello(d);
        if (interval === null) this.#owner.onIgnored();
        else this.#heartbeat.start(interval);
        break;
      }
      case Op.heartbeat:
        this.#heartbeat.now();
        break;
      case Op.heartbeatAck:
        this.#heartbeat.acknowledged();
        break;
      default:
        this.#owner.onJson(op, d);
    }
  }

  #binary(bytes: Buffer): void {
    if (bytes.length < 3) {
      this.#owner.onIgnored();
      return;
    }
    this.#sequence = bytes.readUInt16BE(0);
    this.#owner.onBinary(bytes.readUInt8(2), bytes.subarray(3));
  }
}
