// A bare HTTP/1.1 client over one TCP connection, for tests that send what no HTTP library would send and that
// look at the bytes that come back. It parses replies by Content-Length only.
import { connect, type Socket } from 'node:net';

export interface RawReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection has ended, however it did. */
  readonly closed: Promise<void>;
  #text = '';
  #isClosed = false;
  #changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#text += chunk;
      this.#changed();
    });
    // Whether the other side cuts or closes is not for this class to judge.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        this.#changed();
        resolve();
      });
    });
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect(port, host);
    const connection = new RawConnection(socket);
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return connection;
  }

  /** Bytes that arrived and belong to no reply taken so far. */
  get unread(): string {
    return this.#text;
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  /** Sends a request with a Host header, `fields` as whole lines, and a body as it is. */
  request(method: string, target: string, fields: readonly string[] = [], body = ''): void {
    this.send([`${method} ${target} HTTP/1.1`, 'Host: test', ...fields, '', body].join('\r\n'));
  }

  /** The next reply, or null when the connection ended without one. `isHead`: it has no body. */
  async reply(isHead = false): Promise<RawReply | null> {
    for (;;) {
      const reply = this.#take(isHead);
      if (reply !== null) return reply;
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(isHead: boolean): RawReply | null {
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const [first = '', ...lines] = this.#text.slice(0, end).split('\r\n');
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = isHead ? 0 : Number(headers.get('content-length') ?? 0);
    const bodyStart = end + 4;
    if (this.#text.length < bodyStart + length) return null;
    const body = Buffer.from(this.#text.slice(bodyStart, bodyStart + length), 'latin1').toString('utf8');
    this.#text = this.#text.slice(bodyStart + length);
    return { status: Number(first.split(' ')[1]), headers, body };
  }
}
