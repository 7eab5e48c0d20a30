// What @discordjs/voice takes for its own gateway socket: the same events and methods, over a connection
// that the adapter opens, and opens again for a resume, without the library noticing. Made inside the
// library's Networking, driven by DiscordjsSession, in a shard. Nothing a server sends may throw out of it.

import { EventEmitter } from 'node:events';
import type { Clock, Timer } from '../../shared/clock.js';
import { VOICE } from '../../shared/limits.js';
import type { Gateway } from './gateway.js';

/** Opcodes that are read or written here and in the session (discord-voice.md §1.4). */
export const VoiceOp = {
  ready: 2,
  heartbeat: 3,
  sessionDescription: 4,
  speaking: 5,
  heartbeatAck: 6,
  resume: 7,
  resumed: 9,
  mediaSinkWants: 15,
  externalSender: 25,
} as const;

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

const SHORTEST_HEARTBEAT_MS = 20;
const LONGEST_HEARTBEAT_MS = 120_000;

export class GatewaySocket extends EventEmitter {
  /** The last numbered message seen, -1 for none. The library reads and writes it. */
  sequence = -1;
  /** Milliseconds from heartbeat to acknowledgement, undefined until known. */
  ping: number | undefined = undefined;
  #owner: SocketOwner | null = null;
  #gateway: Gateway | null = null;
  #heartbeat: Timer | null = null;
  #interval = -1;
  #sentAt = 0;
  #missed = 0;

  own(owner: SocketOwner): void {
    this.#owner = owner;
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
    if (packet.op === VoiceOp.heartbeatAck) this.#acknowledged();
    else if (packet.op === VoiceOp.heartbeat) this.#beat();
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

  /**
   * Beats once at once, so that ping is known early (§3.7 gap 7), then every `ms`; a value that is no
   * sensible interval stops it.
   */
  setHeartbeatInterval(ms: number): void {
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
    this.#missed = 0;
    if (!(ms > 0)) return;
    this.#interval = Math.min(Math.max(ms, SHORTEST_HEARTBEAT_MS), LONGEST_HEARTBEAT_MS);
    this.#tick();
  }

  /** The library lets go of it. The connection itself belongs to the session. */
  destroy(): void {
    this.detach();
    this.#owner = null;
  }

  #tick(): void {
    if (this.#owner === null) return;
    if (this.#missed >= VOICE.maxMissedHeartbeats) {
      this.#owner.onHeartbeatLost();
      return;
    }
    this.#missed++;
    this.#beat();
    this.#heartbeat = this.#owner.clock.after(this.#interval, () => this.#tick());
  }

  #beat(): void {
    if (this.#owner === null) return;
    this.#sentAt = this.#owner.clock.now();
    this.sendPacket({ op: VoiceOp.heartbeat, d: { t: this.#owner.clock.wall(), seq_ack: this.sequence } });
  }

  #acknowledged(): void {
    if (this.#missed === 0 || this.#owner === null) return;
    this.#missed = 0;
    this.ping = Math.max(0, this.#owner.clock.now() - this.#sentAt);
  }
}

function isPacket(value: unknown): value is VoicePacket {
  return typeof value === 'object' && value !== null && typeof (value as { op?: unknown }).op === 'number';
}
