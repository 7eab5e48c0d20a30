// One session: a client's socket, or its absence with the queue of what it misses, and its players. It sends
// every message in order, ends visibly rather than forget one, and owns which guild lives where. Main thread.
import type { Timer } from '../shared/clock.js';
import { ServerError } from '../shared/errors.js';
import { DISPATCH } from '../shared/limits.js';
import type { EventEnvelope } from '../shared/shard-events.js';
import type { FrameStats } from './frame-stats.js';
import { averageFrames } from './frame-stats.js';
import type { Socket } from './http/engine.js';
import type { Node } from './node.js';
import type { Outgoing, Player } from './player.js';
import { SessionPlayers } from './session-players.js';
import type { Connection } from './ws/connection.js';
import { Heartbeat } from './ws/heartbeat.js';
import {
  outgoingMessage,
  playerUpdateMessage,
  readyMessage,
  statsMessage,
  type OutMessage,
} from './ws/messages.js';
import { Outbox } from './ws/outbox.js';
import { ResumeQueue } from './ws/resume-queue.js';

/** Why a session ended: a label of the metrics. */
export type EndOfSession = 'closed' | 'expired' | 'overflow' | 'shutdown';

type Link =
  | { readonly kind: 'live'; readonly outbox: Outbox<Connection>; readonly heartbeat: Heartbeat }
  | { readonly kind: 'away'; readonly queue: ResumeQueue; readonly expiry: Timer }
  | { readonly kind: 'ended' };

/** Milliseconds between two stats messages. */
const STATS_PERIOD = 60_000;
const DEFAULT_RESUME_TIMEOUT = 60;

export interface SessionIdentity {
  readonly id: string;
  /** Snowflake of the bot's user. */
  readonly user: string;
}

export interface SessionHooks {
  /** Throws when the node takes no further player. */
  admit(): void;
  /** The session left the live ones or came back to them, or ended. */
  moved(session: Session): void;
}

export class Session {
  readonly id: string;
  readonly user: string;
  readonly players: SessionPlayers;
  resuming = false;
  #timeout = DEFAULT_RESUME_TIMEOUT;
  readonly #node: Node;
  readonly #hooks: SessionHooks;
  #link: Link = { kind: 'ended' };
  #stats: Timer | null = null;
  #inFlight = 0;

  constructor(identity: SessionIdentity, node: Node, hooks: SessionHooks) {
    this.id = identity.id;
    this.user = identity.user;
    this.#node = node;
    this.#hooks = hooks;
    this.players = new SessionPlayers({
      node,
      owner: identity,
      deliver: (player, outgoing) => this.#deliver(player, outgoing),
      admit: () => hooks.admit(),
    });
  }

  get kind(): Link['kind'] {
    return this.#link.kind;
  }

  /** Messages waiting for the client's return. */
  get queued(): number {
    return this.#link.kind === 'away' ? this.#link.queue.length : 0;
  }

  /** Seconds a client may be away. */
  get timeout(): number {
    return this.#timeout;
  }

