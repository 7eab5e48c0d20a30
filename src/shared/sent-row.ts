// What whoever sends a player's frames writes into the player's row: the sender group of PlayerWord. One object a
// ring (or a lane of the discordjs driver), made when its place is known, called for every frame that left. In a
// sender thread, or in the shard where that sends by itself. Allocates nothing per frame.
import { PlayerWord } from './counter-words.js';
import { bucketOf } from './driver-words.js';
import { PlayerTable } from './player-table.js';

/** Where a player's row is. Plain data: it crosses ports. */
export interface RowPlace {
  /** Memory of a PlayerTable. */
  readonly table: SharedArrayBuffer;
  /** In that table. */
  readonly row: number;
  /** Of the placement that it was given to. Afterwards it may be somebody else's. */
  readonly epoch: number;
}

/** The tag of frames that never move the position: those of a track that was replaced, or of before a seek. */
export const NO_TAG = 0;

export class SentRow {
  readonly #table: PlayerTable;
  readonly #row: number;
  readonly #epoch: number;

  constructor({ table, row, epoch }: RowPlace) {
    this.#table = new PlayerTable(table);
    this.#row = row;
    this.#epoch = epoch;
  }

  /** A frame of the player has left `at`, `late` milliseconds after its time; it ends at `sourceMs`. */
  sent(sourceMs: number, tag: number, at: number, late: number): void {
    if (!this.#isOurs()) return;
    const table = this.#table;
    const row = this.#row;
    table.add(row, PlayerWord.sent, 1);
    table.add(row, PlayerWord.late + bucketOf(late), 1);
    if (late > table.get(row, PlayerWord.maxLate)) table.set(row, PlayerWord.maxLate, late);
    if (tag !== NO_TAG) table.setSent(row, tag, sourceMs, at);
  }

  /** A slot found nothing to send, though nobody had said that nothing comes. */
  emptied(): void {
    if (this.#isOurs()) this.#table.add(this.#row, PlayerWord.emptied, 1);
  }

  /** A dead shard's ring is sent to its end, while main may have given the row to the next. */
  #isOurs(): boolean {
    return this.#table.get(this.#row, PlayerWord.epoch) === this.#epoch;
  }
}
