// The real fleet over real threads that run a small entry instead of a shard, and everything that it tells. For
// tests of the dispatch; one house is one fleet, gone with the test.
import { readdir, readFile } from 'node:fs/promises';
import type { Test } from 'tap';
import { ShardFleet } from '../../src/main/dispatch/shard-fleet.js';
import { silentLog, type Log } from '../../src/main/log.js';
import { systemClock, type Clock } from '../../src/shared/clock.js';
import { defaults, type ConfigValues } from '../../src/shared/config.js';
import type { CommandOp } from '../../src/shared/shard-commands.js';

export interface Told {
  /** Player and number of each event. */
  readonly events: string[];
  /** Shards in the order of their deaths, and of their replacements' first answers. */
  readonly died: number[];
  readonly ready: number[];
  /** Clock times of the same. */
  readonly diedAt: number[];
  readonly readyAt: number[];
  gaveUp: number;
  logLines: number;
}

export class FleetHouse {
  readonly told: Told = {
    events: [],
    died: [],
    ready: [],
    diedAt: [],
    readyAt: [],
    gaveUp: 0,
    logLines: 0,
  };
  readonly fleet: ShardFleet;
  #wake: () => void = () => undefined;

  private constructor(shards: number, config: Partial<ConfigValues>, clock: Clock) {
    const { told } = this;
    const count = (): void => {
      told.logLines++;
    };
    const log: Log = { ...silentLog, error: count, warn: count, info: count };
    this.fleet = new ShardFleet(
      {
        values: { ...defaults(), ...config },
        clock,
        log,
        node: 'n',
        shards,
        listener: {
          event: ({ player, seq }) => {
            told.events.push(`${player} ${String(seq)}`);
            this.#wake();
          },
          shardDied: (shard) => {
            told.died.push(shard);
            told.diedAt.push(systemClock.now());
            this.#wake();
          },
          shardReady: (shard) => {
            told.ready.push(shard);
            told.readyAt.push(systemClock.now());
            this.#wake();
          },
        },
        giveUp: () => {
          told.gaveUp++;
          this.#wake();
        },
        entry: new URL('./echo-shard-entry.js', import.meta.url),
      },
      null,
    );
  }

  /** Resolves when every shard answers; the fleet is drained when the test ends. */
  static async start(
    t: Pick<Test, 'teardown'>,
    shards: number,
    config: Partial<ConfigValues> = {},
    clock = systemClock,
  ): Promise<FleetHouse> {
    const house = new FleetHouse(shards, config, clock);
    t.teardown(() => house.fleet.drain(1_000));
    await house.fleet.start();
    return house;
  }

  /** Resolves as soon as it holds; rejects after `ms`. */
  async until(holds: (told: Told) => boolean, ms = 15_000): Promise<void> {
    const end = performance.now() + ms;
    while (!holds(this.told)) {
      if (performance.now() > end) throw new Error(`not so: ${JSON.stringify(this.told)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

export const create = (row: number): CommandOp => ({
  op: 'create',
  body: {
    session: 's',
    guild: '1',
    user: '2',
    row,
    sender: 0,
    volume: 100,
    filters: {},
    paused: false,
    voice: null,
    seq: 0,
  },
});

/** An `update`, whose volume may be a Deed of echo-shard-entry.ts. */
export const update = (volume: number): CommandOp => ({ op: 'update', body: { volume } });

/** Names of the shards' threads in this process, as the kernel shows them. */
export async function shardThreads(): Promise<string[]> {
  return [...(await shardTasks()).values()].sort();
}

/** The same by the kernel's number: a thread that takes over has the name of the one before, and another number. */
export async function shardTasks(): Promise<Map<string, string>> {
  const tasks = new Map<string, string>();
  if (process.platform !== 'linux') return tasks;
  for (const tid of await readdir('/proc/self/task')) {
    const name = (await readFile(`/proc/self/task/${tid}/comm`, 'utf8').catch(() => '')).trim();
    if (/^pumice-s\d+$/.test(name)) tasks.set(tid, name);
  }
  return tasks;
}
