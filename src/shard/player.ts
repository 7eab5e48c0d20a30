// One guild's player in a shard: a cursor on a playback, a voice connection that takes its frames, and the
// rules of Lavalink about tracks, pauses, markers and events (lavalink-v4.md §1.4, §2.3, §6.2). Commands
// come from shard.ts, frames are asked for by the fill loop, both in this thread.
import { FrameMode, type VoiceClose, type VoiceConnection } from './voice/driver.js';
import type { Fed, Feed } from './voice/feed.js';
import type { PipelineSettings } from '../audio/pipeline.js';
import type { Clock } from '../shared/clock.js';
import { PlayerFlag, PlayerWord, ShardWord } from '../shared/counter-words.js';
import type { PlayerTable, ShardCounters } from '../shared/counters.js';
import { ServerError } from '../shared/errors.js';
import { PLAYBACK } from '../shared/limits.js';
import type {
  CreateBody,
  FilterMap,
  PlayBody,
  UpdateBody,
  UpdateReply,
  VoiceData,
} from '../shared/shard-commands.js';
import type { EndReason, PlayerEvent } from '../shared/shard-events.js';
import { Marks } from './marks.js';
import type { Playback } from './playback.js';
import { Made } from './producer.js';
import { VoiceLink } from './voice/voice-link.js';

const FRAME_MS = 20;

/** What a player needs of its shard. */
export interface PlayerHost {
  readonly clock: Clock;
  readonly feed: Feed;
  readonly counters: ShardCounters;
  readonly trackStuckMs: number;
  openPlayback(play: PlayBody, settings: PipelineSettings, changed: () => void): Playback;
  settings(volume: number, filters: FilterMap): PipelineSettings;
  /** `silent`: success is no event. Throws PUM_VOICE_FULL. */
  connect(player: Player, voice: VoiceData, silent: boolean): VoiceLink;
  emit(player: Player, event: PlayerEvent): void;
}

export class Player implements Fed {
  readonly id: string;
  readonly session: string;
  readonly guild: string;
  readonly user: string;
  readonly epoch: number;
  /** Number of the last event; goes on across placements. */
  seq: number;
  /** Revision of the last command taken. */
  rev = -1;
  readonly #host: PlayerHost;
  readonly #table: PlayerTable;
  readonly #row: number;
  readonly #marks = new Marks();
  #volume: number;
  #filters: FilterMap;
  #paused: boolean;
  #link: VoiceLink | null = null;
  #playback: Playback | null = null;
  /** The replaced track: its frames sound until the new one has its first. */
  #shadow: Playback | null = null;
  /** Nothing more will be made; the track ends when the queued frames have left. */
  #ending = false;
  #lengthTold = false;
  #stuckTold = false;
  /** Clock times of the last frame that left, and of the last sign that anybody listens. */
  #lastFrameAt: number;
  #lastPolledAt: number;

  constructor(
    id: string,
    epoch: number,
    body: CreateBody,
    host: PlayerHost,
    table: PlayerTable,
    row: number,
  ) {
    this.id = id;
    this.epoch = epoch;
    this.session = body.session;
    this.guild = body.guild;
    this.user = body.user;
    this.seq = body.seq;
    this.#host = host;
    this.#table = table;
    this.#row = row;
    this.#volume = body.volume;
    this.#filters = body.filters;
    this.#paused = body.paused;
    this.#lastFrameAt = this.#lastPolledAt = host.clock.now();
    table.set(row, PlayerWord.pingMs, -1);
    this.#showFlags();
  }

  // ---- Commands ----

  /** Connects without waiting: a replacement takes over from a dead shard. */
  adoptVoice(voice: VoiceData): void {
    this.#link = this.#host.connect(this, voice, true);
  }

