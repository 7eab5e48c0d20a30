// One voice session of the library (from Identify to its end, over any number of resumes), with everything
// that @discordjs/voice gets wrong put right from outside (discord-voice.md §3.7). Made by
// DiscordjsConnection, in a shard. Decides nothing about retries; never lets a server's message throw.

import type { Clock, Timer } from '../../shared/clock.js';
import { DRIVER, count } from '../../shared/driver-words.js';
import { FRAME_SAMPLES } from '../../shared/frame.js';
import type { ConnectionInspection } from '../../shared/inspection.js';
import { DaveOp } from './dave-payloads.js';
import type { VoiceServer } from './driver.js';
import { openGateway } from './gateway.js';
import type { Gateway, GatewayClose, GatewayTrust } from './gateway.js';
import type { GatewaySocket, SocketOwner, VoiceMessage, VoicePacket } from './gateway-socket.js';
import { SILENCE, SendResult } from './paced-lane.js';
import type { VoiceGuard, VoiceTarget } from './voice-guard.js';
import { Op, readDescription, readGreeting } from './voice-payloads.js';

/** The parts of the library's Networking that are used, public or opened. */
export interface LibraryNetworking {
  readonly state: LibraryState;
  prepareAudioPacket(packet: Buffer): unknown;
  dispatchAudio(): boolean;
  setSpeaking(speaking: boolean): void;
  destroy(): void;
}

export interface LibraryState {
  readonly code: number;
  readonly udp?: LibraryUdp;
  readonly connectionData?: LibraryConnectionData;
  readonly dave?: LibraryDave | undefined;
}

interface LibraryUdp {
  send(bytes: Buffer): void;
}

interface LibraryConnectionData {
  readonly ssrc: number;
  readonly connectedClients: ReadonlySet<string>;
  readonly encryptionMode: string;
  secretKey: unknown;
  timestamp: number;
  speaking: boolean;
}

interface LibraryDave {
  readonly protocolVersion: number;
  readonly session?: { readonly ready: boolean } | undefined;
}

/** What the adapter takes out of the library; made by discordjs-driver.ts. */
export interface Library {
  /** State codes of Networking. */
  readonly code: { readonly udpHandshaking: number; readonly ready: number };
  /** A Networking that has asked for its gateway socket and waits for it to open. */
  create(server: VoiceServer): { readonly networking: LibraryNetworking; readonly socket: GatewaySocket };
  /** Those of the modes that the library can seal with on this machine, the one to prefer first. */
  usableModes(modes: readonly string[]): readonly string[];
  /** The key in the form that seals fastest (§3.5). */
  keyFor(mode: string, secretKey: unknown): unknown;
}

/** Told by a session, never from inside a call into it. Nothing follows after lost, refused and superseded. */
export interface SessionOwner {
  onReady(): void;
  onResumed(): void;
  /** The gateway connection is gone; the UDP path stays until destroy(). */
  onLost(close: GatewayClose): void;
  /** What the server wants is not allowed or not possible here. */
  onRefused(code: number, reason: string): void;
  /** mayConnect() said no. */
  onSuperseded(): void;
}

export interface SessionParts {
  readonly clock: Clock;
  readonly guard: VoiceGuard;
  readonly library: Library;
  readonly trust: GatewayTrust;
  readonly counters: Float64Array;
  readonly discoveryInterval: number;
  readonly daveHold: number;
}

export class DiscordjsSession implements SocketOwner {
  readonly clock: Clock;
  readonly #parts: SessionParts;
  readonly #server: VoiceServer;
  readonly #owner: SessionOwner;
  readonly #mayConnect: () => boolean;
  readonly #networking: LibraryNetworking;
  readonly #socket: GatewaySocket;
  #gateway: Gateway | null = null;
  #discovery: Timer | null = null;
  #heldSince = -1;
  /** An external sender that came before the library could take it (§3.7 gap 1). */
  #earlySender: VoiceMessage | null = null;
  /** The server has said Ready (op 2), and later, the media path is up (op 4). */
  #greeted = false;
  #ready = false;

  constructor(parts: SessionParts, server: VoiceServer, owner: SessionOwner, mayConnect: () => boolean) {
    this.clock = parts.clock;
    this.#parts = parts;
    this.#server = server;
    this.#owner = owner;
    this.#mayConnect = mayConnect;
    const { networking, socket } = parts.library.create(server);
    this.#networking = networking;
    this.#socket = socket;
    socket.own(this);
  }

  /** Milliseconds; -1 until known. */
  get ping(): number {
    return this.#socket.ping ?? -1;
  }

