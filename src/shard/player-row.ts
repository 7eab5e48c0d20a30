// One player's row in the shared counters, as its shard writes it and main reads it without asking. The sender's
// group of it has its own writer, sent-row.ts.
import { PlayerFlag, PlayerWord } from '../shared/counter-words.js';
import type { PlayerTable } from '../shared/player-table.js';
import { NO_TAG, type RowPlace } from '../shared/sent-row.js';

export interface RowFlags {
  readonly connected: boolean;
  readonly hasTrack: boolean;
  readonly paused: boolean;
  readonly passthrough: boolean;
}

/**
 * What a slot without a frame wanted for. `source`: the reader has brought nothing; `ring`: a place in the ring, or a
 * DAVE group to encrypt for; `socket`: sealing or sending; `decode`: the frame was not made in time.
 */
export type Want = 'source' | 'decode' | 'ring' | 'socket';

const WANTS: Readonly<Record<Want, number>> = {
  source: PlayerWord.nulledSource,
  decode: PlayerWord.nulledDecode,
  ring: PlayerWord.nulledRing,
  socket: PlayerWord.nulledSocket,
};

export class PlayerRow {
  /** For whoever sends the player's frames. */
  readonly place: RowPlace;
  readonly #table: PlayerTable;
  readonly #row: number;
  #tag: number;

  /** `epoch`: of the player's placement. */
  constructor(table: PlayerTable, row: number, epoch: number) {
    this.#table = table;
    this.#row = row;
    this.place = { table: table.buffer, row, epoch };
    // A frame of the placement before, whose ring a sender may still empty, shall not bear a tag of this one.
    this.#tag = epoch << 16;
  }

  get positionMs(): number {
    return this.#table.readPosition(this.#row).positionMs;
  }

  /** Frames that bear it move the position. */
  get tag(): number {
    return this.#tag;
  }

  /** Another track, or another place in it: what was queued so far moves the position no more. */
  begin(positionMs: number, at: number): void {
    this.#tag = (this.#tag + 1) | 0;
    if (this.#tag === NO_TAG) this.#tag = 1;
    this.#table.setBase(this.#row, this.#tag, positionMs, at);
  }

  /** The source stands where it stood, and `at` it still does (monotonic milliseconds). */
  stand(at: number): void {
    this.#table.setBase(this.#row, this.#tag, this.positionMs, at);
  }

  /** A frame of the present tag that ends at `positionMs` will not be sent: the source goes on without it. */
  skip(positionMs: number, at: number): void {
    this.#table.setBase(this.#row, this.#tag, Math.max(positionMs, this.positionMs), at);
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

  /** A slot of the playing player went by without a frame. */
  countNulled(want: Want): void {
    this.#table.add(this.#row, PlayerWord.nulled, 1);
    this.#table.add(this.#row, WANTS[want], 1);
  }
}
