// A shard without players: answers commands with what it was sent, and misbehaves on command. For tests of the
// dispatch, which must not care what a shard does.
import { spawnSync } from 'node:child_process';
import { threadId } from 'node:worker_threads';
import { Channel } from '../../src/shared/channel.js';
import { systemClock } from '../../src/shared/clock.js';
import { PlayerWord, ShardWord } from '../../src/shared/counter-words.js';
import { ShardCounters } from '../../src/shared/counters.js';
import { PlayerTable, ROWS_PER_TABLE } from '../../src/shared/player-table.js';
import type { PlayerCommand } from '../../src/shared/shard-commands.js';
import type { SenderLink, ShardTask } from '../../src/shared/shard-task.js';
import { nameThread } from '../../src/shared/thread-name.js';

/** What the volume of an `update` makes this shard do. */
export const Deed = {
  throw: 901,
  exit: 902,
  /** Answers, and does not hear of a drain. */
  hang: 903,
  staleEvent: 904,
  slow: 905,
  /** The task's promise rejects, while its timers and its port live on. */
  reject: 906,
  /** The heap runs full. */
  fill: 907,
  /** The task ends though nobody asked it to. */
  end: 908,
  /** Nothing of the thread runs any more but this. */
  spin: 909,
  /** The same in native code, where no thread can be ended from outside; for fifteen seconds. */
  block: 910,
} as const;

const UNANSWERED: ReadonlySet<number> = new Set([Deed.throw, Deed.slow, Deed.reject, Deed.end]);

/** The environment variable that, when it is 1, makes a new thread fail before it can take its task. */
export const STILLBORN = 'PUMICE_TEST_STILLBORN';

if (process.env[STILLBORN] === '1') throw new Error('a shard that cannot be loaded');

// eslint-disable-next-line no-restricted-exports -- a worker entry: piscina runs its default export
export default function echoShard(task: ShardTask): Promise<void> {
  nameThread(`pumice-s${String(task.index)}`);
  const counters = new ShardCounters(task.counters);
  const pulse = setInterval(() => counters.add(ShardWord.pulse, 1), 200);
  const tables = task.tables.map((buffer) => new PlayerTable(buffer));
  const senders: string[] = [];
  let deaf = false;
  const life = new Promise<void>((drained, failed) => {
    const channel = new Channel(
      task.port,
      {
        request: (body) => answer(body as PlayerCommand),
        notice: () => {
          if (!deaf) drained();
        },
        shared: (thing) => {
          if (thing instanceof SharedArrayBuffer) tables.push(new PlayerTable(thing));
          else senders.push(linkText(thing as SenderLink));
        },
        broken: () => {
          drained();
        },
      },
      { clock: systemClock, maxInFlight: 1_024, perTurn: 31 },
    );
    channel.notify({ kind: 'ready', threadId });

    function answer(command: PlayerCommand): unknown {
      const { op, player, epoch, rev } = command;
      if (op === 'create') {
        const { row } = command.body;
        tables[Math.floor(row / ROWS_PER_TABLE)]?.set(row % ROWS_PER_TABLE, PlayerWord.sent, epoch);
      }
      if (op === 'update') {
        const { volume } = command.body;
        if (volume === Deed.throw) setImmediate(() => fail());
        if (volume === Deed.exit) process.exit(5);
        if (volume === Deed.hang) deaf = true;
        if (volume === Deed.reject) {
          setInterval(() => undefined, 1_000);
          failed(new Error('a shard whose task rejects'));
        }
        if (volume === Deed.end) drained();
        if (volume === Deed.fill)
          for (const kept: number[][] = []; ;) kept.push(new Array<number>(100_000).fill(1));
        if (volume === Deed.spin) for (;;) Math.random();
        if (volume === Deed.block) spawnSync('sleep', ['15']);
        if (UNANSWERED.has(volume ?? 0)) return new Promise(() => undefined);
        const told = volume === Deed.staleEvent ? epoch - 1 : epoch;
        channel.notify({
          kind: 'event',
          event: { v: 1, player, session: 's', epoch: told, seq: rev, body: { type: 'voiceReady' } },
        });
      }
      return { rev, senders: [...senders] };
    }
  });
  return life.finally(() => clearInterval(pulse));
}

/** What a link brought, as an answer can tell it. */
function linkText({ sender, slab }: SenderLink): string {
  return `${slab === null ? 'moved' : 'new'} ${String(sender)}`;
}

function fail(): never {
  throw new Error('a shard that throws');
}
