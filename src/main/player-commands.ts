// What main asks of the shard of one player, and what the answer means for main's record: only an
// acknowledged command changes it. Called by the session and the PATCH on the main thread.
import { ServerError } from '../shared/errors.js';
import { VOICE } from '../shared/limits.js';
import type { CommandOp, CreateBody, UpdateBody, UpdateReply } from '../shared/shard-commands.js';
import type { Node } from './node.js';
import { adoptBody } from './player-adoption.js';
import type { Player } from './player.js';
import type { TrackInstance } from './track-instance.js';

/** Milliseconds before a shard that was too busy for what has to be done is asked again. */
const BUSY_RETRY = 50;
/** Beyond the time after which the shard answers a command with voice in any case. */
const VOICE_SLACK = 1_000;

export interface VoiceUser {
  /** The session's id. */
  readonly id: string;
  /** Snowflake of the bot's user. */
  readonly user: string;
}

export class PlayerCommands {
  readonly #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  /** Sends `create` at once; an `update` sent right after it arrives right after it. */
  async create(player: Player, owner: VoiceUser): Promise<void> {
    const body = createBody(player, owner);
    const { fleet, settings } = this.#node;
    await fleet.command(player.id, player.placement, { op: 'create', body }, settings.commandDeadline);
  }

  /**
   * Sends `update` at once and enters it into the record when the shard has answered. A rejection leaves the
   * record as it was. `track` is the instance whose body is in `body`, `ttlMs` what is left of the client's
   * deadline.
   */
  async update(player: Player, body: UpdateBody, track: TrackInstance | null, ttlMs: number): Promise<void> {
    const { fleet } = this.#node;
    const order = player.nextOrder();
    const ttl = body.voice === undefined ? ttlMs : VOICE.answerDeadline + VOICE_SLACK;
    if (body.voice !== undefined) {
      player.voiceState = 'connecting';
      player.askedVoice = body.voice;
    }
    const answer = fleet.command(player.id, player.placement, { op: 'update', body }, ttl);
    if (body.voice !== undefined) player.connecting = answer;
    try {
      const reply = await answer;
      player.acknowledged(order, body, isConnected(reply));
      if (track) player.settled(track, 'taken');
    } catch (thrown) {
      const error = ServerError.from(thrown, 'PUM_SHARD_GONE');
      if (track) player.settled(track, error.code === 'PUM_COMMAND_DEADLINE' ? 'doubtful' : 'refused');
      // The old connection is gone or in doubt, so the next PATCH with voice has to reach the shard.
      if (player.askedVoice === body.voice && body.voice !== undefined) player.voiceState = 'closed';
      throw error;
    } finally {
      if (player.connecting === answer) player.connecting = null;
    }
  }

  /**
   * Ends track and voice; resolves when their events have arrived. Rejects when that remains open. A shard
   * that is too busy is asked until it takes the command: nobody else ends what plays there.
   */
  destroy(player: Player): Promise<void> {
    return this.#insist(player, { op: 'destroy', body: {} });
  }

  /**
   * Gives a player up at its shard, without an event and without waiting, when it is not known whether the
   * shard has it: commands arrive in order, so whatever gets its row next finds it free.
   */
  release(player: Player): void {
    const { fleet, settings } = this.#node;
    const command = { op: 'release', body: {} } as const;
    fleet.command(player.id, player.placement, command, settings.commandDeadline).catch(() => undefined);
  }

  /**
   * Places a lost player on the replacement of its shard, where it goes on without an event. A voice connection
   * is made again if there was one when the shard died. All players of a shard come at once, so one that is too
   * busy is asked again.
   */
  async adopt(player: Player, owner: VoiceUser): Promise<void> {
    const { fleet } = this.#node;
    const withVoice = player.awaitsVoice;
    // First, for the old row tells the position.
    const snapshot = player.snapshot();
    player.quality.keep();
    player.adopted(fleet.replace(player.id, player.placement));
    player.askedVoice = withVoice ? player.voice : null;
    const { row, sender } = player.placement;
    const body = adoptBody(snapshot, { session: owner.id, user: owner.user, row, sender, withVoice });
    await this.#insist(player, { op: 'adopt', body });
  }

  async #insist(player: Player, command: CommandOp): Promise<void> {
    const { clock, fleet, settings } = this.#node;
    const { placement } = player;
    for (;;) {
      try {
        await fleet.command(player.id, placement, command, settings.commandDeadline);
        return;
      } catch (error) {
        if (!(error instanceof ServerError) || error.code !== 'PUM_SHARD_BUSY') throw error;
      }
      await new Promise<void>((resolve) => {
        clock.after(BUSY_RETRY, resolve);
      });
    }
  }
}

function createBody(player: Player, owner: VoiceUser): CreateBody {
  return {
    session: owner.id,
    guild: player.guild,
    user: owner.user,
    row: player.placement.row,
    sender: player.placement.sender,
    volume: player.volume,
    filters: player.filters,
    paused: player.paused,
    voice: null,
    seq: player.seq,
  };
}

function isConnected(reply: unknown): boolean {
  return (reply as Partial<UpdateReply> | null)?.connected === true;
}
