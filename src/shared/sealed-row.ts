// What a shard writes into a player's row of the frames that lie sealed in its send ring, ahead of the sender: what
// is there is heard even if the shard dies, and whoever goes on begins behind it. One object a stream; only where a
// sender outlives its shard. Allocates nothing per frame.
import { PlayerTable } from './player-table.js';
import { NO_TAG, type RowPlace } from './sent-row.js';

export class SealedRow {
  readonly #table: PlayerTable;
  readonly #row: number;

  constructor({ table, row }: RowPlace) {
    this.#table = new PlayerTable(table);
    this.#row = row;
  }

  /** A frame that ends at `endMs` is in the ring. */
  sealed(endMs: number, tag: number): void {
    if (tag !== NO_TAG) this.#table.setSealed(this.#row, tag, endMs);
  }

  /** What was in the ring is taken back. */
  revoked(): void {
    this.#table.clearSealed(this.#row);
  }
}
