// Main's end of one shard: the channel to its present thread, its counters and player rows over all its
// lives, and its load, measured from the counters. Started and replaced by shard-fleet.ts.
import { MessageChannel } from 'node:worker_threads';
import { Channel } from '../../shared/channel.js';
import type { Clock } from '../../shared/clock.js';
import type { ShardConfig } from '../../shared/config.js';
import { PlayerWord, ShardWord } from '../../shared/counter-words.js';
import { ShardCounters } from '../../shared/counters.js';
import { PlayerTable, ROWS_PER_TABLE } from '../../shared/player-table.js';
import { DRIVER } from '../../shared/driver-words.js';
import { ServerError } from '../../shared/errors.js';
import { DISPATCH } from '../../shared/limits.js';
import type { PlayerCommand } from '../../shared/shard-commands.js';
import type { ShardNotice } from '../../shared/shard-events.js';
import type { SenderLink, ShardTask } from '../../shared/shard-task.js';
import type { ShardReport } from './fleet.js';
import type { Pool } from './pool.js';

export interface ShardHandleOptions {
  readonly index: number;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly config: ShardConfig;
  readonly ca: string | null;
  /** Priority of the thread; main's own by default. */
  readonly nice?: number | undefined;
  readonly maxInFlight: number;
  readonly notice: (notice: ShardNotice) => void;
  /** Connects its next life to the senders; null where it sends by itself. */
  readonly senders: ShardSenders | null;
  /** Its thread did not end when it was told to: it hangs in native code, which nothing can end. */
  readonly stuck: () => void;
}

/** The senders, as a life of a shard meets them. */
export interface ShardSenders {
  /** `hand` gets a link to each sender, at once and later on. Returns what to call when the life is over. */
  join(hand: (link: SenderLink) => void): () => void;
}

/** Milliseconds: what a dead thread has said is here long before. */
const LAST_WORDS = 1_000;

/** Weight of a new reading of the load. */
const SMOOTHING = 0.3;

export class ShardHandle {
  readonly index: number;
  restarts = 0;
  readonly #options: ShardHandleOptions;
  readonly #counters = new ShardCounters();
  readonly #tables: PlayerTable[] = [];
  readonly #freeRows: number[] = [];
  #channel: Channel | null = null;
  #threadId = 0;
  #up = false;
  #busy = 0;
  #busyMsSeen = 0;
  #sampledAt: number;
  /** Players placed since the last sample: their cost is not in `busy` yet. */
  #fresh = 0;

  constructor(options: ShardHandleOptions) {
    this.index = options.index;
    this.#options = options;
    this.#sampledAt = options.clock.now();
    this.#addTable();
  }

  get up(): boolean {
    return this.#up;
  }

  /** What the watchdog looks at; null while no thread answers. */
  get pulse(): number | null {
    return this.#up ? this.#counters.get(ShardWord.pulse) : null;
  }

  get inFlight(): number {
    return this.#channel?.inFlight ?? 0;
  }

