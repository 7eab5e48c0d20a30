// What a player tells of its tracks, each thing once: start, real length, failure, end. Events go out in the
// order of the calls, with the position that the counters show. Used by deck.ts, in a shard.
import type { ServerError } from '../shared/errors.js';
import type { EndReason, PlayerEvent } from '../shared/shard-events.js';
import type { PlayerRow } from './player-row.js';

export class TrackReports {
  readonly #row: PlayerRow;
  readonly #emit: (event: PlayerEvent) => void;
  #lengthTold = false;
  #failureTold = false;

  constructor(row: PlayerRow, emit: (event: PlayerEvent) => void) {
    this.#row = row;
    this.#emit = emit;
  }

  started(instance: number): void {
    this.#lengthTold = false;
    this.#failureTold = false;
    this.#emit({ type: 'trackStart', instance });
  }

  /** `lengthMs` is null when the container has none. */
  opened(instance: number, lengthMs: number | null): void {
    if (this.#lengthTold) return;
    this.#lengthTold = true;
    this.#emit({ type: 'trackLength', instance, lengthMs });
  }

  failed(instance: number, error: ServerError): void {
    if (this.#failureTold) return;
    this.#failureTold = true;
    const { positionMs } = this.#row;
    this.#emit({ type: 'trackException', instance, error: error.toShape(), positionMs });
  }

  stuck(instance: number, thresholdMs: number): void {
    this.#emit({ type: 'trackStuck', instance, thresholdMs, positionMs: this.#row.positionMs });
  }

  ended(instance: number, reason: EndReason): void {
    this.#emit({ type: 'trackEnd', instance, reason, positionMs: this.#row.positionMs });
  }
}
