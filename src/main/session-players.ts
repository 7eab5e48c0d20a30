// The players of one session by guild: made at the first PATCH, removed by DELETE or the session's end, taken
// over by a replacement when their shard dies. What the client is owed goes out through `deliver`. Main thread.
import { ServerError } from '../shared/errors.js';
import type { EventEnvelope } from '../shared/shard-events.js';
import type { Placement } from './dispatch/fleet.js';
import type { Node } from './node.js';
import { PlayerCommands, type VoiceUser } from './player-commands.js';
import { PlayerReturns } from './player-returns.js';
import { PlayerUpdates } from './player-updates.js';
import { Player, type Outgoing } from './player.js';

export interface SessionPlayersOptions {
  readonly node: Node;
  readonly owner: VoiceUser;
  /** Sends what a player's record says is owed, in order. */
  deliver(player: Player, outgoing: readonly Outgoing[]): void;
  /** Throws when the node takes no further player. */
  admit(): void;
}

interface Leaving {
  readonly player: Player;
  readonly done: Promise<void>;
}

export interface PlayerAt {
  readonly player: Player;
  /** The shard's answer to `create`, or to `adopt` for one that was lost; null otherwise. */
  readonly created: Promise<void> | null;
}

export class SessionPlayers {
  readonly commands: PlayerCommands;
  readonly #options: SessionPlayersOptions;
  readonly #players = new Map<string, Player>();
  readonly #leaving = new Map<string, Leaving>();
  readonly #updates: PlayerUpdates;
  readonly #returns: PlayerReturns;
  /** Those that a replacement has been asked to take over, until it has answered, with their place on it. */
  readonly #adopting = new Map<Player, Placement>();
  #closed = false;

  constructor(options: SessionPlayersOptions) {
    this.#options = options;
    this.commands = new PlayerCommands(options.node);
    this.#updates = new PlayerUpdates(options.node.clock, options.node.settings.playerUpdateInterval);
    this.#returns = new PlayerReturns(options.node.clock);
  }

  get size(): number {
    return this.#players.size;
  }

  get(guild: string): Player | null {
    return this.#players.get(guild) ?? null;
  }

  all(): Iterable<Player> {
    return this.#players.values();
  }

