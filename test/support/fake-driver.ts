// A voice driver without a network: connections become ready when told to, queue two frames as the discordjs
// driver does, and send one when ticked.
import type {
  GiveUp,
  VoiceClose,
  VoiceConnection,
  VoiceDriver,
  VoiceListener,
  VoiceServer,
} from '../../src/shard/voice/driver.js';
import type { Clock } from '../../src/shared/clock.js';
import type { ConnectionInspection } from '../../src/shared/inspection.js';
import { SentRow, type RowPlace } from '../../src/shared/sent-row.js';

export class FakeDriver implements VoiceDriver {
  readonly name = 'discordjs';
  readonly connections: FakeConnection[] = [];
  readonly #clock: Clock;
  /** Connections become ready by themselves, in the next turn. */
  readonly #willing: boolean;

  constructor(clock: Clock, willing = true) {
    this.#clock = clock;
    this.#willing = willing;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  connect(
    server: VoiceServer,
    listener: VoiceListener,
    mayConnect: () => boolean,
    row: RowPlace | null,
  ): FakeConnection {
    const sent = row === null ? null : new SentRow(row);
    const connection = new FakeConnection(server, listener, mayConnect, sent, this.#clock);
    this.connections.push(connection);
    if (this.#willing) {
      this.#clock.soon(() => {
        connection.becomeReady();
      });
    }
    return connection;
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const connection = this.connections.at(-1);
    if (!connection) throw new Error('nobody has connected');
    return connection;
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}

const DEPTH = 2;

interface Queued {
  readonly frame: Uint8Array;
  readonly sourceMs: number;
  readonly tag: number;
}

export class FakeConnection implements VoiceConnection {
  connected = false;
  ping = -1;
  closed = false;
  /** While set, no frame leaves in its slot, for that reason. */
  givesUp: GiveUp | null = null;
  /** What is told with a missed slot. */
  blocked = false;
  /** What left, in order; 'finish' where the player fell silent. */
  readonly sent: (Uint8Array | 'finish')[] = [];
  readonly server: VoiceServer;
  readonly #listener: VoiceListener;
  readonly #mayConnect: () => boolean;
  readonly #clock: Clock;
  readonly #row: SentRow | null;
  #queue: Queued[] = [];
  #finishing = false;
  #nextAt: number;

  constructor(
    server: VoiceServer,
    listener: VoiceListener,
    mayConnect: () => boolean,
    row: SentRow | null,
    clock: Clock,
  ) {
    this.server = server;
    this.#listener = listener;
    this.#mayConnect = mayConnect;
    this.#row = row;
    this.#clock = clock;
    this.#nextAt = clock.now();
  }

  becomeReady(): void {
    if (this.closed || !this.#mayConnect()) return;
    this.connected = true;
    this.ping = 12;
    this.#nextAt = this.#clock.now();
    this.#listener.onReady();
  }

  fail(close: Partial<VoiceClose> = {}): void {
    const beforeReady = !this.connected;
    this.connected = false;
    this.#queue = [];
    this.#listener.onClosed({
      code: 4006,
      reason: 'Session is no longer valid.',
      byRemote: true,
      beforeReady,
      ...close,
    });
  }

  /** One slot of the 20 ms grid: the oldest frame leaves, or is missed. */
  tick(): void {
    if (!this.connected) return;
    this.#nextAt = this.#clock.now() + 20;
    const first = this.#queue.shift();
    if (first && this.givesUp !== null) {
      this.#listener.onGivenUp(this.#clock.now(), this.givesUp);
    } else if (first) {
      this.sent.push(first.frame.slice());
      this.#row?.sent(first.sourceMs, first.tag, this.#clock.now(), 0);
      this.#listener.onSent(this.#clock.now());
    } else if (this.#finishing) {
      this.sent.push('finish');
      this.#finishing = false;
    } else if (this.sent.length > 0 && this.sent.at(-1) !== 'finish') {
      this.#row?.emptied();
      this.#listener.onMissed(this.blocked);
    }
  }

  get depth(): number {
    return DEPTH;
  }

  room(): number {
    return this.connected ? DEPTH - this.#queue.length : 0;
  }

  push(frame: Uint8Array, sourceMs: number, tag: number): void {
    if (this.room() <= 0) throw new Error('no room');
    this.#finishing = false;
    this.#queue.push({ frame, sourceMs, tag });
  }

  runsOutAt(): number {
    const now = this.#clock.now();
    return this.#queue.length === 0 ? now : Math.max(now, this.#nextAt + (this.#queue.length - 1) * 20);
  }

  flush(): number {
    const count = this.#queue.length;
    this.#queue = [];
    return count;
  }

  finish(): void {
    this.#finishing = true;
  }

  inspect(): ConnectionInspection {
    const { connected } = this;
    const step = this.closed ? 'over' : connected ? 'ready' : 'identifying';
    const queued = this.#queue.length;
    return {
      driver: 'discordjs',
      step,
      connected,
      everReady: connected,
      lastClose: null,
      dave: { version: 0, frames: 'plain', group: 'none', others: 0, waitedMs: null },
      speaking: connected ? queued > 0 : null,
      ring: connected
        ? { open: true, queued, waiting: 0, room: this.room(), head: null, underruns: null, sentAgeMs: null }
        : null,
    };
  }

  close(): void {
    this.closed = true;
    this.connected = false;
  }
}
