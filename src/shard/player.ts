// One guild's player in a shard: a cursor on a playback, a voice connection that takes its frames, and the
// rules of Lavalink about tracks, pauses, markers and events (lavalink-v4.md §1.4, §2.3, §6.2). Commands
// come from shard.ts, frames are asked for by the fill loop, both in this thread.
import { FrameMode, type VoiceClose } from './voice/driver.js';
import type { Fed } from './voice/feed.js';
import type { PipelineSettings } from '../audio/pipeline.js';
import { ShardWord } from '../shared/counter-words.js';
import { ServerError } from '../shared/errors.js';
import type {
  CreateBody,
  FilterMap,
  PlayBody,
  UpdateBody,
  UpdateReply,
  VoiceData,
} from '../shared/shard-commands.js';
import type { EndReason, PlayerEvent } from '../shared/shard-events.js';
import { Outgoing } from './outgoing.js';
import type { Playback } from './playback.js';
import type { PlayerHost } from './player-host.js';
import type { PlayerRow } from './player-row.js';
import { Made } from './producer.js';
import { SilenceWatch } from './silence-watch.js';

const FRAME_MS = 20;
/** Five silence frames on the grid, and what a busy thread may be late. */
const SILENCE_MS = 7 * FRAME_MS;
/** Of frames that never move the position. */
const NO_GENERATION = -1;

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
  readonly #row: PlayerRow;
  readonly #watch: SilenceWatch;
  readonly #out = new Outgoing();
  #volume: number;
  #filters: FilterMap;
  #paused: boolean;
  #playback: Playback | null = null;
  /** The replaced track: its frames sound until the new one has its first. */
  #shadow: Playback | null = null;
  /** Nothing more will be made; the track ends when the queued frames have left. */
  #ending = false;
  #exceptionTold = false;
  /** Destroyed or released: a command that waited meanwhile has nobody to act on. */
  #gone = false;
  #lengthTold = false;

  constructor(id: string, epoch: number, body: CreateBody, host: PlayerHost, row: PlayerRow) {
    this.id = id;
    this.epoch = epoch;
    this.session = body.session;
    this.guild = body.guild;
    this.user = body.user;
    this.seq = body.seq;
    this.#host = host;
    this.#row = row;
    this.#watch = new SilenceWatch(host.trackStuckMs, host.parkMs, host.clock.now());
    this.#volume = body.volume;
    this.#filters = body.filters;
    this.#paused = body.paused;
    row.setPing(-1);
    this.#showFlags();
  }

  // ---- Commands ----

  /** Connects without waiting: a replacement takes over from a dead shard. */
  adoptVoice(voice: VoiceData): void {
    this.#out.open(this.#host.connect(this, voice, true));
  }

  /** One PATCH. Rejects with PUM_VOICE_FAILED; then nothing after the voice part was applied. */
  async update(body: UpdateBody): Promise<UpdateReply> {
    if (body.voice) await this.#join(body.voice);
    if (this.#gone) throw new ServerError('PUM_COMMAND_STALE');
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
    return { connected: this.#out.connected };
  }

  /** Ends track and voice with their events, in between the silence that tells listeners of the end. */
  async destroy(): Promise<void> {
    this.#gone = true;
    const sounding = this.isPlaying && this.#out.connected;
    this.#endTrack('stopped');
    if (sounding) await this.#silence();
    const wasConnected = this.#out.connected;
    this.#leave();
    if (wasConnected) this.#emit({ type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
  }

  /** Ends everything without an event. */
  release(): void {
    this.#gone = true;
    this.#playback?.close();
    this.#playback = null;
    this.#dropShadow();
    this.#leave();
  }

  // ---- The fill loop ----

  runsOutAt(): number {
    return this.#out.runsOutAt();
  }

  refillAt(): number {
    return this.#out.refillAt(this.#host.clock.now());
  }

  feedOne(): boolean {
    const playback = this.#playback;
    if (!playback || !this.#out.connected || this.#paused || this.#ending) return false;
    if (!this.#out.hasRoom) return true;
    const made = playback.prepare();
    this.#tellLength(playback);
    switch (made) {
      case Made.frame:
        this.#dropShadow();
        return this.#out.push(playback, playback.frameGeneration);
      case Made.ended:
        this.#finishTrack();
        return false;
      case Made.failed:
        this.#failTrack(playback);
        return false;
      default:
        return this.#pushShadow();
    }
  }

  // ---- What the voice link tells (never from inside a call of ours) ----

  voiceReady(silent: boolean): void {
    this.#watch.restart(this.#host.clock.now());
    this.#showFlags();
    if (!silent) this.#emit({ type: 'voiceReady' });
    this.#host.feed.want(this);
  }

  voiceFailed(): void {
    this.#out.lost(this.#playback);
    this.#ending = false; // the last frames come again
    this.#showFlags();
  }

  voiceClosed(close: VoiceClose): void {
    this.voiceFailed();
    this.#emit({ type: 'voiceClosed', code: close.code, reason: close.reason, byRemote: close.byRemote });
  }

  frameSent(at: number): void {
    const { mode, start, generation } = this.#out;
    this.#out.shift();
    this.#watch.sent(at);
    this.#row.countSent();
    this.#host.counters.addFrame(mode);
    const playback = this.#playback;
    // A frame of before a seek or of the track before does not move the position.
    if (playback && generation === playback.generation) {
      const end = start + FRAME_MS / 1000;
      this.#row.setPosition(Math.round(end * 1000), at);
      playback.sentUpTo(end);
    }
    if (this.#ending && this.#out.queued === 0) this.#endedBySending();
  }

  frameMissed(): void {
    if (!this.#playback || this.#paused) return;
    this.#row.countNulled();
    this.#host.counters.add(ShardWord.missed, 1);
    this.#host.feed.want(this);
  }

  /** Called every half second or so: what only the passing of time can tell. */
  watch(now: number): void {
    this.#row.setPing(this.#out.ping);
    const playback = this.#playback;
    if (!playback) return;
    const connected = this.#out.connected;
    switch (this.#watch.check(now, connected, connected && !this.#paused)) {
      case 'cleanup':
        this.#endTrack('cleanup');
        break;
      case 'stuck':
        this.#tellStuck(playback);
        break;
      case 'park':
        playback.park();
        break;
      case null:
        break;
    }
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
      // Only what sounds now may go on sounding.
      if (this.#out.queued > 0) this.#shadow = old;
      else old.close();
    }
    this.#ending = false;
    this.#lengthTold = false;
    this.#exceptionTold = false;
    this.#watch.newTrack(this.#host.clock.now());
    this.#playback = this.#host.openPlayback(play, this.#settings(), () => {
      this.#host.feed.want(this);
    });
    // Frames of the old track that are queued already must not count as the new one's.
    this.#playback.generation = (old?.generation ?? 0) + 1;
    this.#row.setInstance(play.instance);
    this.#row.setPosition(play.startMs, this.#host.clock.now());
    this.#showFlags();
    this.#emit({ type: 'trackStart', instance: play.instance });
    if (this.#paused) this.#out.quiet();
    this.#host.feed.want(this);
  }

  #finishTrack(): void {
    this.#ending = true;
    this.#out.quiet();
    if (this.#out.queued === 0) this.#endedBySending();
  }

  #failTrack(playback: Playback): void {
    const error = (playback.failure ?? new ServerError('PUM_TRACK_TERMINATED')).toShape();
    const { positionMs } = this.#row;
    const { instance } = playback;
    if (!this.#exceptionTold) this.#emit({ type: 'trackException', instance, error, positionMs });
    this.#exceptionTold = true;
    this.#dropShadow();
    this.#finishTrack();
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
    this.#out.takeBack(null);
    this.#out.quiet();
    this.#playback = null;
    this.#ending = false;
    playback.close();
    this.#dropShadow();
    this.#emitEnd(playback, reason);
    this.#row.setInstance(0);
    this.#row.setPosition(0, this.#host.clock.now());
    this.#showFlags();
  }

  #emitEnd(playback: Playback, reason: EndReason): void {
    this.#emit({ type: 'trackEnd', instance: playback.instance, reason, positionMs: this.#row.positionMs });
  }

  #seek(positionMs: number): void {
    const playback = this.#playback;
    if (!playback) return;
    this.#ending = false;
    this.#watch.restart(this.#host.clock.now());
    playback.seek(positionMs / 1000, !this.#paused && this.#out.queued > 0);
    this.#row.setPosition(positionMs, this.#host.clock.now());
    this.#host.feed.want(this);
  }

  #setEnd(endTimeMs: number): void {
    // A marker at or behind the position is late and does nothing (lavalink-v4.md §6.2).
    if (this.#playback && endTimeMs > this.#row.positionMs) this.#playback.setEnd(endTimeMs / 1000);
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#watch.restart(this.#host.clock.now());
    this.#showFlags();
    if (paused) {
      this.#out.takeBack(this.#playback);
      this.#ending = false;
      this.#out.quiet();
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

  #pushShadow(): boolean {
    if (this.#shadow?.prepare() === Made.frame) return this.#out.push(this.#shadow, NO_GENERATION);
    this.#host.counters.add(ShardWord.starved, 1);
    return false;
  }

  #dropShadow(): void {
    this.#shadow?.close();
    this.#shadow = null;
  }

  // ---- Voice ----

  async #join(voice: VoiceData): Promise<void> {
    const wasConnected = this.#out.connected;
    this.#out.takeBack(this.#playback);
    this.#ending = false;
    this.#leave();
    if (wasConnected) this.#emit({ type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
    const link = this.#host.connect(this, voice, false);
    this.#out.open(link);
    await link.settled;
  }

  #silence(): Promise<void> {
    return new Promise((resolve) => {
      this.#host.clock.after(SILENCE_MS, resolve);
    });
  }

  #leave(): void {
    this.#out.close();
    this.#host.feed.drop(this);
    this.#showFlags();
  }

  #settings(): PipelineSettings {
    return this.#host.settings(this.#volume, this.#filters);
  }

  #tellLength(playback: Playback): void {
    if (this.#lengthTold || !playback.opened) return;
    this.#lengthTold = true;
    this.#emit({ type: 'trackLength', instance: playback.instance, lengthMs: playback.lengthMs });
    this.#showFlags();
  }

  #tellStuck({ instance }: Playback): void {
    const thresholdMs = this.#host.trackStuckMs;
    this.#emit({ type: 'trackStuck', instance, thresholdMs, positionMs: this.#row.positionMs });
  }

  #showFlags(): void {
    this.#row.setFlags({
      connected: this.#out.connected,
      hasTrack: this.#playback !== null,
      paused: this.#paused,
      passthrough: this.#playback?.mode === FrameMode.passthrough,
    });
  }

  #emit(event: PlayerEvent): void {
    this.#host.emit(this, event);
  }
}
