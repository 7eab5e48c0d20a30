// The main thread's parts on a manual clock and a fake fleet, and a socket that writes down what it is sent.
// For tests of sessions and players that need no engine.
import { defaults, type ConfigValues } from '../../src/shared/config.js';
import { Drain } from '../../src/main/drain.js';
import type { SendResult, Socket } from '../../src/main/http/engine.js';
import { LoadGate } from '../../src/main/load-gate.js';
import { silentLog } from '../../src/main/log.js';
import type { Machine } from '../../src/main/machine.js';
import type { Node } from '../../src/main/node.js';
import { SessionRegistry } from '../../src/main/session-registry.js';
import { settingsFrom } from '../../src/main/settings.js';
import { Stats } from '../../src/main/stats.js';
import { Tallies } from '../../src/main/tallies.js';
import type { Connection } from '../../src/main/ws/connection.js';
import { FakeFleet } from './fake-fleet.js';
import { ManualClock } from './manual-clock.js';

export const PASSWORD = 'open sesame';

/** Golden tokens of lavalink-v4.md §3. */
export const MP3_TOKEN =
  'QAAAdQMADVVua25vd24gdGl0bGUADlVua25vd24gYXJ0aXN0AAAAAAAAMDkAGWh0dHBzOi8vZXhhbXBsZS5jb20vYS5tcDMAAQAZaHR0cHM6Ly9leGFtcGxlLmNvbS9hLm1wMwAAAARodHRwAANtcDMAAAAAAAAAAA==';
export const STREAM_TOKEN =
  'QAAAgQMADVVua25vd24gdGl0bGUADlVua25vd24gYXJ0aXN0f/////////8AGmh0dHBzOi8vZXhhbXBsZS5jb20vYS5tM3U4AQEAGmh0dHBzOi8vZXhhbXBsZS5jb20vYS5tM3U4AAAABGh0dHAADW0zdXxobHMtb3V0ZXIAAAAAAAAAAA==';

export const VOICE = {
  token: 'voice token',
  endpoint: 'eu1.discord.media',
  sessionId: 'voice session',
  channelId: '4711',
} as const;

/** A machine whose readings never change. */
export const fixedMachine: Machine = {
  cores: 2,
  memoryLimit: () => 1_000_000,
  memory: () => ({ used: 10_000, resident: 50_000 }),
  processTime: () => 0,
  systemTime: () => null,
};

export interface MainNode {
  readonly clock: ManualClock;
  readonly fleet: FakeFleet;
  readonly node: Node;
  readonly sessions: SessionRegistry;
}

export function valuesWith(changes: Partial<ConfigValues> = {}): ConfigValues {
  return { ...defaults(), 'lavalink.server.password': PASSWORD, ...changes };
}

export function mainNode(changes: Partial<ConfigValues> = {}): MainNode {
  const clock = new ManualClock();
  const fleet = new FakeFleet(clock);
  const node: Node = {
    fleet,
    clock,
    log: silentLog,
    settings: settingsFrom(valuesWith(changes)),
    stats: new Stats({
      clock,
      machine: fixedMachine,
      counts: () => sessions.counts(),
      shards: () => fleet.reports(),
    }),
    tallies: new Tallies(),
    loads: new LoadGate(),
    drain: new Drain(),
  };
  const sessions = new SessionRegistry(node);
  fleet.listener = sessions;
  return { clock, fleet, node, sessions };
}

export class FakeSocket implements Socket<Connection> {
  readonly data: Connection;
  readonly remoteAddress = '127.0.0.1';
  readonly texts: string[] = [];
  closed: number | null = null;
  buffered = 0;
  pings = 0;
  /** What the client does on a ping; nothing when it is half open. */
  answerPing: () => void = () => undefined;
  /** Bytes that the kernel takes no more of; null while it takes everything. */
  stuckAt: number | null = null;

  constructor(connection: Partial<Connection> = {}) {
    this.data = { user: '42', clientName: 'test', resume: null, session: null, ...connection };
  }

  /** The messages, parsed. */
  get messages(): Record<string, unknown>[] {
    return this.texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  /** What each message is, for the order of things: an op, or the type of an event. */
  get kinds(): string[] {
    return this.messages.map((message) => String(message['type'] ?? message['op']));
  }

  /** Forgets what was sent so far. */
  clear(): void {
    this.texts.length = 0;
  }

  send(text: string): SendResult {
    if (this.closed !== null) return 'closed';
    if (this.stuckAt !== null) {
      if (this.buffered + text.length + 4 > this.stuckAt) {
        this.closed = 1008;
        this.buffered = 0;
        return 'closed';
      }
      this.buffered += text.length + (text.length < 126 ? 2 : 4);
      this.texts.push(text);
      return 'queued';
    }
    this.texts.push(text);
    return 'sent';
  }

  ping(): void {
    this.pings++;
    this.answerPing();
  }

  close(code: number): void {
    this.closed ??= code;
  }

  terminate(): void {
    this.closed ??= 1006;
  }
}

/** Lets promises that are ready settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
