// The driver over @discordjs/voice under the contract of all voice drivers. What only this one has to put
// right is in discordjs-faults.test.ts.

import t from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { createDiscordjsDriver } from '../../../src/shard/voice/discordjs-driver.js';
import { driverContract } from './driver-contract.js';

driverContract(t, ({ ca, guard, maxConnections, counters, times }) =>
  createDiscordjsDriver({
    clock: systemClock,
    guard,
    ca,
    times,
    ...(counters === undefined ? {} : { counters }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  }),
);