  /**
   * Runs the shard's one task. `ready` is called when it answers; the promise resolves when the shard ended
   * by itself (drain) and rejects when it died or did not answer in time. Either way its thread is gone
   * afterwards, and everything that it said has been heard.
   */
  async live(ready: () => void): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const silence = new AbortController();
    // A thread that hangs at its start, or dies before it has taken the task, would be waited for for ever.
    const deadline = this.#options.clock.after(DISPATCH.startDeadline, () => {
      silence.abort();
    });
    let lastWord: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => {
      lastWord = resolve;
    });
    const channel = new Channel(
      port1,
      {
        request: () => null,
        notice: (body) => {
          const notice = body as ShardNotice;
          if (notice.kind === 'ready') {
            deadline.cancel();
            this.#threadId = notice.threadId;
            this.#up = true;
            ready();
          }
          this.#options.notice(notice);
        },
        // The task's promise tells of the thread's end; its port closes behind its last message.
        broken: lastWord,
      },
      { clock: this.#options.clock, maxInFlight: this.#options.maxInFlight, perTurn: Infinity },
    );
    this.#channel = channel;
    const leave = this.#options.senders?.join((link) => {
      channel.share(link, [link.port]);
    });
    const task: ShardTask = {
      index: this.index,
      port: port2,
      counters: this.#counters.buffer,
      tables: this.#tables.map((table) => table.buffer),
      config: this.#options.config,
      ca: this.#options.ca,
      hasSenders: leave !== undefined,
      nice: this.#options.nice ?? null,
    };
    try {
      await this.#options.pool.run(task, [port2], silence.signal);
    } catch (thrown) {
      if (!silence.signal.aborted) throw thrown;
      throw new Error(`no answer within ${String(DISPATCH.startDeadline)} ms`, { cause: thrown });
    } finally {
      deadline.cancel();
      this.#up = false;
      this.#channel = null;
      if (this.#threadId > 0) {
        // A rejected task leaves its thread, timers and sockets alive: end it for certain.
        await this.terminate();
        const tooLong = this.#options.clock.after(LAST_WORDS, lastWord);
        await heard;
        tooLong.cancel();
      }
      channel.close();
      leave?.();
      this.#threadId = 0;
      for (const word of GAUGES) this.#counters.set(word, 0);
    }
  }

  /** Ends its thread, if there is one; resolves when it is gone. */
  async terminate(): Promise<void> {
    const { clock, pool, stuck } = this.#options;
    const deadline = clock.after(DISPATCH.terminateDeadline, stuck);
    await pool.terminate(this.#threadId);
    deadline.cancel();
  }

  /** Rejects with the shard's ServerError, PUM_COMMAND_DEADLINE, PUM_SHARD_BUSY or PUM_SHARD_GONE. */
  command(command: PlayerCommand): Promise<unknown> {
    if (!this.#channel || !this.#up) return Promise.reject(new ServerError('PUM_SHARD_GONE'));
    return this.#channel.request(command, command.ttlMs);
  }

  /** Asks the shard to end by itself. */
  drain(): void {
    this.#channel?.notify({ op: 'drain' });
  }

  // ---- Rows ----

  takeRow(epoch: number): number {
    if (this.#freeRows.length === 0) this.#addTable();
    // The one that has been free for longest: a sender may just be writing the last word of a dead placement.
    const row = this.#freeRows.shift() ?? 0;
    const table = this.#tableOf(row);
    table.reset(row % ROWS_PER_TABLE);
    table.set(row % ROWS_PER_TABLE, PlayerWord.epoch, epoch);
    table.set(row % ROWS_PER_TABLE, PlayerWord.pingMs, -1);
    this.#fresh++;
    return row;
  }

  freeRow(row: number): void {
    this.#tableOf(row).reset(row % ROWS_PER_TABLE);
    this.#freeRows.push(row);
  }

  table(row: number): PlayerTable {
    return this.#tableOf(row);
  }

  // ---- Load ----

  /** Takes a reading of the load; called about once a second. */
  sample(): void {
    const now = this.#options.clock.now();
    const elapsed = now - this.#sampledAt;
    if (elapsed < 100) return;
    const busyMs = this.#counters.get(ShardWord.busyMs);
    const share = Math.min(1, (busyMs - this.#busyMsSeen) / elapsed);
    this.#busy += SMOOTHING * (share - this.#busy);
    this.#busyMsSeen = busyMs;
    this.#sampledAt = now;
    this.#fresh = 0;
  }

  /** Share of a core this shard is expected to need: measured, and `perPlayer` for each that is new. */
  cost(perPlayer: number): number {
    return this.#busy + (this.#fresh + this.inFlight * 0.1) * perPlayer;
  }

  get players(): number {
    return this.#counters.get(ShardWord.players) + this.#fresh;
  }

  get busy(): number {
    return this.#busy;
  }

  report(): ShardReport {
    const c = this.#counters;
    return {
      shard: this.index,
      up: this.#up,
      restarts: this.restarts,
      inFlight: this.inFlight,
      busy: this.#busy,
      players: c.get(ShardWord.players),
      playing: c.get(ShardWord.playing),
      voiceConnections: c.get(ShardWord.voiceConnections),
      sent: {
        passthrough: c.get(ShardWord.sentPassthrough),
        encoded: c.get(ShardWord.sentEncoded),
        silence: c.get(ShardWord.sentSilence) + c.silenceSent,
      },
      missed: c.get(ShardWord.missed) + (c.driver[DRIVER.withheld] ?? 0),
      starved: c.get(ShardWord.starved),
      heapUsed: c.get(ShardWord.heapUsed),
      external: c.get(ShardWord.external),
      lateness: c.lateness(),
      maxLatenessMs: c.maxLatenessMs,
    };
  }

  #tableOf(row: number): PlayerTable {
    const table = this.#tables[Math.floor(row / ROWS_PER_TABLE)];
    if (!table) throw new ServerError('PUM_HTTP_INTERNAL', { reason: 'no such player row' });
    return table;
  }

  #addTable(): void {
    const first = this.#tables.length * ROWS_PER_TABLE;
    const table = new PlayerTable();
    this.#tables.push(table);
    for (let row = first; row < first + ROWS_PER_TABLE; row++) this.#freeRows.push(row);
    this.#channel?.share(table.buffer);
  }
}

/** Words that describe the living thread; a dead one has none of it. */
const GAUGES = [
  ShardWord.players,
  ShardWord.playing,
  ShardWord.voiceConnections,
  ShardWord.upstreamConnections,
  ShardWord.heapUsed,
  ShardWord.external,
] as const;
