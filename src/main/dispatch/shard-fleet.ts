// The shards as one thing: starts them, places players, carries commands and events, and replaces a shard
// that died. Main thread only; the worker side is src/shard/entry.ts.
import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../../shared/clock.js';
import { forShards, type ConfigValues } from '../../shared/config.js';
import type { PositionReading } from '../../shared/player-table.js';
import { ROWS_PER_TABLE } from '../../shared/player-table.js';
import { ServerError } from '../../shared/errors.js';
import { DISPATCH, VOICE } from '../../shared/limits.js';
import type { LoadService } from '../../shared/load.js';
import type { CommandOp, PlayerCommand } from '../../shared/shard-commands.js';
import type { EventEnvelope, ShardNotice } from '../../shared/shard-events.js';
import type { ThreadPriorities } from '../../shared/thread-priority.js';
import type { Log } from '../log.js';
import type { Fleet, FleetListener, Placement, SenderReport, ShardReport } from './fleet.js';
import { LoaderPool } from './loader.js';
import { cheapest } from './placement.js';
import { Pool } from './pool.js';
import { Restarts } from './restarts.js';
import { Senders } from './senders.js';
import { ShardHandle } from './shard-handle.js';
import { Watchdog } from './watchdog.js';

export interface ShardFleetOptions {
  readonly values: ConfigValues;
  readonly clock: Clock;
  readonly log: Log;
  /** Persistent id of this node. */
  readonly node: string;
  readonly listener: FleetListener;
  /** Shards to start; from the configuration and the processors. */
  readonly shards: number;
  /** Too many shards have died, or one cannot be ended: the process should end with 70. */
  readonly giveUp: () => void;
  /** Of the threads; all have main's by default. */
  readonly priorities?: ThreadPriorities | null;
  /** Another worker entry, for tests that need a shard to misbehave. */
  readonly entry?: URL;
  /** The same for senders. */
  readonly senderEntry?: URL;
}

/** What the fleet remembers of a placed player. */
interface Placed {
  placement: Placement;
  rev: number;
}

const SAMPLE_INTERVAL_MS = 1_000;
const SHARD_YOUNG_MB = 4;

export class ShardFleet implements Fleet {
  readonly loader: LoadService;
  readonly #loaderPool: LoaderPool;
  readonly #options: ShardFleetOptions;
  readonly #pool: Pool;
  readonly #shards: ShardHandle[];
  readonly #senders: Senders;
  /** Voice connections that a shard's driver takes. */
  readonly #ceiling: number;
  readonly #restarts = new Restarts();
  readonly #watchdog: Watchdog<ShardHandle>;
  readonly #players = new Map<string, Placed>();
  #epoch = 0;
  #nextCommand = 1;
  #draining = false;
  #lives: Promise<void>[] = [];
  #sampler: Timer;
  /** Events of placements that are over; counted, never delivered. */
  staleEvents = 0;

