// One UDP socket of the fake voice server on the server's own thread, and what the kernel knows of such sockets.
// Opened by voice-udp.ts; voice-socket-thread.ts is the same on a thread of its own.

import dgram, { type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { UdpAddress } from './voice-session.js';

/** Room for 50,000 packets a second while something else holds the thread; the kernel may give less. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;

/** `at` is performance.now() of the server's own thread. */
export type OnDatagram = (packet: Buffer, at: number, from: UdpAddress, socket: VoiceSocket) => void;

export interface VoiceSocket {
  readonly port: number;
  /** What the kernel has given, in bytes; it counts its own overhead. */
  readonly receiveBuffer: number;
  send(packet: Buffer, to: UdpAddress): void;
  close(): Promise<void>;
}

/** Bound to a port on loopback that the kernel chooses. */
export async function bindUdp(): Promise<Socket> {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

export class LocalVoiceSocket implements VoiceSocket {
  readonly port: number;
  readonly receiveBuffer: number;
  readonly #socket: Socket;

  private constructor(socket: Socket, onDatagram: OnDatagram) {
    this.port = socket.address().port;
    this.receiveBuffer = socket.getRecvBufferSize();
    this.#socket = socket;
    socket.on('message', (packet, from) => onDatagram(packet, performance.now(), from, this));
  }

  static async open(onDatagram: OnDatagram): Promise<LocalVoiceSocket> {
    return new LocalVoiceSocket(await bindUdp(), onDatagram);
  }

  send(packet: Buffer, to: UdpAddress): void {
    this.#socket.send(packet, to.port, to.address);
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

/** Datagrams the kernel threw away because nobody read them in time; null where it does not say. */
export function kernelDrops(ports: readonly number[]): number | null {
  let table: string;
  try {
    table = readFileSync('/proc/net/udp', 'latin1');
  } catch {
    return null;
  }
  let drops = 0;
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const port = parseInt(columns[1]?.split(':')[1] ?? '', 16);
    if (ports.includes(port)) drops += Number(columns.at(-1));
  }
  return drops;
}
