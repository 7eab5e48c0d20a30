// Puts the main thread together: sessions, routes and the engine round a fleet of shards, and the order in
// which it all stops. Called by index.ts, and by tests with a fake fleet. It ends no process and reads neither
// files nor the environment. Main thread.
import type { Clock } from '../shared/clock.js';
import type { ConfigValues } from '../shared/config.js';
import type { Fleet, FleetListener } from './dispatch/fleet.js';
import { Drain } from './drain.js';
import type { Engine, EngineFactory, TlsOptions } from './http/engine.js';
import { PasswordGuard } from './http/password.js';
import { HttpServer } from './http/server.js';
import { LoadGate } from './load-gate.js';
import type { Log } from './log.js';
import type { Machine } from './machine.js';
import { Metrics } from './metrics.js';
import type { Node } from './node.js';
import { SessionRegistry } from './session-registry.js';
import { settingsFrom } from './settings.js';
import { Stats } from './stats.js';
import { Tallies } from './tallies.js';
import type { Connection } from './ws/connection.js';

export interface ServerOptions {
  readonly values: ConfigValues;
  readonly engineFactory: EngineFactory;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly log: Log;
  readonly machine: Machine;
}

export interface Server {
  /** Where the fleet reports events and the deaths of shards. */
  readonly listener: FleetListener;
  readonly engineName: string;
  readonly state: Drain['kind'];
  /** Resolves with the port really bound. Rejects with PUM_LISTEN_FAILED. */
  listen(): Promise<number>;
  /**
   * Stops in order: readiness off and nothing new taken, running requests, players, sockets (1001), shards,
   * engine. Resolves when all is done, or at `pumice.shutdown.timeout` with the rest cut off.
   */
  drain(): Promise<void>;
  /** Cuts whatever is left, at once. */
  close(): void;
}

/** How often the drain looks whether the running requests have ended, in milliseconds. */
const LOOK = 20;
/** Part of the drain's time that the shards have for themselves, in milliseconds. */
const SHARDS_SHARE = 5_000;

export function createServer(options: ServerOptions): Server {
  const { values, fleet, clock, log } = options;
  const settings = settingsFrom(values);
  const drain = new Drain();
  const tallies = new Tallies();
  const stats = new Stats({
    clock,
    machine: options.machine,
    counts: () => sessions.counts(),
    shards: () => fleet.reports(),
  });
  const node: Node = { fleet, clock, log, settings, stats, tallies, loads: new LoadGate(), drain };
  const sessions = new SessionRegistry(node);
  const metrics: Metrics | null = settings.metrics.enabled
    ? new Metrics({ node, sessions, inFlight: () => engine.inFlight })
    : null;
  const handlers = new HttpServer({
    node,
    sessions,
    metrics,
    password: new PasswordGuard(settings.password, clock),
    errors: {
      clock,
      traces: values['pumice.debug.traces'],
      includeTrace: values['server.error.include-stacktrace'],
      includeMessage: values['server.error.include-message'],
      includeException: values['server.error.include-exception'],
    },
  });
  const engine: Engine = options.engineFactory<Connection>(handlers, {
    clock,
    tls: tlsOf(values),
    maxBody: values['pumice.http.maxBody'],
    maxOutbox: values['pumice.websocket.maxOutbox'],
    maxMessage: values['server.websocket.maxFrameSize'],
  });

  /** Resolves after `ms`, or when `isDone` says so. */
  function until(isDone: () => boolean, ms: number): Promise<void> {
    const end = clock.now() + ms;
    return new Promise((resolve) => {
      const look = (): void => {
        if (isDone() || clock.now() >= end) resolve();
        else clock.after(LOOK, look);
      };
      look();
    });
  }

  async function stopInOrder(): Promise<void> {
    await until(() => engine.inFlight === 0, values['pumice.shutdown.grace']);
    await sessions.stopPlayers();
    sessions.shutDown();
    await fleet.drain(Math.min(SHARDS_SHARE, values['pumice.shutdown.timeout']));
  }

  return {
    listener: sessions,
    engineName: engine.name,
    get state() {
      return drain.kind;
    },
    listen: () => engine.listen(values['server.address'], values['server.port']),
    async drain() {
      await new Promise<void>((resolve, reject) => {
        if (!drain.begin(clock, values['pumice.shutdown.timeout'], resolve)) {
          resolve();
          return;
        }
        stopInOrder().then(resolve, reject);
      });
      this.close();
    },
    close() {
      drain.stop();
      sessions.shutDown();
      engine.close();
    },
  };
}

function tlsOf(values: ConfigValues): TlsOptions | null {
  const certificateFile = values['server.ssl.certificate'];
  const keyFile = values['server.ssl.certificate-private-key'];
  if (!values['server.ssl.enabled'] || certificateFile === null || keyFile === null) return null;
  return { certificateFile, keyFile, passphrase: values['server.ssl.key-password'] };
}
