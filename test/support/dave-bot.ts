// A bot in a call of the delivery service with nothing on the wire: the product's DAVE session, its queue turning
// with the event loop, its time moved by hand. Answers the delivery in later turns, as over a network. Used by the
// tests of dave-session.ts.

import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/shared/clock.js';
import { DaveQueue } from '../../src/shard/voice/dave-queue.js';
import { DaveSession, type FrameWay } from '../../src/shard/voice/dave-session.js';
import type { DaveDelivery } from './dave-delivery.js';
import type { DaveMember } from './dave-member.js';
import { ManualClock } from './manual-clock.js';

export interface Sent {
  readonly op: number;
  /** Of JSON messages, else null. */
  readonly d: unknown;
  /** Of binary messages, else null. */
  readonly payload: Buffer | null;
}

export const BOT = '99';

export class DaveBot implements DaveMember {
  readonly userId = BOT;
  readonly time = new ManualClock();
  readonly session: DaveSession;
  readonly queue: DaveQueue;
  readonly sent: Sent[] = [];
  /** Binary messages as they came, newest last. */
  readonly received: { readonly op: number; readonly payload: Buffer }[] = [];
  /** The way of frames whenever it was said to have changed. */
  readonly ways: FrameWay[] = [];
  /** What the delivery refused of us. */
  readonly refused: string[] = [];
  ignored = 0;
  readonly #delivery: DaveDelivery;
  #present = false;

  constructor(delivery: DaveDelivery, holdMs = 3_000) {
    this.#delivery = delivery;
    this.queue = new DaveQueue(turning(this.time));
    this.session = new DaveSession({
      clock: this.time,
      queue: this.queue,
      userId: BOT,
      channelId: delivery.channelId,
      holdMs,
      out: {
        sendBinary: (op, payload) => {
          this.#send(op, null, Buffer.from(payload));
        },
        sendJson: (op, d) => {
          this.#send(op, d, null);
        },
        changed: () => {
          this.ways.push(this.session.frameWay);
        },
        ignored: () => {
          this.ignored++;
        },
      },
    });
  }

  /** Op 4 and op 25, in the other order when `early`. */
  join(early = false): void {
    this.#present = true;
    this.#delivery.enter(this);
    if (early) this.#delivery.begin(BOT);
    this.session.describe(this.#delivery.version);
    if (!early) this.#delivery.begin(BOT);
  }

  leave(): void {
    this.#present = false;
    this.session.close();
    this.#delivery.leave(BOT);
  }

  deliverJson(op: number, d: unknown): void {
    if (op === 11) this.session.usersConnected((d as { user_ids: string[] }).user_ids);
    else if (op === 13) this.session.userLeft((d as { user_id: string }).user_id);
    else if (op === 21 || op === 22 || op === 24) this.session.json(op, d);
  }

  deliverBinary(op: number, payload: Buffer): void {
    this.received.push({ op, payload });
    this.session.binary(op, payload);
  }

  /** What was sent with that op, oldest first. */
  sentWith(op: number): readonly Sent[] {
    return this.sent.filter((message) => message.op === op);
  }

  /** A frame as it would leave now: null when it may not. */
  frame(opus: Buffer): Buffer | null {
    const way = this.session.frameWay;
    if (way === 'plain') return opus;
    const sealed = this.session.encrypt(opus);
    return sealed === null ? null : Buffer.from(sealed);
  }

  #send(op: number, d: unknown, payload: Buffer | null): void {
    this.sent.push({ op, d, payload });
    setImmediate(() => {
      if (!this.#present) return;
      try {
        this.#deliver(op, d as { readonly transition_id: number } | null, payload);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.refused.push(error.message);
      }
    });
  }

  #deliver(op: number, d: { readonly transition_id: number } | null, payload: Buffer | null): void {
    if (op === 26) this.#delivery.keyPackage(BOT, payload!);
    else if (op === 28) this.#delivery.commit(BOT, payload!);
    else if (op === 23) this.#delivery.ready(BOT, d!.transition_id);
    else if (op === 31) this.#delivery.invalid(BOT, d!.transition_id);
    else throw new Error(`the bot sent op ${op}`);
  }
}

/** An Opus frame that is not like any other. */
export function opusFrame(): Buffer {
  return Buffer.concat([Buffer.from([0xfc]), randomBytes(60)]);
}

/** Turns the event loop until it holds; rejects by name after `ms` of real time. */
export async function until(what: string, holds: () => boolean, ms = 10_000): Promise<void> {
  const signal = AbortSignal.timeout(ms);
  while (!holds()) {
    if (signal.aborted) throw new Error(`it has not come about that ${what}`);
    await nextTurn();
  }
}

/** The clock whose turns are the event loop's and whose time stands still. */
function turning(time: ManualClock): Clock {
  return {
    now: () => time.now(),
    wall: () => time.wall(),
    after: (ms, action) => time.after(ms, action),
    soon: (action) => {
      setImmediate(action);
    },
  };
}
