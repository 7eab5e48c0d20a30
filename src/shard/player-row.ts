// One player's row in the shared counters, written by its shard and read by main without asking.
import { PlayerFlag, PlayerWord } from '../shared/counter-words.js';
import type { PlayerTable } from '../shared/player-table.js';

export interface RowFlags {
  readonly connected: boolean;
  readonly hasTrack: boolean;
  readonly paused: boolean;
  readonly passthrough: boolean;
}

export class PlayerRow {
  readonly #table: PlayerTable;
  readonly #row: number;

  constructor(table: PlayerTable, row: number) {
    this.#table = table;
    this.#row = row;
  }

  get positionMs(): number {
    return this.#table.readPosition(this.#row).positionMs;
  }

  /** `at`: monotonic milliseconds at which the source stood there. */
  setPosition(positionMs: number, at: number): void {
    this.#table.setPosition(this.#row, positionMs, at);
  }

  /** 0 for none. */
  setInstance(instance: number): void {
    this.#table.set(this.#row, PlayerWord.instance, instance);
  }

  /** Whole milliseconds, -1 when unknown. */
  setPing(ms: number): void {
    this.#table.set(this.#row, PlayerWord.pingMs, Math.round(ms));
  }

  setFlags(flags: RowFlags): void {
    const bits =
      (flags.connected ? PlayerFlag.connected : 0) |
      (flags.hasTrack ? PlayerFlag.hasTrack : 0) |
      (flags.paused ? PlayerFlag.paused : 0) |
      (flags.passthrough ? PlayerFlag.passthrough : 0);
    this.#table.set(this.#row, PlayerWord.flags, bits);
  }

  countSent(): void {
    this.#table.add(this.#row, PlayerWord.sent, 1);
  }

  countNulled(): void {
    this.#table.add(this.#row, PlayerWord.nulled, 1);
  }
}
