// A player's row of shared counters for tests that need one without a shard: made as main makes it, and read.
import { PlayerWord } from '../../src/shared/counter-words.js';
import { LATE_BUCKETS } from '../../src/shared/driver-words.js';
import { PlayerTable } from '../../src/shared/player-table.js';
import type { RowPlace } from '../../src/shared/sent-row.js';

export class TestRow {
  readonly table = new PlayerTable();
  readonly place: RowPlace;

  /** Frames with tag 1 move its position, from 0 on. */
  constructor(row = 3, epoch = 9) {
    this.place = { table: this.table.buffer, row, epoch };
    this.table.set(row, PlayerWord.epoch, epoch);
    this.begin(1, 0);
  }

  /** As a shard does at a seek. */
  begin(tag: number, positionMs: number): void {
    this.table.setBase(this.place.row, tag, positionMs, 0);
  }

  word(name: keyof typeof PlayerWord): number {
    return this.table.get(this.place.row, PlayerWord[name]);
  }

  get positionMs(): number {
    return this.table.readPosition(this.place.row).positionMs;
  }

  get at(): number {
    return this.table.readPosition(this.place.row).at;
  }

  /** Where what a dead shard leaves to its sender ends; 0 for nothing. */
  get sealedMs(): number {
    return this.table.readSealed(this.place.row);
  }

  /** Frames in all lateness buckets. */
  get bucketed(): number {
    return LATE_BUCKETS.reduce((sum, _, n) => sum + this.table.get(this.place.row, PlayerWord.late + n), 0);
  }
}
