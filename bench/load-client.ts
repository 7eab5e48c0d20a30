// The lightest bot that can load a node with players: one WebSocket, plain requests, nothing kept.
import { once } from 'node:events';
import { WebSocket } from 'ws';

export class LoadClient {
  readonly #socket: WebSocket;
  readonly #base: string;
  readonly #headers: Record<string, string>;
  /** Messages by op, events by type. */
  readonly seen = new Map<string, number>();
  #session = '';

  private constructor(socket: WebSocket, base: string, password: string) {
    this.#socket = socket;
    this.#base = base;
    this.#headers = { Authorization: password, 'Content-Type': 'application/json' };
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { op: string; type?: string; sessionId?: string };
      const name = message.type ?? message.op;
      this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
      if (message.sessionId !== undefined) this.#session = message.sessionId;
    });
  }

  static async connect(port: number, password: string): Promise<LoadClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/v4/websocket`, {
      headers: { Authorization: password, 'User-Id': '100000000000000001', 'Client-Name': 'bench/1' },
    });
    const client = new LoadClient(socket, `http://127.0.0.1:${String(port)}`, password);
    await once(socket, 'message');
    while (client.#session === '') await once(socket, 'message');
    return client;
  }

  async get(path: string): Promise<unknown> {
    return this.#ask('GET', path);
  }

  async load(identifier: string): Promise<string> {
    const loaded = (await this.get(`/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`)) as {
      loadType: string;
      data: { encoded?: string };
    };
    if (loaded.data.encoded === undefined) throw new Error(`${identifier}: ${JSON.stringify(loaded)}`);
    return loaded.data.encoded;
  }

  patch(guild: string, body: unknown): Promise<unknown> {
    return this.#ask('PATCH', `/v4/sessions/${this.#session}/players/${guild}`, body);
  }

  async text(path: string): Promise<string> {
    const answer = await fetch(this.#base + path, { headers: this.#headers });
    return answer.text();
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.#base + path, {
      method,
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${String(answer.status)} ${text}`);
    return JSON.parse(text);
  }
}
