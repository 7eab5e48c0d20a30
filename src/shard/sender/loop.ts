// The sender's loop: every millisecond of the 20 ms grid has its rings, and each ring's packet leaves in its
// millisecond. Runs in a sender thread, or in the shard where there is none. Deadlines are absolute, so nothing
// drifts. It has no timer of its own (runner.ts has), never seals, and allocates nothing per packet.

import type { Clock } from '../../shared/clock.js';
import { DRIVER, count } from '../../shared/driver-words.js';
import { FRAME_MS } from '../../shared/frame.js';
import type { SlabLayout } from '../../shared/send-ring.js';
import { AttachedSlab, type LaneKeeper } from './attached-slab.js';
import { Discovery } from './discovery.js';
import { KeepaliveWheel } from './keepalive-wheel.js';
import type { Lane } from './lane.js';
import type { SenderListener } from './messages.js';
import type { Udp } from './udp.js';

/** How soon to look again whether a full socket has room, in milliseconds. */
const FULL_MS = 1;

export interface SenderLoopOptions {
  readonly clock: Clock;
  readonly udp: Udp;
  /** DRIVER_WORDS words, named by DRIVER, that only this sender writes. */
  readonly counters: Float64Array;
}

export class SenderLoop implements LaneKeeper {
  readonly clock: Clock;
  readonly udp: Udp;
  readonly counters: Float64Array;
  readonly #origin: number;
  /** The running lanes of each millisecond of the grid. */
  readonly #slots: Lane[][] = Array.from({ length: FRAME_MS }, () => []);
  /** The last tick that was served. */
  #cursor = -1;
  /** The lane whose packet the socket has queued: until that has left, nothing else leaves. */
  #held: Lane | null = null;
  readonly #keepalives: KeepaliveWheel;
  readonly #discovery: Discovery;
  #quiet: Lane[] = [];
  #later: (() => void)[] = [];
  #wake: () => void = () => undefined;

  constructor({ clock, udp, counters }: SenderLoopOptions) {
    this.clock = clock;
    this.udp = udp;
    this.counters = counters;
    // Whole, so that ticks and times compare exactly.
    this.#origin = Math.floor(clock.now());
    this.#keepalives = new KeepaliveWheel(udp);
    this.#discovery = new Discovery(udp);
    udp.listen({
      message: (bytes, address, port) => this.#discovery.take(bytes, address, port),
      failed: () => count(counters, DRIVER.failed),
    });
  }

  /** `wake` is called when there may be something to do before the time that `run` has said. */
  onWork(wake: () => void): void {
    this.#wake = wake;
  }

  /** Takes over the rings of one shard, which speaks to the answer. Once for each life of a shard. */
  attach(slab: SlabLayout, listener: SenderListener): AttachedSlab {
    return new AttachedSlab(slab, listener, this);
  }

  /**
   * Sends all that is due, and tells the shards what there is to tell. `nowMs` is the clock's time. Returns the
   * milliseconds until there is something to do again; Infinity for never.
   */
  run(nowMs: number): number {
    const full = !this.#send(Math.floor(nowMs - this.#origin));
    this.#tell();
    if (full) return FULL_MS;
    const due = Math.min(this.#nextSlot(), this.#keepalives.due, this.#discovery.due);
    return Math.max(0, this.timeOf(due) - this.clock.now());
  }

  close(): void {
    this.#wake = () => undefined;
    this.udp.close();
  }

  timeOf(tick: number): number {
    return this.#origin + tick;
  }

  discover(...[lane, address, port, ssrc, answered]: Parameters<LaneKeeper['discover']>): void {
    this.#discovery.add(lane, address, port, ssrc, this.#nextTick(), answered);
    this.#wake();
  }

  opened(lane: Lane): void {
    this.#keepalives.add(lane, this.#nextTick());
    this.#wake();
  }

  /** In the millisecond that has the fewest lanes, the nearest of them; soon after a pause, in that of before. */
  start(lane: Lane): void {
    if (lane.reader.empty) {
      // Taken back since, or sent by a sender that died before it could say so.
      this.quiet(lane);
      return;
    }
    let tick = lane.due;
    const first = this.#nextTick();
    if (tick < first) {
      tick = first;
      for (let other = first + 1; other < first + FRAME_MS; other++) {
        if (this.#slot(other).length < this.#slot(tick).length) tick = other;
      }
    }
    lane.run(tick % FRAME_MS, tick);
    this.#slot(lane.slot).push(lane);
    this.#wake();
  }

  rested(lane: Lane): void {
    const lanes = this.#slot(lane.slot);
    const index = lanes.indexOf(lane);
    if (index >= 0) lanes.splice(index, 1);
  }

  quiet(lane: Lane): void {
    this.#quiet.push(lane);
    this.#wake();
  }

  later(tell: () => void): void {
    this.#later.push(tell);
    this.#wake();
  }

  forget(lane: Lane): void {
    lane.park();
    this.#discovery.cancel(lane);
    if (lane.port !== 0) this.#keepalives.remove(lane);
  }

  /** False when the socket is full and the rest has to wait. */
  #send(nowTick: number): boolean {
    // What the socket has queued it reads from the ring (or from our own packet) only when it sends it.
    if (this.udp.queued > 0) return false;
    const held = this.#held;
    if (held !== null) {
      this.#held = null;
      held.resume();
      if (held.held) return this.#hold(held);
    }
    // After a stall of more than one round each slot is served once; the lanes catch up by themselves.
    for (let tick = Math.max(this.#cursor + 1, nowTick - FRAME_MS + 1); tick <= nowTick; tick++) {
      const lanes = this.#slot(tick);
      for (let index = 0; index < lanes.length;) {
        const lane = lanes[index];
        if (lane === undefined) break;
        if (lane.due <= nowTick) {
          lane.serve();
          // The slot is served again from its beginning: who has sent is due no more.
          if (lane.held) return this.#hold(lane);
        }
        // Who has come to an end is out of the list.
        if (lanes[index] === lane) index++;
      }
      this.#cursor = tick;
    }
    return this.#discovery.run(nowTick) && this.#keepalives.run(nowTick);
  }

  #hold(lane: Lane): false {
    this.#held = lane;
    return false;
  }

  #tell(): void {
    if (this.#quiet.length > 0) {
      const lanes = this.#quiet;
      this.#quiet = [];
      for (const lane of lanes) lane.owner.quiet(lane);
    }
    if (this.#later.length > 0) {
      const tells = this.#later;
      this.#later = [];
      for (const tell of tells) tell();
    }
  }

  /** The first tick that has not been served and is not past. */
  #nextTick(): number {
    return Math.max(this.#cursor + 1, Math.ceil(this.clock.now() - this.#origin));
  }

  /** Tick of the next slot with a running lane; Infinity when all lanes rest. */
  #nextSlot(): number {
    const first = Math.max(this.#cursor + 1, Math.floor(this.clock.now() - this.#origin));
    for (let tick = first; tick < first + FRAME_MS; tick++) {
      if (this.#slot(tick).length > 0) return tick;
    }
    return Infinity;
  }

  #slot(tick: number): Lane[] {
    return this.#slots[tick % FRAME_MS] ?? [];
  }
}
