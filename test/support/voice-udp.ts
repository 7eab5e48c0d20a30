// The fake voice server's UDP side: IP discovery, ping, keepalives, and RTP by SSRC (discord-voice.md §1.6, §1.7).
// Started by fake-voice.ts; a packet may come from any port, as with the real service.

import dgram from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { RTP_OVERHEAD } from './rtp-packet.js';
import type { VoiceSession } from './voice-session.js';

const DISCOVERY_BYTES = 74;
const DISCOVERY_REQUEST = 0x0001_0046;
const DISCOVERY_RESPONSE = 0x0002_0046;
const KEEPALIVE_BYTES = 8;
const PING = 0x1337_cafe;
const PONG = 0x1337_f00d;
/** Room for 50,000 packets a second while something else holds the thread; the kernel may give less. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;

export interface UdpCounts {
  /** Pings that were answered; they carry no SSRC, so they belong to no session. */
  pings: number;
  /** Other datagrams of eight bytes. */
  keepalives: number;
  rtcp: number;
  /** What fits nothing, or no session that has a key. */
  junk: number;
}

export class VoiceUdp {
  readonly counts: UdpCounts = { pings: 0, keepalives: 0, rtcp: 0, junk: 0 };
  readonly #socket: Socket;
  readonly #sessionOf: (ssrc: number) => VoiceSession | null;
  readonly #changed: () => void;

  private constructor(socket: Socket, sessionOf: (ssrc: number) => VoiceSession | null, changed: () => void) {
    this.#socket = socket;
    this.#sessionOf = sessionOf;
    this.#changed = changed;
    socket.on('message', (packet, from) => this.#onDatagram(packet, from));
  }

  static async start(
    sessionOf: (ssrc: number) => VoiceSession | null,
    changed: () => void,
  ): Promise<VoiceUdp> {
    const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
    const udp = new VoiceUdp(socket, sessionOf, changed);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return udp;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #onDatagram(packet: Buffer, from: RemoteInfo): void {
    const at = performance.now();
    if (packet.length === DISCOVERY_BYTES && packet.readUInt32BE(0) === DISCOVERY_REQUEST) {
      this.#discovery(packet, from);
    } else if (packet.length === KEEPALIVE_BYTES) {
      this.#keepalive(packet, from);
    } else if (packet.length > RTP_OVERHEAD && packet.readUInt8(0) >> 6 === 2) {
      const kind = packet.readUInt8(1);
      if (kind >= 200 && kind <= 207) this.counts.rtcp++;
      else this.#rtp(packet, at);
    } else {
      this.counts.junk++;
    }
    this.#changed();
  }

  #rtp(packet: Buffer, at: number): void {
    const session = this.#sessionOf(packet.readUInt32BE(8));
    if (session?.hasKey === true) session.audit.packet(packet, at);
    else this.counts.junk++;
  }

  /** The rest of a request must be zero: garbage gets no answer, as with the real service. */
  #discovery(packet: Buffer, from: RemoteInfo): void {
    const session = this.#sessionOf(packet.readUInt32BE(4));
    if (session === null || packet.subarray(8).some((byte) => byte !== 0)) {
      this.counts.junk++;
      return;
    }
    if (session.discoveriesDropped < (session.faults.dropDiscovery ?? 0)) {
      session.discoveriesDropped++;
      return;
    }
    session.discoveries++;
    const response = Buffer.alloc(DISCOVERY_BYTES);
    response.writeUInt32BE(DISCOVERY_RESPONSE, 0);
    response.writeUInt32BE(session.ssrc, 4);
    response.write(from.address, 8, 'latin1');
    response.writeUInt16BE(from.port, 72);
    this.#socket.send(response, from.port, from.address);
  }

  #keepalive(packet: Buffer, from: RemoteInfo): void {
    if (packet.readUInt32BE(0) !== PING) {
      this.counts.keepalives++;
      return;
    }
    this.counts.pings++;
    const pong = Buffer.from(packet);
    pong.writeUInt32BE(PONG, 0);
    this.#socket.send(pong, from.port, from.address);
  }
}
