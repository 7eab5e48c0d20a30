// A worker that writes one side of a row's position over and over, each with twice its value as the time. The tags
// of the two sides agree now and then.
import { workerData } from 'node:worker_threads';
import { PlayerTable } from '../../src/shared/player-table.js';

export interface PositionWriting {
  readonly buffer: SharedArrayBuffer;
  readonly row: number;
  readonly writes: number;
  readonly side: 'base' | 'sent';
}

const { buffer, row, writes, side } = workerData as PositionWriting;
const table = new PlayerTable(buffer);
for (let n = 1; n <= writes; n++) {
  const tag = (n >> 6) % 2 === 0 ? 1 : 2;
  if (side === 'base') table.setBase(row, tag, n, n * 2);
  else table.setSent(row, tag, n, n * 2);
}
