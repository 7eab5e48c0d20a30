// The deck of a player: the track that is on it, the replaced one that sounds until the new one has its first
// frame, and Lavalink's rules of how a track begins and ends (lavalink-v4.md §2.3, §6.2). Knows neither voice
// data nor commands; the player tells it of those. Synchronous, in a shard.
import type { PipelineSettings } from '../audio/pipeline.js';
import { ShardWord } from '../shared/counter-words.js';
import { ServerError } from '../shared/errors.js';
import { NO_TAG } from '../shared/sent-row.js';
import { FRAME_MS } from '../shared/frame.js';
import type { Inspection } from '../shared/inspection.js';
import type { PlayBody, PlayingBody } from '../shared/shard-commands.js';
import type { EndReason, PlayerEvent } from '../shared/shard-events.js';
import { NO_GENERATION, type Outgoing } from './outgoing.js';
import type { Playback } from './playback.js';
import type { PlayerHost } from './player-host.js';
import type { PlayerRow } from './player-row.js';
import { Made } from './producer.js';
import { SilenceWatch } from './silence-watch.js';
import { TrackReports } from './track-reports.js';
import { FrameMode, type GiveUp } from './voice/driver.js';

/** Frames of the old sound that go out while a producer with other settings is made: 80 ms. */
const FRAMES_KEPT = 4;

export interface DeckParts {
  readonly host: PlayerHost;
  readonly row: PlayerRow;
  readonly out: Outgoing;
  readonly emit: (event: PlayerEvent) => void;
  /** There may be frames to be had. */
  readonly wake: () => void;
}

export class Deck {
  readonly #parts: DeckParts;
  readonly #reports: TrackReports;
  readonly #watch: SilenceWatch;
  #track: Playback | null = null;
  /** The replaced track. */
  #shadow: Playback | null = null;
  /** Nothing more will be made; the track ends when the queued frames have left. */
  #ending = false;
  /** The last try to make a frame found nothing to make it of. */
  #starving = false;
  /** Clock time of the last frame of a dead shard, which its ring may still hold, until the replacement has sent one. */
  #silentSince: number | null = null;
  /** Slots since then that the connection has reported as missed. */
  #missedSince = 0;

  constructor(parts: DeckParts) {
    const { host, row, emit } = parts;
    this.#parts = parts;
    this.#reports = new TrackReports(row, emit);
    this.#watch = new SilenceWatch(host.trackStuckMs, host.parkMs, this.#now());
  }

  get hasTrack(): boolean {
    return this.#track !== null;
  }

  get passesThrough(): boolean {
    return this.#track?.mode === FrameMode.passthrough;
  }

  // ---- The track ----

  /** `paused`: nothing of the old track goes on. */
  play(play: PlayBody, settings: PipelineSettings, paused: boolean): void {
    const { out, wake } = this.#parts;
    const old = this.#track;
    if (old) {
      this.#reports.ended(old.instance, 'replaced');
      if (paused) out.takeBack(null);
      this.#shade(old);
    }
    if (paused) out.quiet();
    this.#countSilence(this.#now());
    // Frames of the old track that are queued already must not count as the new one's.
    this.#put(play, settings, (old?.generation ?? 0) + 1);
    this.#parts.row.begin(play.startMs, this.#now());
    this.#reports.started(play.instance);
    wake();
  }

  /** Goes on with the track of a dead placement: that it started was told there. */
  adopt({ play, silentMs }: PlayingBody, settings: PipelineSettings, paused: boolean): void {
    const { row } = this.#parts;
    const since = this.#now() - silentMs;
    row.begin(play.startMs, since);
    this.#put(play, settings, 1);
    if (!paused) this.#silentSince = since;
  }

