// The fake voice server's UDP side: IP discovery, ping, keepalives, RTP and RTCP by SSRC (discord-voice.md §1.6,
// §1.7), and what is sent to a bot. Started by fake-voice.ts, on the server's thread; a packet may come from any
// port and to any of ours, as with the real service.

import { RTCP_HEADER_BYTES, RTP_OVERHEAD, SUFFIX_BYTES } from './rtp-packet.js';
import { junkDatagram } from './voice-junk.js';
import type { UdpAddress, VoiceSession } from './voice-session.js';
import { LocalVoiceSocket, kernelDrops, type OnDatagram, type VoiceSocket } from './voice-socket.js';
import { ThreadVoiceSocket } from './voice-socket-thread.js';

const DISCOVERY_BYTES = 74;
const DISCOVERY_REQUEST = 0x0001_0046;
const DISCOVERY_RESPONSE = 0x0002_0046;
const KEEPALIVE_BYTES = 8;
const PING = 0x1337_cafe;
const PONG = 0x1337_f00d;

export interface UdpCounts {
  /** Pings that were answered; they carry no SSRC, so they belong to no session. */
  pings: number;
  /** Other datagrams of eight bytes. */
  keepalives: number;
  rtcp: number;
  /** What fits nothing, or no session that has a key. */
  junk: number;
  /** Datagrams the kernel dropped because we did not read in time: losses that are ours; null where unknown. */
  kernelDrops: number | null;
  /** The smallest receive buffer of all ports, in bytes as the kernel counts them. */
  receiveBuffer: number;
}

/** What the UDP side asks of the server. */
export interface UdpHost {
  bySsrc(ssrc: number): VoiceSession | null;
  /** Something has come for a session. */
  heard(session: VoiceSession): void;
}

export class VoiceUdp {
  readonly #host: UdpHost;
  readonly #threads: number;
  readonly #counts = { pings: 0, keepalives: 0, rtcp: 0, junk: 0 };
  /** Those that sessions to come are given. */
  #current: VoiceSocket[] = [];
  /** What sends in the place of a port: the port itself, or the one it has changed to. */
  readonly #byPort = new Map<number, VoiceSocket>();
  /** Ports of before that still receive. */
  readonly #retired: VoiceSocket[] = [];
  /** For what must not come from the right port. */
  #stranger: VoiceSocket | null = null;

  private constructor(host: UdpHost, threads: number) {
    this.#host = host;
    this.#threads = threads;
  }

  /** With 0 threads one port on this thread, else one port on each. */
  static async start(host: UdpHost, threads = 0): Promise<VoiceUdp> {
    const udp = new VoiceUdp(host, threads);
    udp.#stranger = await LocalVoiceSocket.open(() => {});
    await udp.#open();
    return udp;
  }

  get ports(): readonly number[] {
    return this.#current.map((socket) => socket.port);
  }

