// A client of the protocol without a library: one WebSocket and plain requests, every answer with its status
// and its time, every message kept. For end-to-end tests of what client libraries hide or refuse to send.
import { once } from 'node:events';
import { WebSocket } from 'ws';

export const RAW_USER = '100000000000000002';

export interface RawClientOptions {
  /** Port of the node on loopback. */
  readonly port: number;
  readonly password: string;
  /** `host:port` of the voice server that join() names. */
  readonly voiceEndpoint: string;
}

export interface Answer {
  readonly status: number;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
  /** performance.now() before the request and after the answer. */
  readonly sentAt: number;
  readonly doneAt: number;
}

/** A message as it came: `op`, for events `type`, and the rest. */
export type Message = Readonly<Record<string, unknown>> & { readonly op: string };

export interface PlayerJson {
  readonly guildId: string;
  readonly track: { readonly info: { readonly position: number; readonly uri: string } } | null;
  readonly volume: number;
  readonly paused: boolean;
  readonly state: { readonly time: number; readonly position: number; readonly connected: boolean };
}

export class RawClient {
  readonly messages: { readonly message: Message; readonly at: number }[] = [];
  readonly #options: RawClientOptions;
  readonly #socket: WebSocket;
  #session = '';

  private constructor(options: RawClientOptions) {
    this.#options = options;
    this.#socket = new WebSocket(`ws://127.0.0.1:${String(options.port)}/v4/websocket`, {
      headers: { Authorization: options.password, 'User-Id': RAW_USER, 'Client-Name': 'raw/1' },
    });
    this.#socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message;
      this.messages.push({ message, at: performance.now() });
      if (message.op === 'ready') this.#session = message['sessionId'] as string;
    });
  }

  /** Resolves with `ready`; rejects when the upgrade is refused. */
  static async connect(options: RawClientOptions): Promise<RawClient> {
    const client = new RawClient(options);
    const signal = AbortSignal.timeout(15_000);
    while (client.#session === '') await once(client.#socket, 'message', { signal });
    return client;
  }

  get session(): string {
    return this.#session;
  }

  playerPath(guild: string): string {
    return `/v4/sessions/${this.#session}/players/${guild}`;
  }

  /** Whatever the status; a string goes out as it is, everything else as JSON. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { port, password } = this.#options;
    const sentAt = performance.now();
    const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`, {
      method,
      headers: { Authorization: password, 'Content-Type': 'application/json', ...headers },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const doneAt = performance.now();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: answer.status, body: isJson ? (JSON.parse(text) as unknown) : text, sentAt, doneAt };
  }

  load(identifier: string): Promise<Answer> {
    return this.ask('GET', `/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`);
  }

  /** The encoded track of an identifier; throws with what was loaded instead. */
  async track(identifier: string): Promise<string> {
    const { body } = await this.load(identifier);
    const { encoded } = (body as { data: { encoded?: string } | null }).data ?? {};
    if (encoded === undefined) throw new Error(`not a track: ${JSON.stringify(body)}`);
    return encoded;
  }

  patch(guild: string, body: unknown, query = ''): Promise<Answer> {
    return this.ask('PATCH', this.playerPath(guild) + query, body);
  }

  /** The same, for what must succeed. */
  async change(guild: string, body: unknown, query = ''): Promise<Answer & { readonly player: PlayerJson }> {
    const answer = await this.patch(guild, body, query);
    if (answer.status !== 200) throw new Error(`${String(answer.status)} ${JSON.stringify(answer.body)}`);
    return { ...answer, player: answer.body as PlayerJson };
  }

  async player(guild: string): Promise<PlayerJson> {
    return (await this.ask('GET', this.playerPath(guild))).body as PlayerJson;
  }

  voiceOf(guild: string, endpoint = this.#options.voiceEndpoint): Record<string, string> {
    return { token: `token-${guild}`, endpoint, sessionId: `voice-${guild}`, channelId: guild };
  }

  async join(guild: string): Promise<void> {
    await this.change(guild, { voice: this.voiceOf(guild) });
  }

  /** Events of a guild in order. */
  events(guild: string): Message[] {
    return this.messages
      .map(({ message }) => message)
      .filter((message) => message.op === 'event' && message['guildId'] === guild);
  }

  /** Types of the guild's events, with the reason where there is one. */
  story(guild: string): string[] {
    return this.events(guild).map(({ type, reason }) =>
      type === 'TrackEndEvent' ? `${type} ${String(reason)}` : String(type),
    );
  }

  /** The guild's first event of that type; rejects after `ms` with what there was instead. */
  async event(guild: string, type: string, ms = 15_000): Promise<Message> {
    const signal = AbortSignal.timeout(ms);
    for (;;) {
      const found = this.events(guild).find((event) => event['type'] === type);
      if (found) return found;
      await once(this.#socket, 'message', { signal }).catch(() => {
        throw new Error(`no ${type} within ${String(ms)} ms, but ${this.story(guild).join(', ')}`);
      });
    }
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
