// A voice client written from the wire format alone (discord-voice.md §1), so that a test can send the fake voice
// server exactly what it likes: each handshake step by itself, sound packets and doctored ones. It speaks no DAVE
// and keeps no heartbeat. Used by the fake server's own tests.

import dgram from 'node:dgram';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { OPUS_PAYLOAD_TYPE, sealPacket } from './rtp-packet.js';
import type { RtpHeader } from './rtp-packet.js';
import type { AeadMode } from './voice-options.js';

const TIMEOUT_MS = 5_000;
const DISCOVERY_BYTES = 74;

export const GUILD = '300000000000000001';
export const BOT = '100000000000000001';
export const IDENTIFY = {
  server_id: GUILD,
  user_id: BOT,
  session_id: 'session',
  token: 'token',
  max_dave_protocol_version: 1,
};

/** What a client must know of a server: a FakeVoiceServer or a FakeVoiceProcess will do. */
export interface VoiceAddress {
  readonly endpoint: string;
  readonly udpPort: number;
  readonly certificate: { readonly cert: string };
}

export interface GatewayMessage {
  readonly op: number;
  /** -1: not numbered. */
  readonly seq: number;
  /** JSON messages: their `d`; any shape, as tests know what they asked for. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each op has a shape of its own
  readonly d: any;
  /** Binary messages. */
  readonly payload: Buffer;
}

export class PlainVoiceClient {
  readonly seen: GatewayMessage[] = [];
  /** Messages that are none, as they came. */
  readonly junk: Buffer[] = [];
  /** Every datagram so far and the port it came from. */
  readonly datagrams: { readonly packet: Buffer; readonly port: number }[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  lastSeq = -1;
  readonly #socket: WebSocket;
  readonly #udp = dgram.createSocket('udp4');
  readonly #udpPort: number;
  #look: () => void = () => {};
  #lookAtDatagrams: () => void = () => {};

  private constructor(socket: WebSocket, udpPort: number) {
    this.#socket = socket;
    this.#udpPort = udpPort;
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    socket.on('message', (data, isBinary) => this.#take(bytesOf(data), isBinary));
    socket.on('error', () => {}); // 'close' follows.
    this.#udp.on('message', (packet, { port }) => {
      this.datagrams.push({ packet, port });
      this.#lookAtDatagrams();
    });
  }

  /** An open websocket that has said nothing yet. */
  static async open(server: VoiceAddress, query = '?v=8'): Promise<PlainVoiceClient> {
    const socket = new WebSocket(`wss://${server.endpoint}${query}`, { ca: server.certificate.cert });
    const client = new PlainVoiceClient(socket, server.udpPort);
    client.#udp.bind(0, '127.0.0.1');
    client.#udp.unref(); // Whoever is cut off by the server need not clean up.
    await Promise.all([once(socket, 'open'), once(client.#udp, 'listening')]);
    return client;
  }

  get udpPort(): number {
    return this.#udp.address().port;
  }

  send(op: number, d: unknown): void {
    this.#socket.send(JSON.stringify({ op, d }));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  sendBinary(op: number, payload: Buffer): void {
    this.#socket.send(Buffer.concat([Buffer.from([op]), payload]));
  }

  /** The first message of that op, whether it has come already or is to come. */
  receive(op: number): Promise<GatewayMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`op ${op} has not come`)), TIMEOUT_MS);
      timer.unref(); // A connection that was closed on the way must not hold the process.
      this.#look = () => {
        const found = this.seen.find((message) => message.op === op);
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      this.#look();
    });
  }

  /** Identify; resolves with the SSRC of Ready. */
  async identify(over: Partial<typeof IDENTIFY> = {}): Promise<number> {
    this.send(0, { ...IDENTIFY, ...over });
    const { d } = await this.receive(2);
    return d.ssrc as number;
  }

  /** Identify, Select Protocol, Speaking; resolves once there is a key. */
  async connect(mode: AeadMode): Promise<PlainStream> {
    const ssrc = await this.identify();
    this.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port: this.udpPort, mode } });
    const { d } = await this.receive(4);
    this.send(5, { speaking: 1, delay: 0, ssrc });
    const key = Buffer.from(d.secret_key as number[]);
    return { ssrc, mode, key };
  }

  /** Select Protocol once more; `seen` must hold no op 4. Resolves with the new key. */
  async describeAgain({ ssrc, mode }: PlainStream): Promise<PlainStream> {
    this.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port: this.udpPort, mode } });
    const { d } = await this.receive(4);
    return { ssrc, mode, key: Buffer.from(d.secret_key as number[]) };
  }

  /** One discovery request; `garbage` puts something where zeros belong. */
  discover(ssrc: number, garbage = false): void {
    const request = Buffer.alloc(DISCOVERY_BYTES);
    request.writeUInt32BE(0x0001_0046, 0);
    request.writeUInt32BE(ssrc, 4);
    if (garbage) request.write('127.0.0.1', 8, 'latin1');
    this.datagram(request);
  }

  datagram(bytes: Buffer, port = this.#udpPort): void {
    this.#udp.send(bytes, port, '127.0.0.1');
  }

  /** The first n datagrams from the server that are of that kind, those that have come already included. */
  receiveDatagrams(
    n: number,
    kind: (packet: Buffer, port: number) => boolean = () => true,
  ): Promise<readonly Buffer[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${n} datagrams have not come`)), TIMEOUT_MS);
      timer.unref();
      this.#lookAtDatagrams = () => {
        const found = this.datagrams.filter(({ packet, port }) => kind(packet, port));
        if (found.length < n) return;
        clearTimeout(timer);
        resolve(found.slice(0, n).map(({ packet }) => packet));
      };
      this.#lookAtDatagrams();
    });
  }

  /** The next datagram from the server. */
  async nextDatagram(): Promise<Buffer> {
    const [bytes] = await once(this.#udp, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return bytes as Buffer;
  }

  /** Frame n of a stream whose numbers, timestamps and nonces all count from n unless told otherwise. */
  sealed(
    stream: PlainStream,
    n: number,
    frame: Buffer,
    over: Partial<RtpHeader> & { nonce?: number } = {},
  ): Buffer {
    const { nonce = n + 1, ...header } = over;
    const at = {
      payloadType: OPUS_PAYLOAD_TYPE,
      sequence: n,
      timestamp: n * 960,
      ssrc: stream.ssrc,
      ...header,
    };
    return sealPacket(stream.mode, stream.key, at, nonce, frame);
  }

  /** Cuts the TCP connection. */
  async drop(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  async close(code = 1000): Promise<void> {
    this.#socket.close(code);
    await this.closed;
    this.#udp.close();
  }

  #take(data: Buffer, isBinary: boolean): void {
    const message = isBinary ? binaryMessage(data) : textMessage(data);
    if (message === null) {
      this.junk.push(data);
      return;
    }
    if (message.seq >= 0) this.lastSeq = message.seq;
    this.seen.push(message);
    this.#look();
  }
}

export interface PlainStream {
  readonly ssrc: number;
  readonly mode: AeadMode;
  readonly key: Buffer;
}

function binaryMessage(data: Buffer): GatewayMessage | null {
  if (data.length < 3) return null;
  return { seq: data.readUInt16BE(0), op: data.readUInt8(2), d: null, payload: data.subarray(3) };
}

function textMessage(data: Buffer): GatewayMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return null;
  }
  const { op, seq = -1, d } = Object(value) as { op?: unknown; seq?: number; d: unknown };
  return typeof op === 'number' ? { op, seq, d, payload: Buffer.alloc(0) } : null;
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