  /** Ends the track at once. Nothing happens without one. */
  end(reason: EndReason): void {
    const { row, out } = this.#parts;
    const track = this.#track;
    if (!track) return;
    out.takeBack(null);
    out.quiet();
    this.#countSilence(this.#now());
    this.#track = null;
    this.#ending = false;
    this.#reports.ended(track.instance, reason);
    row.setInstance(0);
    row.begin(0, this.#now());
    this.#dropShadow();
    track.close();
  }

  /** Closes everything without a word. */
  drop(): void {
    this.#dropShadow();
    this.#track?.close();
    this.#track = null;
  }

  /** A fault of ours costs a player its track, never the shard its life. */
  crash(thrown: unknown): void {
    if (!this.#track) return;
    this.#reports.failed(this.#track.instance, ServerError.from(thrown, 'PUM_TRACK_TERMINATED'));
    this.#finished();
  }

  seek(positionMs: number, paused: boolean): void {
    const { row, out, wake } = this.#parts;
    if (!this.#track) return;
    this.#ending = false;
    this.#watch.restart(this.#now());
    this.#track.seek(positionMs / 1000, !paused && out.queued > 0);
    row.begin(positionMs, this.#now());
    wake();
  }

  setEnd(endTimeMs: number): void {
    const { row, out, wake } = this.#parts;
    const track = this.#track;
    // A marker at or behind the position is late and does nothing (lavalink-v4.md §6.2).
    if (!track || endTimeMs <= row.positionMs) return;
    track.setEnd(endTimeMs / 1000);
    if (this.#ending || out.queued === 0 || out.newest !== track.frameGeneration) return;
    // Frames behind the marker may be queued already.
    out.takeBack(track);
    wake();
  }

  /** Heard behind the next few frames, however far ahead the queue has been filled. */
  reconfigure(settings: PipelineSettings): void {
    const { out } = this.#parts;
    const track = this.#track;
    if (!track) return;
    if (!this.#ending && out.queued > FRAMES_KEPT && out.newest === track.frameGeneration) {
      out.takeBack(track);
      // The old frames give the time in which the new producer is made; without one they go on.
      for (let left = FRAMES_KEPT; left > 0 && track.prepare() === Made.frame; left--) {
        out.push(track, track.frameGeneration, this.#tagOf(track));
      }
      this.#parts.wake();
    }
    track.reconfigure(settings);
  }

  // ---- What happens to its frames ----

  /** Puts the next frame into the queue, which has room; false when there is none to be had for now. */
  feed(): boolean {
    const { out } = this.#parts;
    const track = this.#track;
    if (!track || this.#ending) return false;
    const made = track.prepare();
    if (track.opened) this.#reports.opened(track.instance, track.lengthMs);
    this.#starving = made === Made.starved;
    switch (made) {
      case Made.frame:
        this.#dropShadow();
        // What was sought or replaced is heard no longer than it takes to have the first frame of the new.
        if (out.queued > 0 && out.newest !== track.frameGeneration) out.takeBack(null);
        return out.push(track, track.frameGeneration, this.#tagOf(track));
      case Made.ended:
        this.#finish();
        return false;
      case Made.failed:
        this.#reports.failed(track.instance, track.failure ?? new ServerError('PUM_TRACK_TERMINATED'));
        this.#finish();
        return false;
      default:
        return this.#shadow?.prepare() === Made.frame && out.push(this.#shadow, NO_GENERATION, NO_TAG);
    }
  }

  /** The oldest queued frame has left; the sender has written that into the row. */
  sent(at: number): void {
    const { host, out } = this.#parts;
    host.counters.addFrame(out.mode);
    this.#passed(at);
  }

  /** The oldest queued frame will not leave: its slot went by without it, and the track goes on behind it. */
  givenUp(at: number, why: GiveUp): void {
    const { row, out } = this.#parts;
    const { start, generation } = out;
    row.countNulled(why);
    if (generation === this.#track?.generation) row.skip(Math.round((start + FRAME_MS / 1000) * 1000), at);
    this.#passed(at);
  }

  /** A slot went by without a frame. */
  missed(isBlocked: boolean): void {
    const { host, row, wake } = this.#parts;
    if (!this.#track) return;
    // The source stands where it stood: whoever takes over counts what is missed from here on.
    row.stand(this.#now());
    if (this.#silentSince !== null) this.#missedSince++;
    row.countNulled(this.#starving ? 'source' : isBlocked ? 'ring' : 'decode');
    host.counters.add(ShardWord.missed, 1);
    if (this.#starving) host.counters.add(ShardWord.starved, 1);
    wake();
  }

  /** Frames stop leaving, to go on later: what is queued comes again. */
  pause(): void {
    const { out } = this.#parts;
    out.takeBack(this.#track);
    out.quiet();
    this.#interrupted();
  }

  /** Frames may leave again. */
  resume(): void {
    const { row, wake } = this.#parts;
    this.#watch.restart(this.#now());
    if (this.#track && this.#silentSince === null) row.stand(this.#now());
    wake();
  }

  /** The connection is about to be closed: what is queued comes again. */
  leave(): void {
    this.#parts.out.takeBack(this.#track);
    this.#interrupted();
  }

  /** The connection is lost, and what was queued with it: that comes again. */
  lost(): void {
    this.#parts.out.lost(this.#track);
    this.#interrupted();
  }

  /** For somebody who asks why nothing is heard. */
  inspect(): Pick<Inspection, 'track' | 'queue'> {
    return {
      track: this.#track?.inspect() ?? null,
      queue: { frames: this.#parts.out.queued, ending: this.#ending, starving: this.#starving },
    };
  }

  /** Called every half second or so: what only the passing of time can tell. */
  watch(now: number, connected: boolean, paused: boolean): void {
    const track = this.#track;
    if (!track) return;
    switch (this.#watch.check(now, connected, connected && !paused)) {
      case 'cleanup':
        this.end('cleanup');
        break;
      case 'stuck':
        this.#reports.stuck(track.instance, this.#parts.host.trackStuckMs);
        break;
      case 'park':
        track.park();
        break;
      case null:
        break;
    }
  }

  /** The oldest queued frame has had its slot. */
  #passed(at: number): void {
    const { out } = this.#parts;
    const { start, generation } = out;
    out.shift();
    this.#watch.sent(at);
    this.#countSilence(at);
    const track = this.#track;
    if (track && generation === track.generation) track.sentUpTo(start + FRAME_MS / 1000);
    if (this.#ending && out.queued === 0) this.#finished();
  }

  /** A frame of before a seek does not move the position. */
  #tagOf(track: Playback): number {
    return track.frameGeneration === track.generation ? this.#parts.row.tag : NO_TAG;
  }

  /** Only what sounds goes on sounding: silence once heard is not broken by what was replaced. */
  #interrupted(): void {
    this.#watch.restart(this.#now());
    this.#countSilence(this.#now());
    this.#ending = false;
    this.#dropShadow();
    this.#track?.hush();
  }

  #put(play: PlayBody, settings: PipelineSettings, generation: number): void {
    const { host, row, wake } = this.#parts;
    this.#ending = false;
    this.#starving = false;
    this.#watch.newTrack(this.#now());
    this.#track = host.openPlayback(play, settings, wake);
    this.#track.generation = generation;
    row.setInstance(play.instance);
  }

  /** The silence that a shard's death has made is over: the slots that nobody has counted were missed as well. */
  #countSilence(at: number): void {
    if (this.#silentSince === null) return;
    const { host, row } = this.#parts;
    const slots = Math.round((at - this.#silentSince) / FRAME_MS) - 1;
    for (let left = slots - this.#missedSince; left > 0; left--) {
      row.countNulled('decode');
      host.counters.add(ShardWord.missed, 1);
    }
    this.#silentSince = null;
    this.#missedSince = 0;
  }

  /** What sounds now goes on until the new track has its first frame; what does not is closed. */
  #shade(old: Playback): void {
    const sounds = this.#parts.out.queued > 0;
    if (!sounds || old.anyFrame) this.#dropShadow();
    if (sounds && old.anyFrame) this.#shadow = old;
    else old.close();
  }

  #finish(): void {
    const { out } = this.#parts;
    this.#ending = true;
    this.#dropShadow();
    out.quiet();
    if (out.queued === 0) this.#finished();
  }

  /** The last queued frame has left behind the end of the track. */
  #finished(): void {
    if (this.#track) this.end(this.#track.failure && !this.#track.anyFrame ? 'loadFailed' : 'finished');
  }

  #dropShadow(): void {
    this.#shadow?.close();
    this.#shadow = null;
  }

  #now(): number {
    return this.#parts.host.clock.now();
  }
}