  /** Connects, and identifies the first time; later it resumes. */
  open(target: VoiceTarget, handshakeTimeout: number): void {
    this.#gateway = openGateway(target, this.#parts.trust, handshakeTimeout, {
      onOpen: () => this.#onOpen(),
      onText: (text) => this.#socket.receiveText(text),
      onBinary: (bytes) => this.#socket.receiveBinary(bytes),
      onClosed: (close) => {
        this.#loseGateway();
        this.#owner.onLost(close);
      },
    });
    this.#socket.attach(this.#gateway);
  }

  /** Ends a try that has taken too long; the session may be opened again. */
  abandon(): void {
    const gateway = this.#gateway;
    this.#loseGateway();
    gateway?.drop();
  }

  /** Sends one frame now, or says why not. Called by the pacer. */
  send(frame: Uint8Array, gap: number): SendResult {
    const { code, connectionData, dave } = this.#networking.state;
    if (code !== this.#parts.library.code.ready || connectionData === undefined) return SendResult.held;
    if (frame !== SILENCE) {
      if (this.#wouldBePlain(connectionData, dave)) return this.#hold();
      this.#heldSince = -1;
    }
    const timestamp = (connectionData.timestamp + gap * FRAME_SAMPLES) >>> 0;
    connectionData.timestamp = timestamp;
    try {
      this.#networking.prepareAudioPacket(asBuffer(frame));
      // Dispatching switches speaking on before the packet when it is off.
      this.#networking.dispatchAudio();
    } catch {
      count(this.#parts.counters, DRIVER.failed);
      return SendResult.failed;
    }
    // The library starts again at 0 where the timestamp wraps; receivers would see a jump.
    connectionData.timestamp = (timestamp + FRAME_SAMPLES) >>> 0;
    return SendResult.sent;
  }

  inspect(): Pick<ConnectionInspection, 'dave' | 'speaking'> {
    const { connectionData, dave } = this.#networking.state;
    if (connectionData === undefined) return { dave: null, speaking: null };
    const { connectedClients, speaking } = connectionData;
    const ready = dave?.session?.ready === true;
    const waited = this.#heldSince < 0 ? null : Math.round(this.clock.now() - this.#heldSince);
    const held = (waited ?? 0) >= this.#parts.daveHold ? 'withheld' : 'hold';
    return {
      dave: {
        version: dave?.protocolVersion ?? 0,
        frames: this.#wouldBePlain(connectionData, dave) ? held : ready ? 'sealed' : 'plain',
        group: ready ? 'ready' : dave === undefined ? 'none' : 'forming',
        others: connectedClients.size - (connectedClients.has(this.#server.userId) ? 1 : 0),
        waitedMs: waited,
      },
      speaking,
    };
  }

  /** Speaking off, behind the last silence frame. */
  quiet(): void {
    this.#networking.setSpeaking(false);
  }

  /** Ends session, gateway connection (with 1000) and UDP socket; the owner hears nothing more. */
  destroy(): void {
    const gateway = this.#gateway;
    this.#loseGateway();
    this.#networking.destroy();
    gateway?.close(1000);
  }

  // From the socket.

  onPacket(packet: VoicePacket): void {
    switch (packet.op) {
      case Op.ready:
        this.#onReady(packet);
        return;
      case Op.sessionDescription:
        this.#onDescription(packet);
        return;
      case Op.resumed:
        this.#onResumed();
        return;
      default:
        this.#socket.deliver('packet', packet);
    }
  }

  onMessage(message: VoiceMessage): void {
    if (!this.#ready && message.op === DaveOp.externalSender) this.#earlySender = message;
    else this.#socket.deliver('binary', message);
  }

  onHeartbeatLost(): void {
    this.abandon();
    const reason = 'The voice gateway stopped acknowledging heartbeats';
    this.#owner.onLost({ code: 1006, reason, byRemote: false, failure: null });
  }

  onIgnored(): void {
    count(this.#parts.counters, DRIVER.ignored);
  }

  #onOpen(): void {
    if (!this.#mayConnect()) {
      this.#owner.onSuperseded();
      return;
    }
    if (!this.#ready) {
      count(this.#parts.counters, DRIVER.identifies);
      this.#socket.deliver('open');
      return;
    }
    count(this.#parts.counters, DRIVER.resumes);
    const { guildId, sessionId, token } = this.#server;
    const { sequence } = this.#socket;
    const d = { server_id: guildId, session_id: sessionId, token, seq_ack: sequence };
    this.#socket.sendPacket({ op: Op.resume, d });
  }

  /** Op 2: nothing is sent to an address that the guard has not seen, and the best mode stands first. */
  #onReady(packet: VoicePacket): void {
    if (this.#greeted) return;
    this.#greeted = true;
    const greeting = readGreeting(packet.d);
    if (greeting === null) {
      this.#owner.onRefused(1006, 'The Ready message of the voice server is damaged');
      return;
    }
    const { address, ssrc, modes } = greeting;
    if (!this.#parts.guard.udpAllowed(this.#server.endpoint, address)) {
      this.#owner.onRefused(1008, `The voice server named ${address} for audio, which is not allowed`);
      return;
    }
    const usable = this.#parts.library.usableModes(modes);
    if (usable.length === 0) {
      this.#owner.onRefused(
        4016,
        `No encryption mode in common with the voice server (${modes.slice(0, 8).join(', ')})`,
      );
      return;
    }
    this.#socket.deliver('packet', { op: packet.op, d: { ...(packet.d as object), modes: usable } });
    const { code, udp } = this.#networking.state;
    if (code !== this.#parts.library.code.udpHandshaking || udp === undefined) return;
    guardSends(udp, this.#parts.counters);
    this.#discover(udp, discoveryRequest(ssrc));
  }

  /** The library asks for its address once and waits for ever (§3.7 gap 3); this asks again until it knows. */
  #discover(udp: LibraryUdp, request: Buffer): void {
    this.#discovery = this.clock.after(this.#parts.discoveryInterval, () => {
      if (this.#networking.state.code !== this.#parts.library.code.udpHandshaking) return;
      udp.send(request);
      this.#discover(udp, request);
    });
  }

  /** Op 4: the media path is up. */
  #onDescription(packet: VoicePacket): void {
    if (this.#ready) return;
    const description = readDescription(packet.d);
    if (description === null || this.#parts.library.usableModes([description.mode]).length === 0) {
      this.#owner.onRefused(1006, 'The SessionDescription message of the voice server is damaged');
      return;
    }
    const thrown = this.#socket.deliver('packet', packet);
    const { code, connectionData } = this.#networking.state;
    if (code !== this.#parts.library.code.ready || connectionData === undefined) {
      const why = thrown instanceof Error ? `: ${thrown.message}` : '';
      this.#owner.onRefused(1006, `The voice session could not be set up${why}`);
      return;
    }
    this.#ready = true;
    connectionData.secretKey = this.#parts.library.keyFor(description.mode, connectionData.secretKey);
    // Members' voices are not wanted: they would cost a tenth of a core in a shard (architecture §4 rule 14).
    this.#socket.sendPacket({ op: Op.mediaSinkWants, d: { any: 0 } });
    const early = this.#earlySender;
    this.#earlySender = null;
    if (early !== null) this.#socket.deliver('binary', early);
    this.#owner.onReady();
  }

  /** Op 9. The library was never told of the loss, so it took all that was sent again (§3.7 gap 5). */
  #onResumed(): void {
    const { connectionData } = this.#networking.state;
    if (!this.#ready || connectionData === undefined) return;
    // Speaking has to be told again after a resume: at the next frame, or here when there is none.
    if (!connectionData.speaking) {
      this.#socket.sendPacket({
        op: Op.speaking,
        d: { speaking: 0, delay: 0, ssrc: connectionData.ssrc },
      });
    }
    connectionData.speaking = false;
    this.#owner.onResumed();
  }

  /** Plain text would go into a call whose DAVE group has other members (decision "DAVE not ready"). */
  #wouldBePlain({ connectedClients }: LibraryConnectionData, dave: LibraryDave | undefined): boolean {
    if (dave === undefined || dave.protocolVersion === 0 || connectedClients.size === 0) return false;
    if (dave.session?.ready === true) return false;
    return connectedClients.size > 1 || !connectedClients.has(this.#server.userId);
  }

  #hold(): SendResult {
    const now = this.clock.now();
    if (this.#heldSince < 0) this.#heldSince = now;
    const over = now - this.#heldSince >= this.#parts.daveHold;
    count(this.#parts.counters, over ? DRIVER.withheld : DRIVER.held);
    return over ? SendResult.withheld : SendResult.held;
  }

  #loseGateway(): void {
    this.#gateway = null;
    this.#socket.detach();
    this.#discovery?.cancel();
    this.#discovery = null;
  }
}

/** The library's socket throws when it is closed between two turns; its keepalive would take the shard along. */
function guardSends(udp: LibraryUdp, counters: Float64Array): void {
  const send = udp.send.bind(udp);
  udp.send = (bytes) => {
    try {
      send(bytes);
    } catch {
      count(counters, DRIVER.failed);
    }
  };
}

/** IP discovery, discord-voice.md §1.6. */
function discoveryRequest(ssrc: number): Buffer {
  const request = Buffer.alloc(74);
  request.writeUInt16BE(1, 0);
  request.writeUInt16BE(70, 2);
  request.writeUInt32BE(ssrc, 4);
  return request;
}

function asBuffer(frame: Uint8Array): Buffer {
  return Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
}
