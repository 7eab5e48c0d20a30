// A shard: its players, the commands main sends to them and the events they raise. One per worker thread;
// everything it touches is given to it, so that a test can run it on a manual clock without a thread.
import type { PipelineSettings } from '../audio/pipeline.js';
import type { Container } from '../audio/container.js';
import type { Clock, Timer } from '../shared/clock.js';
import { ShardWord } from '../shared/counter-words.js';
import { type ShardCounters } from '../shared/counters.js';
import { ROWS_PER_TABLE, type PlayerTable } from '../shared/player-table.js';
import { ServerError } from '../shared/errors.js';
import { PLAYBACK } from '../shared/limits.js';
import type { CreateBody, FilterMap, PlayBody, PlayerCommand, VoiceData } from '../shared/shard-commands.js';
import type { PlayerEvent, ShardNotice } from '../shared/shard-events.js';
import { Media } from './media.js';
import { Playback } from './playback.js';
import { PlayerRow } from './player-row.js';
import { Player } from './player.js';
import { ReaderTurns } from './reader-turns.js';
import type { PlayerHost } from './player-host.js';
import { ReplyCache } from './reply-cache.js';
import type { VoiceDriver } from './voice/driver.js';
import { Feed } from './voice/feed.js';
import { VoiceLink } from './voice/voice-link.js';

const WATCH_INTERVAL_MS = 500;
/** Memory is looked at once in so many watches: every five seconds. */
const WATCHES_PER_MEMORY_READING = 10;

export interface ShardOptions {
  readonly clock: Clock;
  readonly counters: ShardCounters;
  readonly tables: PlayerTable[];
  readonly driver: VoiceDriver;
  /** Opens the track of a token through its source and the guard. */
  readonly openTrack: (token: string, signal: AbortSignal) => Promise<Container>;
  readonly audio: AudioSettings;
  readonly notify: (notice: ShardNotice) => void;
  /** Bytes of this thread's heap in use, and of memory outside that it holds. */
  readonly memory: () => { readonly heapUsed: number; readonly external: number };
}

export interface AudioSettings {
  readonly complexity: number;
  readonly bitrate: number;
  readonly resampling: PipelineSettings['resampling'];
  /** Milliseconds of compressed packets ahead, and of frames kept. */
  readonly windowMs: number;
  readonly bufferMs: number;
  readonly ghosting: boolean;
  readonly stuckMs: number;
}

