// What @discordjs/voice takes for its own gateway socket: the same events and methods, over a connection
// that the adapter opens, and opens again for a resume, without the library noticing. Made inside the
// library's Networking, driven by DiscordjsSession, in a shard. Nothing a server sends may throw out of it.

import { EventEmitter } from 'node:events';
import type { Clock } from '../../shared/clock.js';
import type { Gateway } from './gateway.js';
import { Heartbeat } from './heartbeat.js';
import { Op } from './voice-payloads.js';

export interface VoicePacket {
  readonly op: number;
  /** The payload, as the server sent it: check it before use. */
  readonly d: unknown;
}

export interface VoiceMessage {
  readonly op: number;
  readonly seq: number;
  readonly payload: Buffer;
}

/** Told by the socket; what the library may see is decided here. */
export interface SocketOwner {
  readonly clock: Clock;
  /** A JSON message; the owner passes it on with deliver(). */
  onPacket(packet: VoicePacket): void;
  onMessage(message: VoiceMessage): void;
  /** The acknowledgements have stopped coming. */
  onHeartbeatLost(): void;
  /** A message that could not be read, or at which the library threw. */
  onIgnored(): void;
}

export class GatewaySocket extends EventEmitter {
  /** The last numbered message seen, -1 for none. The library reads and writes it. */
  sequence = -1;
  #owner: SocketOwner | null = null;
  #gateway: Gateway | null = null;
  #heartbeat: Heartbeat | null = null;

  /** Milliseconds from heartbeat to acknowledgement, undefined until known. */
  get ping(): number | undefined {
    const ping = this.#heartbeat?.ping ?? -1;
    return ping < 0 ? undefined : ping;
  }

  own(owner: SocketOwner): void {
    this.#owner = owner;
    this.#heartbeat = new Heartbeat(owner.clock, {
      beat: () => {
        this.sendPacket({ op: Op.heartbeat, d: { t: owner.clock.wall(), seq_ack: this.sequence } });
      },
      lost: () => this.#owner?.onHeartbeatLost(),
    });
  }

  attach(gateway: Gateway): void {
    this.#gateway = gateway;
  }

  /** The connection is gone; heartbeats stop and what the library sends is dropped until the next attach. */
  detach(): void {
    this.#gateway = null;
    this.setHeartbeatInterval(-1);
  }

  receiveText(text: string): void {
    let packet: unknown;
    try {
      packet = JSON.parse(text);
    } catch {
      packet = null;
    }
    if (!isPacket(packet)) {
      this.#owner?.onIgnored();
      return;
    }
    // The library's own socket overlooks number 0, the first message and every wrap (§3.7 gap 4).
    const { seq } = packet as { seq?: unknown };
    if (typeof seq === 'number' && Number.isInteger(seq)) this.sequence = seq;
    if (packet.op === Op.heartbeatAck) this.#heartbeat?.acknowledged();
    else if (packet.op === Op.heartbeat) this.#heartbeat?.now();
    this.#owner?.onPacket(packet);
  }

  receiveBinary(bytes: Buffer): void {
    if (bytes.length < 3) {
      this.#owner?.onIgnored();
      return;
    }
    const seq = bytes.readUInt16BE(0);
    this.sequence = seq;
    this.#owner?.onMessage({ op: bytes.readUInt8(2), seq, payload: bytes.subarray(3) });
  }

  /**
   * Hands an event to the library. What it throws (§3.7 gap 1: stale proposals, unknown users, a second
   * external sender) is counted and forgotten, as libdave does. Returns what was thrown, or null.
   */
  deliver(event: 'open' | 'packet' | 'binary', payload?: VoicePacket | VoiceMessage): unknown {
    try {
      this.emit(event, payload);
      return null;
    } catch (thrown) {
      this.#owner?.onIgnored();
      return thrown ?? new Error('the library threw nothing');
    }
  }

  sendPacket(packet: VoicePacket): void {
    this.#gateway?.send(JSON.stringify(packet));
  }

  sendBinaryMessage(opcode: number, payload: Uint8Array): void {
    this.#gateway?.send(Buffer.concat([Buffer.of(opcode), payload]));
  }

  /** A value that is no sensible interval stops the heartbeat. */
  setHeartbeatInterval(ms: number): void {
    this.#heartbeat?.start(ms);
  }

  /** The library lets go of it. The connection itself belongs to the session. */
  destroy(): void {
    this.detach();
    this.#owner = null;
  }
}

function isPacket(value: unknown): value is VoicePacket {
  return typeof value === 'object' && value !== null && typeof (value as { op?: unknown }).op === 'number';
}
