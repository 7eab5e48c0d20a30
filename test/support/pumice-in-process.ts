// The real server inside the test's own process, with shards that obey fault commands. Everything is real but
// the process: engine, sessions, fleet, threads, sources, voice.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from '../../src/main/app.js';
import { createShardFleet, type ShardFleet } from '../../src/main/dispatch/shard-fleet.js';
import { createUwsEngine } from '../../src/main/http/engine-uws.js';
import { silentLog } from '../../src/main/log.js';
import { localMachine } from '../../src/main/machine.js';
import { systemClock } from '../../src/shared/clock.js';
import { defaults, type ConfigValues } from '../../src/shared/config.js';
import { TEST_PASSWORD } from './pumice-process.js';

export interface PumiceInProcess {
  readonly port: number;
  readonly fleet: ShardFleet;
  readonly server: Server;
  /** How often the fleet gave up. */
  gaveUp(): number;
  close(): Promise<void>;
}

export async function startInProcess(options: {
  readonly ca: string;
  readonly shards: number;
  readonly config?: Partial<ConfigValues>;
}): Promise<PumiceInProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'pumice-in-process-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, options.ca);
  const values: ConfigValues = {
    ...defaults(),
    'server.address': '127.0.0.1',
    'server.port': 0,
    'lavalink.server.password': TEST_PASSWORD,
    'pumice.sources.allowPrivate': ['127.0.0.1'],
    'pumice.voice.endpoints': ['127.0.0.1:*'],
    'pumice.voice.caFile': caFile,
    ...options.config,
  };
  let server: Server | null = null;
  let gaveUp = 0;
  const fleet = await createShardFleet({
    values,
    clock: systemClock,
    log: silentLog,
    node: 'test',
    listener: {
      event: (event) => server?.listener.event(event),
      shardDied: (shard) => server?.listener.shardDied(shard),
      shardReady: (shard) => server?.listener.shardReady(shard),
    },
    shards: options.shards,
    giveUp: () => gaveUp++,
    entry: new URL('./faulty-shard-entry.js', import.meta.url),
    senderEntry: new URL('./faulty-sender-entry.js', import.meta.url),
  });
  const running = createServer({
    values,
    engineFactory: createUwsEngine,
    fleet,
    clock: systemClock,
    log: silentLog,
    machine: localMachine(),
  });
  server = running;
  const port = await running.listen();
  return {
    port,
    fleet,
    server: running,
    gaveUp: () => gaveUp,
    async close() {
      await running.drain();
      running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
