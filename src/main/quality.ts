// How well the tracks of one player were sent: the one that is on, and the last few that have ended. Fed by main's
// record of the player with what the client was told; what was sent is read from the shared counters, never asked
// for. Goes with its player. Main thread.
import type { Clock } from '../shared/clock.js';
import { FRAME_MS } from '../shared/frame.js';
import { DIAGNOSIS } from '../shared/limits.js';
import type { Track } from '../shared/track.js';
import { CountsSince, type QualityCounts, type WordReader } from './quality-counts.js';

/** One track, from its start to now or to its end. */
export interface TrackQuality {
  readonly identifier: string;
  readonly title: string;
  readonly sourceName: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Epoch milliseconds; null while it is on. */
  readonly endedAt: number | null;
  /** Why it ended, in the words of TrackEndEvent; null while it is on. */
  readonly reason: string | null;
  /** Milliseconds for which it was on and not paused. */
  readonly playedMs: number;
  /** Frames that Lavalink's arithmetic expects in that time: 50 a second. */
  readonly expected: number;
  readonly counts: QualityCounts;
  /** Deaths of the player's shard while it was on. */
  readonly shardDeaths: number;
}

interface Running {
  readonly track: Pick<TrackQuality, 'identifier' | 'title' | 'sourceName' | 'startedAt'>;
  readonly counts: CountsSince;
  /** Milliseconds before `since`. */
  playedMs: number;
  /** Clock time from which it plays; null while it is paused. */
  since: number | null;
  shardDeaths: number;
}

export class PlayerQuality {
  readonly #clock: Clock;
  readonly #word: WordReader;
  readonly #past: TrackQuality[] = [];
  #running: Running | null = null;

  constructor(clock: Clock, word: WordReader) {
    this.#clock = clock;
    this.#word = word;
  }

  /** The track that is on, as of now. */
  get current(): TrackQuality | null {
    return this.#running === null ? null : this.#report(this.#running, null, null);
  }

  /** Tracks that have ended, the newest last. */
  get past(): readonly TrackQuality[] {
    return this.#past;
  }

  // ---- From the player's record ----

  started(track: Track, paused: boolean): void {
    this.ended('replaced');
    const { identifier, title, sourceName } = track.info;
    this.#running = {
      track: {
        identifier: short(identifier),
        title: short(title),
        sourceName: short(sourceName),
        startedAt: this.#clock.wall(),
      },
      counts: new CountsSince(this.#word),
      playedMs: 0,
      since: paused ? null : this.#clock.now(),
      shardDeaths: 0,
    };
  }

  paused(paused: boolean): void {
    const running = this.#running;
    if (running === null || paused === (running.since === null)) return;
    running.playedMs = this.#played(running);
    running.since = paused ? null : this.#clock.now();
  }

  /** Nothing happens when no track is on. */
  ended(reason: string): void {
    if (this.#running === null) return;
    this.#past.push(this.#report(this.#running, this.#clock.wall(), reason));
    if (this.#past.length > DIAGNOSIS.maxReports) this.#past.shift();
    this.#running = null;
  }

  shardDied(): void {
    if (this.#running !== null) this.#running.shardDeaths++;
  }

  /** The player is about to get another row. */
  keep(): void {
    this.#running?.counts.keep();
  }

  /** It has got it. */
  moved(): void {
    this.#running?.counts.moved();
  }

  #report(running: Running, endedAt: number | null, reason: string | null): TrackQuality {
    const { track, counts, shardDeaths } = running;
    const playedMs = this.#played(running);
    return {
      ...track,
      endedAt,
      reason,
      playedMs: Math.round(playedMs),
      expected: Math.floor(playedMs / FRAME_MS),
      counts: counts.counts(),
      shardDeaths,
    };
  }

  #played({ playedMs, since }: Running): number {
    return since === null ? playedMs : playedMs + this.#clock.now() - since;
  }
}

/** A text of bounded length: what ends in the middle of a character loses that as well. */
function short(text: string): string {
  if (text.length <= DIAGNOSIS.maxText) return text;
  const last = text.charCodeAt(DIAGNOSIS.maxText - 1);
  const length = last >= 0xd800 && last < 0xdc00 ? DIAGNOSIS.maxText - 1 : DIAGNOSIS.maxText;
  // A part of a string keeps the whole of it in memory; a copy by way of its bytes does not.
  return Buffer.from(text.slice(0, length), 'utf16le').toString('utf16le');
}
