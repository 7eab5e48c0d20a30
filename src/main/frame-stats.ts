// Lavalink's frame statistics: sent and missed frames of whole minutes, averaged over the players of one session
// that played through the minute (lavalink-v4.md §2.4). The counts come from the shared counters' rows. Pure
// arithmetic over readings; the server rolls the minutes, which begin with those of the wall clock and from then on
// go by the monotonic one, so that nobody who sets the clock makes a minute of another length. Main thread.

export const MINUTE = 60_000;
const FRAMES_PER_MINUTE = 3_000;
/** A pause between two tracks up to this long, in milliseconds, does not break a minute. */
const ACCEPTABLE_GAP = 100;

export interface FrameStats {
  readonly sent: number;
  readonly nulled: number;
  readonly deficit: number;
}

/** Totals of one player as its row says: frames sent and slots without a frame. */
export interface FrameTotals {
  readonly sent: number;
  readonly nulled: number;
}

/** What one player's minutes look like. Times are milliseconds of the monotonic clock. */
export class FrameHistory {
  #playingSince: number | null = null;
  #stoppedAt: number | null = null;
  #totals: FrameTotals = { sent: 0, nulled: 0 };
  #lastMinute: FrameTotals = { sent: 0, nulled: 0 };
  /** When the last whole minute began, and when it ended. */
  #began: number | null = null;
  #ended: number | null = null;

  get lastMinute(): FrameTotals {
    return this.#lastMinute;
  }

  /** A track starts or goes on after a pause. */
  started(now: number): void {
    const gap = this.#stoppedAt === null ? 0 : now - this.#stoppedAt;
    if (this.#playingSince === null || gap > ACCEPTABLE_GAP) this.#playingSince = now;
    this.#stoppedAt = null;
  }

  /** A track ends or is paused. */
  stopped(now: number): void {
    this.#stoppedAt = now;
  }

  /** A minute is over. `totals` may go down once, when the player got a new row. */
  roll(totals: FrameTotals, now: number): void {
    this.#began = this.#ended;
    this.#ended = now;
    const since = (after: number, before: number): number => (after >= before ? after - before : after);
    this.#lastMinute = {
      sent: since(totals.sent, this.#totals.sent),
      nulled: since(totals.nulled, this.#totals.nulled),
    };
    this.#totals = totals;
  }

  /** Whether it played since before the start of the last whole minute, without a gap. */
  get isUsable(): boolean {
    if (this.#stoppedAt !== null || this.#playingSince === null || this.#began === null) return false;
    return this.#playingSince < this.#began;
  }
}

/** Milliseconds from `now` (epoch) to the next full minute. */
export function untilNextMinute(now: number): number {
  return MINUTE - (now % MINUTE);
}

/** The averages over the given whole minutes, null when there is none. */
export function averageFrames(minutes: readonly FrameTotals[]): FrameStats | null {
  const players = minutes.length;
  if (players === 0) return null;
  const sent = minutes.reduce((sum, minute) => sum + minute.sent, 0);
  const nulled = minutes.reduce((sum, minute) => sum + minute.nulled, 0);
  return {
    sent: Math.floor(sent / players),
    nulled: Math.floor(nulled / players),
    // `+ 0` turns the -0 that Math.trunc makes of a small surplus into 0.
    deficit: Math.trunc((players * FRAMES_PER_MINUTE - (sent + nulled)) / players) + 0,
  };
}