export class Shard {
  readonly #options: ShardOptions;
  readonly #players = new Map<string, Player>();
  readonly #feed: Feed;
  readonly #turns: ReaderTurns;
  readonly #replies = new ReplyCache({ isHere: (player) => this.#players.has(player) });
  readonly #host: PlayerHost;
  #watch: Timer | null = null;
  #watches = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    const { clock, counters } = options;
    this.#feed = new Feed(clock, (ms) => {
      counters.add(ShardWord.busyMs, ms);
      counters.add(ShardWord.pulse, 1);
    });
    this.#turns = new ReaderTurns(clock);
    this.#host = {
      clock,
      feed: this.#feed,
      counters,
      trackStuckMs: options.audio.stuckMs,
      parkMs: options.audio.windowMs + PLAYBACK.parkAfter,
      settings: (volume, filters) => this.#settings(volume, filters),
      openPlayback: (play, settings, changed) => this.#openPlayback(play, settings, changed),
      connect: (player, voice, silent) => this.#connect(player, voice, silent),
      emit: (player, event) => {
        this.#emit(player, event);
      },
    };
    this.#watchLater();
  }

  get players(): number {
    return this.#players.size;
  }

  addTable(table: PlayerTable): void {
    this.#options.tables.push(table);
  }

  /**
   * Executes one command, and answers one that comes again as before. Rejects with PUM_COMMAND_STALE for an old
   * placement or a repeated revision, and with PUM_COMMAND_DEADLINE when nobody waits for it any more.
   */
  command(command: PlayerCommand): Promise<unknown> {
    return this.#replies.answer(command.player, command.id, () => this.#execute(command));
  }

  /** Ends all players without a word and lets go of everything. */
  close(): void {
    this.#watch?.cancel();
    for (const player of this.#players.values()) player.release();
    this.#players.clear();
    this.#count();
    this.#feed.close();
    this.#options.driver.close();
  }

  async #execute(command: PlayerCommand): Promise<unknown> {
    const { clock, counters } = this.#options;
    counters.add(ShardWord.commands, 1);
    if (isLate(command, clock.now())) throw new ServerError('PUM_COMMAND_DEADLINE', { ms: command.ttlMs });
    if (command.op === 'create') {
      this.#create(command, command.body);
      return null;
    }
    if (command.op === 'adopt') {
      const adopted = this.#create(command, command.body);
      try {
        adopted.adopt(command.body);
      } catch (thrown) {
        adopted.release();
        this.#forget(adopted);
        throw thrown;
      }
      return null;
    }
    const player = this.#players.get(command.player);
    if (player?.epoch !== command.epoch || command.rev <= player.rev)
      throw new ServerError('PUM_COMMAND_STALE');
    player.rev = command.rev;
    switch (command.op) {
      case 'update':
        return player.update(command.body);
      case 'inspect':
        return player.inspect();
      case 'destroy':
        await player.destroy();
        break;
      case 'release':
        player.release();
        break;
    }
    this.#forget(player);
    return null;
  }

  #create(command: PlayerCommand, body: CreateBody): Player {
    const known = this.#players.get(command.player);
    if (known) {
      if (known.epoch >= command.epoch) throw new ServerError('PUM_COMMAND_STALE');
      known.release();
    }
    const table = this.#options.tables[Math.floor(body.row / ROWS_PER_TABLE)];
    if (!table) throw new ServerError('PUM_HTTP_INTERNAL', { reason: 'no such row' });
    const row = new PlayerRow(table, body.row % ROWS_PER_TABLE, command.epoch);
    const player = new Player(command.player, command.epoch, body, this.#host, row);
    player.rev = command.rev;
    this.#players.set(command.player, player);
    this.#count();
    return player;
  }

  #forget(player: Player): void {
    if (this.#players.get(player.id) === player) this.#players.delete(player.id);
    this.#count();
  }

  #openPlayback(play: PlayBody, settings: PipelineSettings, changed: () => void): Playback {
    const { audio, openTrack } = this.#options;
    return new Playback({
      instance: play.instance,
      media: new Media((signal) => openTrack(play.token, signal)),
      from: play.startMs / 1000,
      // A marker at or before the start is late and does nothing (lavalink-v4.md §6.2).
      end: play.endTimeMs === null || play.endTimeMs <= play.startMs ? null : play.endTimeMs / 1000,
      settings,
      ahead: audio.windowMs / 1000,
      framesKept: Math.ceil(audio.bufferMs / 20) + 5,
      turns: this.#turns,
      ghosting: audio.ghosting,
      changed,
    });
  }

  #settings(volume: number, filters: FilterMap): PipelineSettings {
    const { complexity, bitrate, resampling } = this.#options.audio;
    return { volume, filters, complexity, bitrate, resampling };
  }

  #connect(player: Player, voice: VoiceData, silent: boolean): VoiceLink {
    return new VoiceLink({
      driver: this.#options.driver,
      server: { ...voice, guildId: player.guild, userId: player.user, sender: player.sender },
      owner: player,
      clock: this.#options.clock,
      silent,
      mayConnect: () => this.#players.get(player.id) === player,
      row: player.rowPlace,
    });
  }

  #emit(player: Player, body: PlayerEvent): void {
    player.seq++;
    const { id, session, epoch, seq } = player;
    this.#options.notify({ kind: 'event', event: { v: 1, player: id, session, epoch, seq, body } });
  }

  #count(): void {
    this.#options.counters.set(ShardWord.players, this.#players.size);
  }

  #watchLater(): void {
    const { clock, counters } = this.#options;
    this.#watch = clock.after(WATCH_INTERVAL_MS, () => {
      counters.add(ShardWord.pulse, 1);
      const now = clock.now();
      let playing = 0;
      let connected = 0;
      for (const player of this.#players.values()) {
        player.watch(now);
        if (player.isPlaying) playing++;
        if (player.isConnected) connected++;
      }
      counters.set(ShardWord.playing, playing);
      counters.set(ShardWord.voiceConnections, connected);
      if (this.#watches++ % WATCHES_PER_MEMORY_READING === 0) {
        const { heapUsed, external } = this.#options.memory();
        counters.set(ShardWord.heapUsed, heapUsed);
        counters.set(ShardWord.external, external);
      }
      this.#watchLater();
    });
  }
}

/** An end is wanted however late it comes: nobody else ends what plays. */
function isLate({ op, sentAt, ttlMs }: PlayerCommand, now: number): boolean {
  return op !== 'destroy' && op !== 'release' && sentAt !== undefined && now - sentAt > ttlMs;
}
