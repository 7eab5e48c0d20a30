// A process with one shard that hangs in native code: the fleet gives up, and the process ends with 70 as the
// server would. Started by test/main/end-now.test.ts.
import { endNow } from '../../src/main/end-now.js';
import { ShardFleet } from '../../src/main/dispatch/shard-fleet.js';
import { silentLog } from '../../src/main/log.js';
import { systemClock } from '../../src/shared/clock.js';
import { defaults } from '../../src/shared/config.js';
import { Deed } from './echo-shard-entry.js';
import { create, update } from './fleet-house.js';

const fleet = new ShardFleet(
  {
    values: { ...defaults(), 'pumice.voice.driver': 'discordjs' },
    clock: systemClock,
    log: { ...silentLog, error: (text) => process.stdout.write(`${text}\n`) },
    node: 'n',
    listener: { event: () => undefined, shardDied: () => undefined, shardReady: () => undefined },
    shards: 2,
    giveUp: () => {
      endNow(70);
      process.exit(71);
    },
    entry: new URL('./echo-shard-entry.js', import.meta.url),
  },
  null,
);
await fleet.start();
const placement = fleet.place('p');
await fleet.command('p', placement, create(placement.row), 5_000);
process.stdout.write('hangs\n');
await fleet.command('p', placement, update(Deed.block), 60_000);
