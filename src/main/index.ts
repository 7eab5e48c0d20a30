// The process: reads the configuration, starts the shards, listens, says so in one line, and stops on a
// signal. The only file that touches process events or ends the process. Loaded by start.cts.
import { isIP } from 'node:net';
import { systemClock } from '../shared/clock.js';
import type { ConfigValues } from '../shared/config.js';
import { ServerError } from '../shared/errors.js';
import { createServer, type Server } from './app.js';
import { loadConfig, noticeLine, type Notice } from './config.js';
import { createShardFleet } from './dispatch/shard-fleet.js';
import { endNow } from './end-now.js';
import { createUwsEngine } from './http/engine-uws.js';
import { createLog, type Log } from './log.js';
import { localMachine } from './machine.js';
import { loadNodeId } from './node-id.js';
import { planPriorities, setPlatformPriority, setThreadPriority } from '../shared/thread-priority.js';
import { PUMICE_VERSION } from './version.js';

/** sysexits.h: the configuration is no good. */
const EXIT_CONFIG = 78;
/** Shards or senders died too often in too short a time, or a thread hangs and cannot be ended. */
const EXIT_SHARDS = 70;
/** The password of Lavalink's example file, which everybody knows. */
const WELL_KNOWN_PASSWORD = 'youshallnotpass';

async function main(): Promise<void> {
  const outcome = loadConfig();
  if (outcome.kind === 'exit') {
    for (const line of outcome.stdout) process.stdout.write(`${line}\n`);
    for (const line of outcome.stderr) process.stderr.write(`${line}\n`);
    process.exitCode = outcome.code;
    return;
  }
  const { values, notices } = outcome;
  const log = logFor(values);
  for (const notice of notices) print(log, notice);
  try {
    await serve(values, log);
  } catch (error) {
    const known = ServerError.from(error, 'PUM_CONFIG_INVALID', { reason: 'the server could not start' });
    log.error(`cannot start: ${known.message}`, { chain: known.chain().join(' <- ') });
    process.exit(known.code === 'PUM_CONFIG_INVALID' ? EXIT_CONFIG : 1);
  }
}

async function serve(values: ConfigValues, log: Log): Promise<void> {
  const clock = systemClock;
  const machine = localMachine();
  const node = await loadNodeId(values['pumice.state.directory']);
  const priorities = values['pumice.performance.priorityScheduling'] ? planPriorities() : null;
  let server: Server | null = null;
  const fleet = await createShardFleet({
    values,
    clock,
    log,
    node,
    // The fleet is there before the server that listens to it; until then no player exists.
    listener: {
      event(event) {
        server?.listener.event(event);
      },
      shardDied(shard) {
        server?.listener.shardDied(shard);
      },
      shardReady(shard) {
        server?.listener.shardReady(shard);
      },
    },
    shards: values['pumice.performance.workerThreads'] || machine.cores,
    priorities,
    giveUp() {
      log.error('the shards cannot be kept alive; a supervisor has to start the server again');
      // process.exit() would wait for a thread that hangs in native code.
      endNow(EXIT_SHARDS);
      process.exit(EXIT_SHARDS);
    },
  });
  // Only now: a thread begins with the priority of the one that starts it.
  setThreadPriority(priorities?.main ?? null);
  setPlatformPriority(priorities?.background ?? null);
  server = createServer({ values, engineFactory: createUwsEngine, fleet, clock, log, machine });
  stopOnSignal(server, log);
  const port = await server.listen();
  const scheme = values['server.ssl.enabled'] ? 'https' : 'http';
  const address = values['server.address'];
  const host = isIP(address) === 6 ? `[${address}]` : address;
  const shards = fleet.reports().length;
  log.info(
    `pumice ${PUMICE_VERSION} ready on ${scheme}://${host}:${port} ` +
      `(${shards} ${shards === 1 ? 'shard' : 'shards'}, ${server.engineName})`,
  );
}

/** The first signal drains, a second one ends the process at once; both with 0. */
function stopOnSignal(server: Server, log: Log): void {
  const stop = (signal: string): void => {
    if (server.state !== 'serving') {
      log.warn(`${signal} again: stopping at once`);
      server.close();
      process.exit(0);
    }
    log.info(`${signal}: draining`);
    server.drain().then(
      () => {
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error('the drain failed', { reason: ServerError.from(error, 'PUM_SHARD_GONE').message });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function logFor(values: ConfigValues): Log {
  const password = values['lavalink.server.password'];
  return createLog({
    clock: systemClock,
    format: values['pumice.log.format'],
    terminal: process.stdout.isTTY,
    level: values['logging.level.root'],
    levels: levelsOf(values['logging.level']),
    // The well-known password is no secret, and masking it would garble ordinary lines.
    secrets: password === null || password === WELL_KNOWN_PASSWORD ? [] : [password],
    write: (line) => process.stdout.write(`${line}\n`),
  });
}

function levelsOf(tree: unknown): Record<string, string> {
  if (typeof tree !== 'object' || tree === null) return {};
  return Object.fromEntries(Object.entries(tree).map(([name, level]) => [name, String(level)]));
}

function print(log: Log, notice: Notice): void {
  const level = notice.kind === 'warning' || notice.kind === 'adjusted' ? 'warn' : 'info';
  log[level](noticeLine(notice));
}

process.on('unhandledRejection', (reason) => {
  // A bug, and nothing is known of the state it leaves behind: a supervisor starts the server again.
  const error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  process.stderr.write(`unhandled rejection: ${error}\n`);
  process.exit(1);
});

await main();