  /** One PATCH. Rejects with PUM_VOICE_FAILED; then nothing after the voice part was applied. */
  async update(body: UpdateBody): Promise<UpdateReply> {
    if (body.voice) await this.#join(body.voice);
    if (body.paused !== undefined && body.track === undefined) this.#setPaused(body.paused);
    if (body.volume !== undefined) this.#setVolume(body.volume);
    if (body.track === undefined) {
      if (body.positionMs !== undefined) this.#seek(body.positionMs);
      if (body.endTimeMs !== undefined) this.#setEnd(body.endTimeMs);
    }
    if (body.filters !== undefined) this.#setFilters(body.filters);
    if (body.track !== undefined) {
      this.#paused = body.paused ?? false;
      if (body.track) this.#play(body.track);
      else this.#endTrack('stopped');
      this.#showFlags();
    }
    return { connected: this.#isConnected() };
  }

  /** Ends track and voice with their events; the player is not used any more. */
  destroy(): void {
    if (this.#playback) this.#endTrack('stopped');
    const wasConnected = this.#isConnected();
    this.#leave();
    if (wasConnected) this.#emit({ type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
  }

  /** Ends everything without an event. */
  release(): void {
    this.#playback?.close();
    this.#playback = null;
    this.#dropShadow();
    this.#leave();
  }

  // ---- The fill loop ----

  runsOutAt(): number {
    return this.#link?.connection.runsOutAt() ?? Infinity;
  }

  refillAt(): number {
    const connection = this.#link?.connection;
    if (!connection) return Infinity;
    if (connection.room() > 0) return -Infinity;
    // A frame that is due and has not left yet makes no room: look again a little later, do not spin.
    const due = connection.runsOutAt() - this.#marks.count * FRAME_MS;
    return Math.max(due, this.#host.clock.now() + 1);
  }

  feedOne(): boolean {
    const connection = this.#link?.connection;
    if (!connection?.connected || this.#paused || this.#ending || !this.#playback) return false;
    if (connection.room() <= 0) return true;
    const made = this.#playback.prepare();
    this.#tellLength();
    switch (made) {
      case Made.frame:
        this.#dropShadow();
        return this.#pushFrom(this.#playback, connection, this.#playback.frameGeneration);
      case Made.ended:
        this.#finishTrack(connection);
        return false;
      case Made.failed:
        this.#failTrack(connection);
        return false;
      default:
        return this.#pushShadow(connection);
    }
  }

  // ---- What the voice link tells (never from inside a call of ours) ----

  voiceReady(silent: boolean): void {
    this.#lastFrameAt = this.#lastPolledAt = this.#host.clock.now();
    this.#showFlags();
    if (!silent) this.#emit({ type: 'voiceReady' });
    this.#host.feed.want(this);
  }

  voiceFailed(): void {
    // What was queued went down with the connection: it is played again on the next one.
    const queued = this.#marks.count;
    if (queued > 0) {
      const start = this.#marks.takeBack(queued);
      this.#playback?.putBack(queued, start);
    }
    this.#link = null;
    this.#showFlags();
  }

  voiceClosed(close: VoiceClose): void {
    this.voiceFailed();
    this.#emit({ type: 'voiceClosed', code: close.code, reason: close.reason, byRemote: close.byRemote });
  }

  frameSent(at: number): void {
    const { mode, start, generation } = this.#marks;
    this.#marks.shift();
    this.#lastFrameAt = this.#lastPolledAt = at;
    this.#stuckTold = false;
    this.#table.add(this.#row, PlayerWord.sent, 1);
    this.#host.counters.addFrame(mode);
    const playback = this.#playback;
    // A frame of before a seek or of the track before does not move the position.
    if (playback && generation === playback.generation && !this.#shadow) {
      const end = start + FRAME_MS / 1000;
      this.#table.setPosition(this.#row, Math.round(end * 1000), at);
      playback.sentUpTo(end);
    }
    if (this.#ending && this.#marks.count === 0) this.#endedBySending();
  }

  frameMissed(): void {
    this.#lastPolledAt = this.#host.clock.now();
    if (!this.#playback || this.#paused) return;
    this.#table.add(this.#row, PlayerWord.nulled, 1);
    this.#host.counters.add(ShardWord.missed, 1);
    this.#host.feed.want(this);
  }

  /** Called every half second or so: what only the passing of time can tell. */
  watch(now: number): void {
    this.#table.set(this.#row, PlayerWord.pingMs, Math.round(this.#link?.connection.ping ?? -1));
    if (!this.#playback) return;
    if (this.#isConnected()) this.#lastPolledAt = now;
    if (now - this.#lastPolledAt >= PLAYBACK.cleanupAfter) {
      this.#endTrack('cleanup');
      return;
    }
    if (this.#paused || !this.#isConnected()) this.#lastFrameAt = now;
    if (this.#stuckTold || now - this.#lastFrameAt < this.#host.trackStuckMs) return;
    this.#stuckTold = true;
    this.#emit({
      type: 'trackStuck',
      instance: this.#playback.instance,
      thresholdMs: this.#host.trackStuckMs,
      positionMs: this.#positionMs(),
    });
  }

  get isPlaying(): boolean {
    return this.#playback !== null && !this.#paused;
  }

  // ---- Track ----

  #play(play: PlayBody): void {
    const old = this.#playback;
    if (old) {
      this.#emitEnd(old, 'replaced');
      this.#dropShadow();
      this.#shadow = old;
    }
    this.#ending = false;
    this.#lengthTold = false;
    this.#stuckTold = false;
    this.#lastFrameAt = this.#lastPolledAt = this.#host.clock.now();
    this.#playback = this.#host.openPlayback(play, this.#settings(), () => {
      this.#host.feed.want(this);
    });
    // Frames of the old track that are queued already must not count as the new one's.
    this.#playback.generation = (old?.generation ?? 0) + 1;
    this.#table.set(this.#row, PlayerWord.instance, play.instance);
    this.#table.setPosition(this.#row, play.startMs, this.#host.clock.now());
    this.#showFlags();
    this.#emit({ type: 'trackStart', instance: play.instance });
    if (this.#paused) this.#quiet();
    this.#host.feed.want(this);
  }

  #finishTrack(connection: VoiceConnection): void {
    this.#ending = true;
    connection.finish();
    if (this.#marks.count === 0) this.#endedBySending();
  }

  #failTrack(connection: VoiceConnection): void {
    const playback = this.#playback;
    if (!playback) return;
    const error = playback.failure ?? new ServerError('PUM_TRACK_TERMINATED');
    this.#emit({
      type: 'trackException',
      instance: playback.instance,
      error: error.toShape(),
      positionMs: this.#positionMs(),
    });
    this.#dropShadow();
    this.#finishTrack(connection);
  }

  /** The last queued frame has left behind the end of the track. */
  #endedBySending(): void {
    const playback = this.#playback;
    if (!playback) return;
    this.#endTrack(playback.failure && !playback.anyFrame ? 'loadFailed' : 'finished');
  }

  #endTrack(reason: EndReason): void {
    const playback = this.#playback;
    if (!playback) return;
    this.#takeBackQueued(null);
    this.#quiet();
    this.#playback = null;
    this.#ending = false;
    playback.close();
    this.#dropShadow();
    this.#emitEnd(playback, reason);
    this.#table.set(this.#row, PlayerWord.instance, 0);
    this.#table.setPosition(this.#row, 0, this.#host.clock.now());
    this.#showFlags();
  }

  #emitEnd(playback: Playback, reason: EndReason): void {
    this.#emit({ type: 'trackEnd', instance: playback.instance, reason, positionMs: this.#positionMs() });
  }