  get counts(): UdpCounts {
    return {
      ...this.#counts,
      kernelDrops: kernelDrops([...this.#current, ...this.#retired].map((socket) => socket.port)),
      receiveBuffer: Math.min(...this.#current.map((socket) => socket.receiveBuffer)),
    };
  }

  /** From now on everything comes from other ports; the old ones still receive, or are closed. */
  async changePorts(keepOld: boolean): Promise<void> {
    const old = this.#current;
    await this.#open();
    for (const [port, socket] of this.#byPort) {
      const place = old.indexOf(socket);
      if (place >= 0) this.#byPort.set(port, this.#current[place]!);
    }
    if (keepOld) this.#retired.push(...old);
    else await Promise.all(old.map((socket) => socket.close()));
  }

  /** Nothing is sent to a session that has not been heard from. */
  send(session: VoiceSession, packet: Buffer): void {
    if (session.address !== null) this.#byPort.get(session.port)?.send(packet, session.address);
  }

  /** Half of it from the session's port, half from another one. */
  sendJunk(session: VoiceSession, count: number): void {
    for (let n = 0; n < count; n++) {
      const packet = junkDatagram(n >> 1, session.ssrc);
      if (n % 2 === 0) this.send(session, packet);
      else if (session.address !== null) this.#stranger?.send(packet, session.address);
    }
  }

  async close(): Promise<void> {
    const all = [...this.#current, ...this.#retired, ...(this.#stranger === null ? [] : [this.#stranger])];
    await Promise.all(all.map((socket) => socket.close()));
  }

  async #open(): Promise<void> {
    const take: OnDatagram = (packet, at, from, socket) => this.#onDatagram(packet, at, from, socket);
    const kind = this.#threads === 0 ? LocalVoiceSocket : ThreadVoiceSocket;
    const count = Math.max(1, this.#threads);
    this.#current = await Promise.all(Array.from({ length: count }, () => kind.open(take)));
    for (const socket of this.#current) this.#byPort.set(socket.port, socket);
  }

  #onDatagram(packet: Buffer, at: number, from: UdpAddress, socket: VoiceSocket): void {
    if (packet.length === DISCOVERY_BYTES && packet.readUInt32BE(0) === DISCOVERY_REQUEST) {
      this.#discovery(packet, from, socket);
    } else if (packet.length === KEEPALIVE_BYTES) {
      this.#keepalive(packet, from, socket);
    } else if (packet.length > RTCP_HEADER_BYTES + SUFFIX_BYTES && packet.readUInt8(0) >> 6 === 2) {
      const kind = packet.readUInt8(1);
      if (kind >= 200 && kind <= 207) this.#rtcp(packet, from);
      else if (packet.length > RTP_OVERHEAD) this.#rtp(packet, at, from);
      else this.#counts.junk++;
    } else {
      this.#counts.junk++;
    }
  }

  #rtp(packet: Buffer, at: number, from: UdpAddress): void {
    const session = this.#host.bySsrc(packet.readUInt32BE(8));
    if (session?.hasKey !== true) {
      this.#counts.junk++;
      return;
    }
    session.address = from;
    session.audit.packet(packet, at);
    this.#host.heard(session);
  }

  #rtcp(packet: Buffer, from: UdpAddress): void {
    this.#counts.rtcp++;
    const session = this.#host.bySsrc(packet.readUInt32BE(4));
    if (session?.hasKey !== true) return;
    session.address = from;
    session.audit.rtcp(packet);
    this.#host.heard(session);
  }

  /** The rest of a request must be zero: garbage gets no answer, as with the real service. */
  #discovery(packet: Buffer, from: UdpAddress, socket: VoiceSocket): void {
    const session = this.#host.bySsrc(packet.readUInt32BE(4));
    if (session === null || packet.subarray(8).some((byte) => byte !== 0)) {
      this.#counts.junk++;
      return;
    }
    session.address = from;
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
    this.#answerDiscovery(session, response, from, this.#byPort.get(socket.port) ?? socket);
    this.#host.heard(session);
  }

  #answerDiscovery(session: VoiceSession, response: Buffer, to: UdpAddress, socket: VoiceSocket): void {
    const { badDiscovery: bad } = session.faults;
    if (bad === undefined || session.badDiscoveries >= bad.times) {
      socket.send(response, to);
      return;
    }
    session.badDiscoveries++;
    switch (bad.kind) {
      case 'other-port':
        this.#stranger?.send(response, to);
        return;
      case 'short':
        socket.send(response.subarray(0, DISCOVERY_BYTES - 4), to);
        return;
      case 'wrong-type':
        response.writeUInt16BE(3, 0);
        break;
      case 'wrong-ssrc':
        response.writeUInt32BE((session.ssrc + 1) >>> 0, 4);
        break;
      case 'no-address':
        response.fill(0, 8);
        break;
    }
    socket.send(response, to);
  }

  #keepalive(packet: Buffer, from: UdpAddress, socket: VoiceSocket): void {
    if (packet.readUInt32BE(0) !== PING) {
      this.#counts.keepalives++;
      return;
    }
    this.#counts.pings++;
    const pong = Buffer.from(packet);
    pong.writeUInt32BE(PONG, 0);
    (this.#byPort.get(socket.port) ?? socket).send(pong, from);
  }
}
