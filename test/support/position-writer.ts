// A worker that writes one row's position over and over, each with twice its value as the time.
import { workerData } from 'node:worker_threads';
import { PlayerTable } from '../../src/shared/player-table.js';

const { buffer, row, writes } = workerData as { buffer: SharedArrayBuffer; row: number; writes: number };
const table = new PlayerTable(buffer);
for (let n = 1; n <= writes; n++) table.setPosition(row, n, n * 2);
