// All sessions of the node: live ones, which REST can see, and those whose client is away and may resume.
// It turns sockets into sessions and hands the shards' news to the players concerned. Main thread.
import { randomInt } from 'node:crypto';
import type { Timer } from '../shared/clock.js';
import { PlayerWord } from '../shared/counter-words.js';
import { ServerError } from '../shared/errors.js';
import type { EventEnvelope } from '../shared/shard-events.js';
import type { FleetListener } from './dispatch/fleet.js';
import { MINUTE, untilNextMinute } from './frame-stats.js';
import type { Socket } from './http/engine.js';
import type { Node } from './node.js';
import { Session, type SessionHooks } from './session.js';
import type { PlayerCounts } from './stats.js';
import type { Connection } from './ws/connection.js';

const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** 26 of 36 characters: 134 bits (decision D1). */
const ID_LENGTH = 26;

/** WebSocket close code for a client whose User-Id is no number, as Lavalink closes it. */
const SERVER_ERROR = 1011;

export class SessionRegistry implements FleetListener {
  readonly #node: Node;
  readonly #live = new Map<string, Session>();
  readonly #away = new Map<string, Session>();
  /** Ended sessions whose players are still on their way out. */
  readonly #ending = new Set<Session>();
  #minute: Timer;

  constructor(node: Node) {
    this.#node = node;
    this.#minute = this.#nextMinute(node.clock.now() + untilNextMinute(node.clock.wall()));
  }

  /** Live sessions. */
  live(): Iterable<Session> {
    return this.#live.values();
  }

  /** Sessions by state, and messages kept for clients that are away. */
  census(): { readonly live: number; readonly resumable: number; readonly queued: number } {
    let queued = 0;
    for (const session of this.#away.values()) queued += session.queued;
    return { live: this.#live.size, resumable: this.#away.size, queued };
  }

  /** Players of connected sessions (lavalink-v4.md §1.3). */
  counts(): PlayerCounts {
    let players = 0;
    let playingPlayers = 0;
    for (const session of this.#live.values()) {
      players += session.players.size;
      for (const player of session.players.all()) if (player.isPlaying) playingPlayers++;
    }
    return { players, playingPlayers };
  }

  /** Throws PUM_SESSION_NOT_FOUND; a session whose client is away is not found either. */
  find(id: string): Session {
    const session = this.#live.get(id);
    if (session === undefined) throw new ServerError('PUM_SESSION_NOT_FOUND');
    return session;
  }

  /** Whether a client of that user could resume the session now. Changes nothing. */
  canResume(id: string | null, user: string | null): boolean {
    return this.#resumable(id, user) !== null;
  }

  /** A socket is open: resumes its session or begins a new one. */
  open(socket: Socket<Connection>): void {
    const { data } = socket;
    if (data.user === null) {
      socket.close(SERVER_ERROR, 'User-Id is not a number');
      return;
    }
    if (this.#node.drain.kind !== 'serving') {
      socket.close(1001, 'the server is shutting down');
      return;
    }
    const resumed = this.#resumable(data.resume, data.user);
    if (data.resume !== null) {
      this.#node.tallies.sessionResumes.add({ result: resumed ? 'resumed' : 'unknown' });
    }
    const session =
      resumed ?? new Session({ id: newSessionId(), user: data.user }, this.#node, this.#hooks());
    data.session = session;
    this.#node.log.info(resumed ? 'session resumed' : 'session opened', {
      session: session.id,
      client: data.clientName,
    });
    session.attach(socket);
  }

  /** Last call for a socket. */
  closed(socket: Socket<Connection>, code: number): void {
    const { session } = socket.data;
    if (session === null) return;
    socket.data.session = null;
    // A socket that was cut for not reading is reported after its session may have been resumed already.
    if (!session.isOn(socket)) return;
    this.#node.log.info('connection closed', { session: session.id, code });
    session.detach(null);
  }

  event(envelope: EventEnvelope): void {
    const { session: id } = envelope;
    const session = this.#live.get(id) ?? this.#away.get(id) ?? this.#endingById(id);
    if (session?.receive(envelope) !== true) this.#node.tallies.eventsDropped++;
  }

  shardDied(shard: number): void {
    for (const session of this.#all()) session.players.shardDied(shard);
  }

  shardReady(shard: number): void {
    for (const session of this.#all()) session.players.shardReady(shard);
  }

  /** Stops every player; their clients still hear of it. */
  async stopPlayers(): Promise<void> {
    await Promise.all([...this.#all()].map((session) => session.players.removeAll()));
  }

  /** Ends every session and closes its socket with 1001. */
  shutDown(): void {
    this.#minute.cancel();
    for (const session of this.#all()) session.shutDown();
  }

  #hooks(): SessionHooks {
    return {
      admit: () => this.#admitPlayer(),
      moved: (session) => this.#place(session),
    };
  }

  #admitPlayer(): void {
    this.#node.drain.admit();
    const limit = this.#node.settings.maxTotalPlayers;
    if (limit <= 0) return;
    let players = 0;
    for (const session of this.#all()) players += session.players.size;
    if (players >= limit) throw new ServerError('PUM_NODE_LIMIT', { limit });
  }

  #place(session: Session): void {
    this.#live.delete(session.id);
    this.#away.delete(session.id);
    if (session.kind === 'live') {
      this.#live.set(session.id, session);
    } else if (session.kind === 'away') {
      this.#away.set(session.id, session);
    } else {
      this.#ending.add(session);
      void session.end('closed').finally(() => this.#ending.delete(session));
    }
  }

  #resumable(id: string | null, user: string | null): Session | null {
    const session = id === null ? undefined : this.#away.get(id);
    // Somebody else's session is answered like one that never was (decision D2).
    return session !== undefined && session.user === user ? session : null;
  }

  #endingById(id: string): Session | undefined {
    for (const session of this.#ending) if (session.id === id) return session;
    return undefined;
  }

  #all(): readonly Session[] {
    return [...this.#live.values(), ...this.#away.values(), ...this.#ending];
  }

  /** Rolls every player's frame counts at each full minute: `at` is the clock's time of the next. */
  #nextMinute(at: number): Timer {
    const { clock, fleet } = this.#node;
    return clock.after(at - clock.now(), () => {
      // A minute that a stall has taken is none of its own.
      this.#minute = this.#nextMinute(at + MINUTE * Math.max(1, Math.ceil((clock.now() - at) / MINUTE)));
      for (const session of this.#all()) {
        for (const player of session.players.all()) {
          player.frames.roll(
            {
              sent: fleet.word(player.placement, PlayerWord.sent),
              nulled: fleet.word(player.placement, PlayerWord.nulled),
            },
            at,
          );
        }
      }
    });
  }
}

function newSessionId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join('');
}
