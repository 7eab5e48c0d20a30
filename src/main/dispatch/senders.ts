// The sender threads (architecture §2): starts them, more of them as players come, says which one sends for a new
// player, links every life of a shard to all of them, and replaces one that died or hangs, with the rings handed
// over. Main thread only.
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.js';
import { DISPATCH } from '../../shared/limits.js';
import { slabFor } from '../../shared/ring-plan.js';
import type { SenderLink } from '../../shared/shard-task.js';
import type { Log } from '../log.js';
import type { SenderReport } from './fleet.js';
import { Restarts } from './restarts.js';
import { SenderHandle, type SenderClient } from './sender-handle.js';
import type { ShardSenders } from './shard-handle.js';
import { Watchdog } from './watchdog.js';

export interface SendersOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Threads to start; 0: the shards send by themselves. */
  readonly count: number;
  /** As players come, more are started up to this many (architecture §2). */
  readonly most: number;
  /** `bufferDurationMs`. */
  readonly leadMs: number;
  /** Priority of the threads; main's own by default. */
  readonly nice?: number | undefined;
  /** Too many of them have died, or one cannot be ended: the process should end with 70. */
  readonly giveUp: () => void;
  /** Another worker entry, for tests that need a sender to misbehave. */
  readonly entry?: URL;
}

/** One life of a shard, and how its rings are taken back from the senders. */
interface Member {
  readonly hand: (link: SenderLink) => void;
  readonly ends: (() => void)[];
}

export class Senders implements ShardSenders {
  readonly #options: SendersOptions;
  readonly #senders: SenderHandle[] = [];
  readonly #members = new Set<Member>();
  readonly #restarts = new Restarts();
  readonly #watchdog: Watchdog<SenderHandle>;
  #players = 0;
  #closing = false;

  constructor(options: SendersOptions) {
    this.#options = options;
    this.#watchdog = new Watchdog<SenderHandle>(options.clock, [], (sender) => {
      this.#wedged(sender);
    });
    for (let n = 0; n < options.count; n++) this.#add();
  }

  /** The shards send by themselves. */
  get none(): boolean {
    return this.#senders.length === 0;
  }

  /** The sender of a new player: the one with the fewest. Another one is started when all have their fill. */
  place(): number {
    const { length } = this.#senders;
    if (length === 0) return 0;
    this.#players++;
    if (length < this.#options.most && this.#players > length * DISPATCH.playersPerSender) this.#add();
    const sender = this.#senders.reduce((least, other) => (other.players < least.players ? other : least));
    sender.players++;
    return sender.index;
  }

  /** A player of that sender is gone. */
  free(sender: number): void {
    const handle = this.#senders[sender];
    if (!handle) return;
    handle.players--;
    this.#players--;
  }

  join(hand: (link: SenderLink) => void): () => void {
    const member: Member = { hand, ends: [] };
    this.#members.add(member);
    for (const sender of this.#senders) this.#link(member, sender);
    return () => {
      this.#members.delete(member);
      for (const end of member.ends) end();
    };
  }

  /** What each has counted, over all its lives. */
  reports(): readonly SenderReport[] {
    return this.#senders.map((sender) => sender.report());
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#watchdog.stop();
    await Promise.all(this.#senders.map((sender) => sender.close()));
  }

  /** None is ended before the process does: an idle one costs next to nothing. */
  #add(): void {
    const { clock, entry = new URL('../../shard/sender/entry.js', import.meta.url) } = this.#options;
    const sender: SenderHandle = new SenderHandle({
      index: this.#senders.length,
      entry,
      clock,
      nice: this.#options.nice,
      died: (reason) => {
        this.#died(sender, reason);
      },
      stuck: () => {
        this.#stuck(sender);
      },
    });
    this.#senders.push(sender);
    this.#watchdog.add(sender);
    sender.start();
    for (const member of this.#members) this.#link(member, sender);
  }

  /** One slab of rings for each shard at each sender. */
  #link(member: Member, sender: SenderHandle): void {
    const slab = slabFor(this.#options.leadMs);
    const client: SenderClient = {
      slab,
      moved: (port: MessagePort) => {
        member.hand({ sender: sender.index, port, slab: null });
      },
    };
    member.hand({ sender: sender.index, port: sender.attach(client), slab });
    member.ends.push(() => {
      sender.detach(client);
    });
  }

  #died(sender: SenderHandle, reason: string): void {
    const { clock, log, giveUp } = this.#options;
    if (this.#closing) return;
    log.error(`sender ${String(sender.index)} died`, { sender: sender.index, reason });
    const wait = this.#restarts.next(clock.now());
    if (wait === null) {
      log.error('too many senders have died, giving up', { restarts: DISPATCH.maxRestarts });
      giveUp();
      return;
    }
    clock.after(wait, () => {
      if (!this.#closing) sender.start();
    });
  }

  /** It is alive and does nothing any more (reliability.md case 9, decision C11). */
  #wedged(sender: SenderHandle): void {
    const { log } = this.#options;
    const fields = { sender: sender.index, ms: DISPATCH.wedgedAfter };
    log.error(`sender ${String(sender.index)} does not answer`, fields);
    void sender.terminate();
  }

  #stuck({ index }: SenderHandle): void {
    const { log, giveUp } = this.#options;
    if (this.#closing) return;
    const text = `sender ${String(index)} hangs in native code and cannot be ended, giving up`;
    log.error(text, { sender: index });
    giveUp();
  }
}