  constructor(options: ShardFleetOptions, ca: string | null) {
    this.#options = options;
    const { clock, values } = options;
    const config = forShards(values);
    this.#loaderPool = new LoaderPool({
      clock,
      config,
      deadlineMs: values['pumice.http.loadDeadline'],
      entry: new URL('../../shard/loader-entry.js', import.meta.url),
      nice: options.priorities?.background,
    });
    this.loader = this.#loaderPool;
    this.#pool = new Pool({
      entry: options.entry ?? new URL('../../shard/entry.js', import.meta.url),
      minThreads: options.shards,
      maxThreads: options.shards,
      tasksPerThread: 1,
      idleTimeout: 0,
      stackBytes: values['pumice.performance.threadStackSize'],
      maxHeapMb: megabytes(values['pumice.shards.heapLimit']),
      // A small young generation: short pauses, and less memory that is only waiting to be collected.
      maxYoungMb: SHARD_YOUNG_MB,
    });
    this.#ceiling =
      values['pumice.voice.driver'] === 'native' ? VOICE.maxNativeConnections : VOICE.maxDiscordjsConnections;
    this.#senders = new Senders({
      clock,
      log: options.log,
      count: senderThreads(values),
      most: values['pumice.performance.senderThreads'] === 0 ? options.shards : 0,
      leadMs: values['lavalink.server.bufferDurationMs'],
      giveUp: options.giveUp,
      nice: options.priorities?.sender,
      ...(options.senderEntry === undefined ? {} : { entry: options.senderEntry }),
    });
    this.#shards = Array.from(
      { length: options.shards },
      (_, index) =>
        new ShardHandle({
          index,
          pool: this.#pool,
          clock,
          config,
          ca,
          nice: options.priorities?.shard,
          maxInFlight: values['pumice.performance.taskQueueSize'],
          notice: (notice) => {
            this.#notice(index, notice);
          },
          senders: this.#senders.none ? null : this.#senders,
          stuck: () => {
            this.#stuck(index);
          },
        }),
    );
    this.#watchdog = new Watchdog(clock, this.#shards, (shard) => {
      this.#wedged(shard);
    });
    this.#sampler = this.#sampleLater();
  }

  /** Starts every shard; resolves when all of them answer, rejects when one does not in time. */
  async start(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => this.#startFirst(shard)));
  }

  get ready(): boolean {
    return !this.#draining && this.#shards.some((shard) => shard.up);
  }

  isUp(shard: number): boolean {
    return this.#shards[shard]?.up ?? false;
  }

  place(player: string): Placement {
    const shard = this.#draining ? null : cheapest(this.#shards, this.#ceiling);
    if (!shard) throw new ServerError('PUM_NO_SHARD');
    return this.#placeOn(shard, player, this.#senders.place());
  }

  replace(player: string, old: Placement): Placement {
    const shard = this.#shards[old.shard];
    if (!shard?.up) throw new ServerError('PUM_NO_SHARD');
    shard.freeRow(old.row);
    return this.#placeOn(shard, player, old.sender);
  }

  release(player: string, placement: Placement): void {
    const placed = this.#players.get(player);
    if (placed?.placement.epoch !== placement.epoch) return;
    this.#players.delete(player);
    this.#shards[placement.shard]?.freeRow(placement.row);
    this.#senders.free(placement.sender);
  }

  command(player: string, placement: Placement, command: CommandOp, ttlMs: number): Promise<unknown> {
    const placed = this.#players.get(player);
    const shard = this.#shards[placement.shard];
    if (!shard || placed?.placement.epoch !== placement.epoch) {
      return Promise.reject(new ServerError('PUM_COMMAND_STALE'));
    }
    const envelope: PlayerCommand = {
      ...command,
      v: 1,
      id: this.#nextCommand++,
      player,
      epoch: placement.epoch,
      rev: ++placed.rev,
      ttlMs,
      sentAt: this.#options.clock.now(),
    };
    return shard.command(envelope);
  }

  /** Where a player lives now, or null. */
  placementOf(player: string): Placement | null {
    return this.#players.get(player)?.placement ?? null;
  }

  position(placement: Placement): PositionReading {
    return this.#row(placement).readPosition(placement.row % ROWS_PER_TABLE);
  }

  sealed(placement: Placement): number {
    return this.#row(placement).readSealed(placement.row % ROWS_PER_TABLE);
  }

  word(placement: Placement, word: number): number {
    return this.#row(placement).get(placement.row % ROWS_PER_TABLE, word);
  }

  senders(): readonly SenderReport[] {
    return this.#senders.reports();
  }

  pulseAge(shard: number): number | null {
    const handle = this.#shards[shard];
    return handle?.up === true ? this.#watchdog.stillFor(handle) : null;
  }

  reports(): readonly ShardReport[] {
    return this.#shards.map((shard) => shard.report());
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    this.#sampler.cancel();
    this.#watchdog.stop();
    for (const shard of this.#shards) shard.drain();
    let timer: Timer | null = null;
    const deadline = new Promise<void>((resolve) => {
      timer = this.#options.clock.after(timeoutMs, resolve);
    });
    await Promise.race([Promise.allSettled(this.#lives), deadline]);
    (timer as Timer | null)?.cancel();
    await Promise.all([this.#pool.destroy(), this.#loaderPool.close()]);
    // Behind the shards: the last silence of their players leaves through them.
    await this.#senders.close();
  }

  #placeOn(shard: ShardHandle, player: string, sender: number): Placement {
    const { node } = this.#options;
    const epoch = ++this.#epoch;
    const placement = { node, shard: shard.index, epoch, row: shard.takeRow(epoch), sender };
    this.#players.set(player, { placement, rev: 0 });
    return placement;
  }

  #row(placement: Placement): ReturnType<ShardHandle['table']> {
    const shard = this.#shards[placement.shard];
    if (!shard) throw new ServerError('PUM_HTTP_INTERNAL', { reason: 'no such shard' });
    return shard.table(placement.row);
  }

  // ---- Lives and deaths ----

  #startFirst(shard: ShardHandle): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(DISPATCH.startDeadline, () => {
        reject(new ServerError('PUM_NO_SHARD'));
      });
      this.#keepAlive(shard, () => {
        timer.cancel();
        resolve();
      });
    });
  }

  #keepAlive(shard: ShardHandle, ready: () => void): void {
    this.#lives[shard.index] = shard.live(ready).then(
      () => {
        // Nobody asked it to end: its port broke, and it is as gone as one that threw.
        this.#died(shard, 'it ended by itself');
      },
      (thrown: unknown) => {
        this.#died(shard, thrown);
      },
    );
  }

  /** It is alive and does nothing any more (reliability.md case 9). */
  #wedged(shard: ShardHandle): void {
    const { log } = this.#options;
    log.error(`shard ${String(shard.index)} does not answer`, {
      shard: shard.index,
      ms: DISPATCH.wedgedAfter,
    });
    void shard.terminate();
  }

  #stuck(index: number): void {
    const { log, giveUp } = this.#options;
    if (this.#draining) return;
    log.error(`shard ${String(index)} hangs in native code and cannot be ended, giving up`, { shard: index });
    giveUp();
  }

  #died(shard: ShardHandle, thrown: unknown): void {
    const { clock, log, listener, giveUp } = this.#options;
    if (this.#draining) return;
    shard.restarts++;
    const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    log.error(`shard ${String(shard.index)} died`, { shard: shard.index, reason });
    listener.shardDied(shard.index);
    const wait = this.#restarts.next(clock.now());
    if (wait === null) {
      log.error('too many shards have died, giving up', { restarts: DISPATCH.maxRestarts });
      giveUp();
      return;
    }
    clock.after(wait, () => {
      if (this.#draining) return;
      this.#keepAlive(shard, () => {
        log.info(`shard ${String(shard.index)} is back`, { shard: shard.index });
        listener.shardReady(shard.index);
      });
    });
  }

  // ---- Notices ----

  #notice(index: number, notice: ShardNotice): void {
    switch (notice.kind) {
      case 'event':
        this.#event(notice.event);
        break;
      case 'log':
        this.#options.log[notice.level](notice.text, { shard: index });
        break;
      case 'ready':
        break;
    }
  }

  #event(event: EventEnvelope): void {
    if (this.#players.get(event.player)?.placement.epoch === event.epoch) this.#options.listener.event(event);
    else this.staleEvents++;
  }

  #sampleLater(): Timer {
    return this.#options.clock.after(SAMPLE_INTERVAL_MS, () => {
      for (const shard of this.#shards) shard.sample();
      this.#sampler = this.#sampleLater();
    });
  }
}

/** Starts the shards; resolves when all of them answer. Rejects with PUM_NO_SHARD or PUM_CONFIG_INVALID. */
export async function createShardFleet(options: ShardFleetOptions): Promise<ShardFleet> {
  const fleet = new ShardFleet(options, await readCa(options.values['pumice.voice.caFile']));
  await fleet.start();
  return fleet;
}

/** Senders to begin with; the discordjs driver has none, its shards send. */
function senderThreads(values: ConfigValues): number {
  const asked = values['pumice.performance.senderThreads'];
  if (asked === 'off' || values['pumice.voice.driver'] !== 'native') return 0;
  return asked === 0 ? 1 : asked;
}

function megabytes(bytes: number | null): number | null {
  return bytes === null ? null : Math.ceil(bytes / 1_048_576);
}

async function readCa(path: string | null): Promise<string | null> {
  if (path === null) return null;
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw new ServerError(
      'PUM_CONFIG_INVALID',
      { reason: `pumice.voice.caFile: ${path} cannot be read` },
      thrown,
    );
  }
}
