// A whole main thread behind the real engine on loopback, with a fake fleet and a clock that stands still, and
// the clients that speak to it. Tests of the main thread start it; it ends with the test.
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import type { ConfigValues } from '../../src/shared/config.js';
import { createServer, type Server } from '../../src/main/app.js';
import { createUwsEngine } from '../../src/main/http/engine-uws.js';
import { silentLog } from '../../src/main/log.js';
import { FakeFleet } from './fake-fleet.js';
import { ManualClock } from './manual-clock.js';
import { fixedMachine, PASSWORD, valuesWith } from './main-node.js';

export interface Running {
  readonly server: Server;
  readonly fleet: FakeFleet;
  readonly clock: ManualClock;
  readonly origin: string;
}

/** A server on a free loopback port, closed with the test. */
export async function start(
  test: Pick<Test, 'teardown'>,
  changes: Partial<ConfigValues> = {},
): Promise<Running> {
  const clock = new ManualClock(5_000);
  const fleet = new FakeFleet(clock);
  const server = createServer({
    values: valuesWith({ 'server.address': '127.0.0.1', 'server.port': 0, ...changes }),
    engineFactory: createUwsEngine,
    fleet,
    clock,
    log: silentLog,
    machine: fixedMachine,
  });
  fleet.listener = server.listener;
  const port = await server.listen();
  test.teardown(() => server.close());
  return { server, fleet, clock, origin: `http://127.0.0.1:${port}` };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function ask(origin: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${origin}${path}`, {
    ...init,
    headers: { Authorization: PASSWORD, ...(init.headers as Record<string, string> | undefined) },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export function send(origin: string, method: string, path: string, body: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(origin, path, { method, body: text, headers: { 'Content-Type': 'application/json' } });
}

/** A bot's WebSocket that keeps what it is sent. */
export class Client {
  readonly texts: string[] = [];
  readonly socket: WebSocket;
  readonly opened: Promise<string>;
  #wake: () => void = () => undefined;

  constructor(origin: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${origin.replace('http', 'ws')}/v4/websocket`, {
      headers: { Authorization: PASSWORD, 'User-Id': '42', 'Client-Name': 'test/1', ...headers },
    });
    let resumed = '';
    this.socket.on('upgrade', (response) => {
      resumed = `${String(response.headers['session-resumed'])} ${String(response.headers['lavalink-api-version'])}`;
    });
    this.opened = once(this.socket, 'open').then(() => resumed);
    this.socket.on('message', (data: Buffer) => {
      this.texts.push(data.toString('utf8'));
      this.#wake();
    });
  }

  /** The first message with such a text in it, now or later; the test's ceiling ends a wait in vain. */
  async message(part: string): Promise<string> {
    for (;;) {
      const found = this.texts.find((text) => text.includes(part));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async session(): Promise<string> {
    const ready = JSON.parse(await this.message('"op":"ready"')) as { sessionId: string };
    return ready.sessionId;
  }
}

/** Status of an upgrade that is refused. */
export async function refusedUpgrade(
  origin: string,
  headers: Record<string, string>,
  path = '/v4/websocket',
): Promise<Answer> {
  const all = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const outgoing = request(`${origin}${path}`, { headers: all });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const entries = Object.entries(response.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  return { status: response.statusCode ?? 0, headers: new Headers(entries), text };
}

/** Makes the loader hang until it is told to finish. */
export function hangingLoad(fleet: FakeFleet) {
  let finish: () => void = () => undefined;
  let abort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  const started = new Promise<void>((begun) => {
    fleet.outcome = (_identifier, signal) => {
      signal.addEventListener('abort', abort);
      begun();
      return new Promise((resolve) => {
        finish = () => {
          resolve({ kind: 'empty' });
        };
      });
    };
  });
  return {
    started,
    aborted,
    finish: () => {
      finish();
    },
  };
}