  /** Clamped to what the operator allows; what is below zero is zero. */
  setTimeout(seconds: bigint): void {
    const most = BigInt(this.#node.settings.maxResumeTimeout);
    this.#timeout = Number(seconds < 0n ? 0n : seconds > most ? most : seconds);
  }

  /** The client's socket is open: `ready` first, then what it missed, then the present state. */
  attach(socket: Socket<Connection>): void {
    const missed = this.#link.kind === 'away' ? this.#link.queue.take() : null;
    const { clock, settings } = this.#node;
    const times = { interval: settings.pingInterval, timeout: settings.pongTimeout };
    const limits = { replayMark: settings.maxOutbox / 2, maxBacklog: settings.resume.maxBytes };
    const outbox = new Outbox(socket, clock, limits, ({ op }) => {
      this.#node.tallies.messages.add({ direction: 'out', op });
    });
    this.#setLink({ kind: 'live', outbox, heartbeat: new Heartbeat(clock, socket, times) });
    this.#hooks.moved(this);
    const ready = readyMessage(missed !== null, this.id);
    if (missed === null) {
      this.#send(ready);
      // The socket may be gone already, and the session with it.
      if (this.kind === 'live') this.#sendStats();
      return;
    }
    // As one, so that a socket that fails at the first message loses none of those behind it.
    outbox.replay([ready, ...missed]);
    for (const player of this.players.all()) this.#send(playerUpdateMessage(player, clock.wall()));
  }

  /** Whether that socket is the session's present one. */
  isOn(socket: Socket<Connection>): boolean {
    return this.#link.kind === 'live' && this.#link.outbox.socket === socket;
  }

  pong(): void {
    if (this.#link.kind === 'live') this.#link.heartbeat.pong();
  }

  /** Its socket is gone, or is about to be because the client does not read; `last` could not be sent any more. */
  detach(last: OutMessage | null): void {
    if (this.#link.kind !== 'live') return;
    const unsent = this.#link.outbox.end();
    if (!this.resuming) {
      void this.end('closed');
      return;
    }
    const expiry = this.#node.clock.after(this.#timeout * 1_000, () => void this.end('expired'));
    this.#setLink({ kind: 'away', queue: new ResumeQueue(this.#node.settings.resume), expiry });
    this.#hooks.moved(this);
    for (const message of unsent) this.#send(message);
    if (last) this.#send(last);
  }

  /** Ends the session and all its players; nothing is sent any more. Resolves when the players are gone. */
  end(reason: EndOfSession): Promise<void> {
    if (this.#link.kind === 'ended') return this.players.close();
    if (reason === 'overflow') {
      this.#node.log.warn('a session ended: its client was away and missed too much', { session: this.id });
    }
    this.#setLink({ kind: 'ended' });
    this.#stats?.cancel();
    this.#stats = null;
    this.#node.tallies.sessionsEnded.add({ reason });
    const gone = this.players.close();
    this.#hooks.moved(this);
    return gone;
  }

  /** The server stops: closes the socket with 1001 behind everything that was sent. */
  shutDown(): void {
    const socket = this.#link.kind === 'live' ? this.#link.outbox.socket : null;
    void this.end('shutdown');
    socket?.close(1001, 'the server is shutting down');
  }

  receive(envelope: EventEnvelope): boolean {
    return this.players.receive(envelope);
  }

  /** Runs one command of the client under the session's ceiling. Throws PUM_SESSION_BUSY. */
  async command<R>(run: () => Promise<R>): Promise<R> {
    const limit = DISPATCH.maxInFlightPerSession;
    if (this.#inFlight >= limit) throw new ServerError('PUM_SESSION_BUSY', { limit });
    this.#inFlight++;
    try {
      return await run();
    } finally {
      this.#inFlight--;
    }
  }

  /** A playerUpdate out of turn: after a seek or a change of filters. */
  update(player: Player): void {
    this.#deliver(player, [{ kind: 'update' }]);
  }

  /** The last whole minute's frames, averaged over the players that played through it. */
  frameStats(): FrameStats | null {
    const usable = [...this.players.all()].filter((player) => player.isPlaying && player.frames.isUsable);
    return averageFrames(usable.map((player) => player.frames.lastMinute));
  }

  #deliver(player: Player, outgoing: readonly Outgoing[]): void {
    for (const item of outgoing) {
      if (this.#link.kind === 'ended') return;
      this.#tally(item);
      // A playerUpdate is about now: one for a client that is away is of no use to it later.
      if (item.kind === 'update' && this.#link.kind === 'away') continue;
      this.#send(outgoingMessage(player, item, this.#node.clock.wall()));
    }
  }

  #send(message: OutMessage): void {
    switch (this.#link.kind) {
      case 'live':
        if (!this.#link.outbox.send(message)) {
          this.#node.tallies.slowClients++;
          this.detach(message);
        }
        break;
      case 'away':
        if (message.op === 'playerUpdate' || message.op === 'ready') break;
        if (!this.#link.queue.push(message)) void this.end('overflow');
        break;
      case 'ended':
        break;
    }
  }

  /** The first at once, then one every period, whether the client is there or away. */
  #sendStats(): void {
    this.#stats = this.#node.clock.after(STATS_PERIOD, () => this.#sendStats());
    this.#send(statsMessage(this.#node.stats.report(this.frameStats())));
  }

  #setLink(next: Link): void {
    if (this.#link.kind === 'live') {
      this.#link.heartbeat.stop();
      this.#link.outbox.end();
    } else if (this.#link.kind === 'away') {
      this.#link.expiry.cancel();
    }
    this.#link = next;
  }

  #tally(item: Outgoing): void {
    if (item.kind === 'update') return;
    const reason = item.kind === 'trackEnd' ? item.reason : 'none';
    this.#node.tallies.trackEvents.add({ type: item.kind, reason });
  }
}