  /** Resolves when a player of that guild that is being removed is gone. */
  async settled(guild: string): Promise<void> {
    for (let leaving; (leaving = this.#leaving.get(guild)) !== undefined;) await leaving.done;
  }

  /**
   * Resolves when the guild's player has a shard that answers, at once without a player. Rejects with
   * PUM_SHARD_GONE after `ms`, and with PUM_PLAYER_NOT_FOUND when the player was removed meanwhile.
   */
  async returned(guild: string, ms: number): Promise<void> {
    const player = this.#players.get(guild);
    if (player === undefined) return;
    const { fleet } = this.#options.node;
    await this.#returns.until(() => {
      if (this.#leaving.get(guild)?.player === player) throw new ServerError('PUM_PLAYER_NOT_FOUND');
      // One whose making failed with its shard is made again, elsewhere.
      if (this.#players.get(guild) !== player) return true;
      return fleet.isUp(player.placement.shard) && !this.#adopting.has(player);
    }, ms);
  }

  /**
   * The guild's player, made when there is none; `create` is then already on its way to the shard, or `adopt`
   * for one that a replacement failed to take over. Throws PUM_SESSION_NOT_FOUND, PUM_PLAYER_LIMIT,
   * PUM_NODE_LIMIT or PUM_NO_SHARD. The caller has waited for `settled` and `returned`.
   */
  getOrCreate(guild: string): PlayerAt {
    // The session may have ended while the caller waited: a player made now would belong to nobody.
    if (this.#closed) throw new ServerError('PUM_SESSION_NOT_FOUND');
    const present = this.#players.get(guild);
    if (present) return { player: present, created: present.lost ? this.#adopt(present) : null };
    const { node, owner } = this.#options;
    const limit = node.settings.maxPlayersPerSession;
    if (limit > 0 && this.size >= limit) throw new ServerError('PUM_PLAYER_LIMIT', { limit });
    this.#options.admit();
    const player = new Player({ session: owner.id, guild }, node.fleet, node.clock);
    this.#players.set(guild, player);
    const created = this.commands.create(player, owner).catch((thrown: unknown) => {
      const error = ServerError.from(thrown, 'PUM_SHARD_GONE');
      if (this.#players.get(guild) === player) this.#players.delete(guild);
      this.#giveUp(player, error);
      this.#returns.changed();
      throw error;
    });
    // The PATCH that made the player waits for it too; this keeps a failure in between from being unheard.
    created.catch(() => undefined);
    return { player, created };
  }

  /** Removes the guild's player; resolves when its last event went out. Nothing happens without a player. */
  remove(guild: string): Promise<void> {
    const player = this.#players.get(guild);
    if (player === undefined) return this.#leaving.get(guild)?.done ?? Promise.resolve();
    this.#players.delete(guild);
    // Its last events may arrive at once, so it has to be findable before the command goes out.
    const leaving: { player: Player; done: Promise<void> } = { player, done: Promise.resolve() };
    this.#leaving.set(guild, leaving);
    leaving.done = this.#destroy(player).finally(() => this.#leaving.delete(guild));
    this.#returns.changed();
    return leaving.done;
  }

  /** Removes all, side by side; resolves when all are gone. */
  async removeAll(): Promise<void> {
    const guilds = [...this.#players.keys()];
    for (const guild of guilds) void this.remove(guild);
    await Promise.all([...this.#leaving.values()].map(({ done }) => done));
  }

  /** The session is over: removes all, and no player is made any more. */
  close(): Promise<void> {
    this.#closed = true;
    return this.removeAll();
  }

  /** An event of a shard; false when it belongs to no player of this session any more. */
  receive(envelope: EventEnvelope): boolean {
    const player = this.#byId(envelope.player);
    if (player === null) return false;
    this.#deliver(player, player.receive(envelope));
    return true;
  }

  shardDied(shard: number): void {
    for (const player of this.#present()) {
      if (player.placement.shard === shard && !player.lost) this.#deliver(player, player.shardDied());
    }
  }

  shardReady(shard: number): void {
    for (const player of this.#players.values()) {
      if (player.lost && player.placement.shard === shard) void this.#adopt(player).catch(() => undefined);
    }
    this.#returns.changed();
  }

  /** Resolves when the replacement has the player. One that fails is tried again by the next PATCH. */
  #adopt(player: Player): Promise<void> {
    const { node, owner } = this.#options;
    const withVoice = player.awaitsVoice;
    const asked = this.commands.adopt(player, owner);
    const { placement } = player;
    this.#adopting.set(player, placement);
    const over = (): void => {
      if (this.#adopting.get(player) !== placement) return;
      this.#adopting.delete(player);
      this.#returns.changed();
    };
    const adopted = asked.catch((thrown: unknown) => {
      const error = ServerError.from(thrown, 'PUM_SHARD_GONE');
      // A shard that is gone has a replacement, which tries again.
      const isOurs = player.placement === placement && !player.lost;
      if (isOurs && error.code !== 'PUM_SHARD_GONE' && this.get(player.guild) === player) {
        node.log.warn('a player could not be taken over', { reason: error.message });
        this.commands.release(player);
        this.#deliver(player, player.notAdopted(withVoice));
      }
      // No replacement yet: other shards may well be ready, this player's is not.
      throw error.code === 'PUM_NO_SHARD' ? new ServerError('PUM_SHARD_GONE') : error;
    });
    adopted.then(over, over);
    return adopted;
  }

  async #destroy(player: Player): Promise<void> {
    const { node } = this.#options;
    let failure: ServerError | null = null;
    try {
      if (!player.lost) await this.commands.destroy(player);
    } catch (thrown) {
      failure = ServerError.from(thrown, 'PUM_SHARD_GONE');
      node.log.warn('a player was removed without an answer of its shard', { reason: failure.message });
    }
    this.#deliver(player, player.abandoned());
    this.#updates.stop(player.guild);
    this.#giveUp(player, failure);
  }

  /** Frees the player's place; `failure` is why the shard's last answer is missing. */
  #giveUp(player: Player, failure: ServerError | null): void {
    if (failure?.code === 'PUM_COMMAND_DEADLINE') this.commands.release(player);
    this.#options.node.fleet.release(player.id, player.placement);
  }

  #deliver(player: Player, outgoing: readonly Outgoing[]): void {
    if (outgoing.length === 0) return;
    for (const item of outgoing) {
      if (item.kind === 'trackStart') {
        this.#updates.start(player.guild, () => this.#options.deliver(player, [{ kind: 'update' }]));
      } else if (item.kind === 'trackEnd') {
        this.#updates.stop(player.guild);
      }
    }
    this.#options.deliver(player, outgoing);
  }

  #byId(id: string): Player | null {
    const guild = id.slice(id.indexOf(':') + 1);
    const player = this.#players.get(guild) ?? this.#leaving.get(guild)?.player;
    return player?.id === id ? player : null;
  }

  *#present(): Iterable<Player> {
    yield* this.#players.values();
    for (const { player } of this.#leaving.values()) yield player;
  }
}
