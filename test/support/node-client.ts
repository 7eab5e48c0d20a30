// The plainest bot: one WebSocket whose messages are kept in order, and REST requests. For tests and benches
// that care about the exact words on the wire.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { TEST_PASSWORD } from './pumice-process.js';

export interface NodeMessage {
  readonly op: string;
  readonly type?: string;
  readonly guildId?: string;
  readonly [key: string]: unknown;
}

export interface RestAnswer {
  readonly status: number;
  /** Parsed JSON, or null for an empty body. */
  readonly body: unknown;
  /** Milliseconds from the request to the whole answer. */
  readonly ms: number;
}

export class NodeClient {
  readonly messages: NodeMessage[] = [];
  readonly socket: WebSocket;
  readonly #base: string;
  #session = '';
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket, base: string) {
    this.socket = socket;
    this.#base = base;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as NodeMessage;
      this.messages.push(message);
      if (message.op === 'ready') this.#session = String(message['sessionId']);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const look of waiting) look();
    });
  }

  /** Resolves when the session is ready. */
  static async connect(port: number, userId = '100000000000000001'): Promise<NodeClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/v4/websocket`, {
      headers: { Authorization: TEST_PASSWORD, 'User-Id': userId, 'Client-Name': 'test/1' },
    });
    const client = new NodeClient(socket, `http://127.0.0.1:${String(port)}`);
    await once(socket, 'open');
    await client.wait((message) => message.op === 'ready');
    return client;
  }

  get session(): string {
    return this.#session;
  }

  /** Events of a guild in order: their type, with the reason of an end. */
  events(guild: string): string[] {
    return this.messages
      .filter(({ op, guildId }) => op === 'event' && guildId === guild)
      .map(({ type, reason }) =>
        type === 'TrackEndEvent' ? `TrackEndEvent ${String(reason)}` : String(type),
      );
  }

  /** The n-th message that fits, old ones included; rejects after `ms`. */
  async wait(fits: (message: NodeMessage) => boolean, n = 1, ms = 20_000): Promise<NodeMessage> {
    const until = performance.now() + ms;
    for (;;) {
      const found = this.messages.filter(fits)[n - 1];
      if (found) return found;
      const left = until - performance.now();
      if (left <= 0)
        throw new Error(`nothing that fits within ${String(ms)} ms among ${this.messages.length} messages`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  waitForEvent(guild: string, type: string, n = 1, ms = 20_000): Promise<NodeMessage> {
    return this.wait((message) => message.guildId === guild && message.type === type, n, ms);
  }

  /** Any request; never rejects for a status. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<RestAnswer> {
    const began = performance.now();
    const answer = await fetch(this.#base + path, {
      method,
      headers: { Authorization: TEST_PASSWORD, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const ms = performance.now() - began;
    return { status: answer.status, body: text === '' ? null : (JSON.parse(text) as unknown), ms };
  }

  /** The answer's body; rejects for any status but 200 and 204. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.ask(method, path, body);
    if (answer.status !== 200 && answer.status !== 204) {
      throw new Error(`${method} ${path}: ${String(answer.status)} ${JSON.stringify(answer.body)}`);
    }
    return (answer.body ?? {}) as Record<string, unknown>;
  }

  player(guild: string): string {
    return `/v4/sessions/${this.#session}/players/${guild}`;
  }

  patch(guild: string, body: unknown): Promise<Record<string, unknown>> {
    return this.must('PATCH', this.player(guild), body);
  }

  /** Voice data for a guild whose channel has the guild's own id. */
  join(guild: string, endpoint: string): Promise<Record<string, unknown>> {
    return this.patch(guild, {
      voice: { token: `token-${guild}`, endpoint, sessionId: `session-${guild}`, channelId: guild },
    });
  }

  /** The encoded track of an identifier; rejects with what was loaded instead. */
  async load(identifier: string): Promise<string> {
    const loaded = await this.must('GET', `/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`);
    const data = loaded['data'] as { encoded?: string } | null;
    if (data?.encoded === undefined) throw new Error(`${identifier}: ${JSON.stringify(loaded)}`);
    return data.encoded;
  }

  play(guild: string, encoded: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.patch(guild, { track: { encoded }, ...more });
  }

  async text(path: string): Promise<string> {
    const answer = await fetch(this.#base + path, { headers: { Authorization: TEST_PASSWORD } });
    return answer.text();
  }

  close(): void {
    this.socket.close();
  }
}