  #seek(positionMs: number): void {
    const playback = this.#playback;
    if (!playback) return;
    this.#ending = false;
    this.#lastFrameAt = this.#host.clock.now();
    playback.seek(positionMs / 1000);
    this.#table.setPosition(this.#row, positionMs, this.#host.clock.now());
    this.#host.feed.want(this);
  }

  #setEnd(endTimeMs: number): void {
    // A marker at or behind the position is late and does nothing (lavalink-v4.md §6.2).
    if (this.#playback && endTimeMs > this.#positionMs()) this.#playback.setEnd(endTimeMs / 1000);
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#lastFrameAt = this.#lastPolledAt = this.#host.clock.now();
    this.#showFlags();
    if (paused) {
      this.#takeBackQueued(this.#playback);
      this.#quiet();
    } else {
      this.#host.feed.want(this);
    }
  }

  #setVolume(volume: number): void {
    if (volume === this.#volume) return;
    this.#volume = volume;
    this.#playback?.reconfigure(this.#settings());
  }

  #setFilters(filters: FilterMap): void {
    this.#filters = filters;
    this.#playback?.reconfigure(this.#settings());
  }

  // ---- Frames ----

  #pushFrom(playback: Playback, connection: VoiceConnection, generation: number): boolean {
    const start = playback.nextStart;
    const frame = playback.take();
    if (!frame) return false;
    this.#marks.push(start, generation, playback.mode);
    connection.push(frame);
    return true;
  }

  #pushShadow(connection: VoiceConnection): boolean {
    if (!this.#shadow || this.#shadow.prepare() !== Made.frame) {
      this.#host.counters.add(ShardWord.starved, 1);
      return false;
    }
    return this.#pushFrom(this.#shadow, connection, -1);
  }

  /** Takes the queued frames back from the connection and, given a playback, makes them its next ones. */
  #takeBackQueued(playback: Playback | null): void {
    const connection = this.#link?.connection;
    if (!connection) {
      this.#marks.clear();
      return;
    }
    const count = connection.flush();
    if (count === 0) return;
    const start = this.#marks.takeBack(count);
    playback?.putBack(count, start);
  }

  #quiet(): void {
    if (this.#isConnected()) this.#link?.connection.finish();
  }

  #dropShadow(): void {
    this.#shadow?.close();
    this.#shadow = null;
  }

  // ---- Voice ----

  async #join(voice: VoiceData): Promise<void> {
    const wasConnected = this.#isConnected();
    this.#takeBackQueued(this.#playback);
    this.#leave();
    if (wasConnected) this.#emit({ type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
    const link = this.#host.connect(this, voice, false);
    this.#link = link;
    await link.settled;
  }

  #leave(): void {
    this.#link?.close();
    this.#link = null;
    this.#marks.clear();
    this.#host.feed.drop(this);
    this.#showFlags();
  }

  #isConnected(): boolean {
    return this.#link?.connection.connected ?? false;
  }

  // ---- Counters and events ----

  #settings(): PipelineSettings {
    return this.#host.settings(this.#volume, this.#filters);
  }

  #positionMs(): number {
    return this.#table.get(this.#row, PlayerWord.positionMs);
  }

  #tellLength(): void {
    const playback = this.#playback;
    if (this.#lengthTold || !playback?.opened) return;
    this.#lengthTold = true;
    this.#emit({ type: 'trackLength', instance: playback.instance, lengthMs: playback.lengthMs });
    this.#showFlags();
  }

  #showFlags(): void {
    const flags =
      (this.#isConnected() ? PlayerFlag.connected : 0) |
      (this.#playback ? PlayerFlag.hasTrack : 0) |
      (this.#paused ? PlayerFlag.paused : 0) |
      (this.#playback?.mode === FrameMode.passthrough ? PlayerFlag.passthrough : 0);
    this.#table.set(this.#row, PlayerWord.flags, flags);
  }

  #emit(event: PlayerEvent): void {
    this.#host.emit(this, event);
  }
}
