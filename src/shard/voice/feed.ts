// The fill loop of a shard: from a heap keyed by the moment at which a player's queue runs empty, it makes
// one frame at a time, so that after a stall nobody starves while another is filled to the brim. No await
// inside; after 4 ms it lets input and output have a turn. A player that has nothing to give leaves the
// heap until somebody calls `want` for it again.
import type { Clock, Timer } from '../../shared/clock.js';

/** A player, as the loop sees it. */
export interface Fed {
  /** Clock time at which its queue has run out. */
  runsOutAt(): number;
  /** Clock time at which its queue takes another frame; now or earlier when it does already, Infinity when
   * nothing can be sent for now: then it leaves the heap. */
  refillAt(): number;
  /** Puts one frame into the queue; false when there is none to be had for now. Never throws. */
  feedOne(): boolean;
}

/** Milliseconds of frame making before the event loop gets a turn. */
const SLICE_MS = 4;
/** A key may be this much older than the truth, in milliseconds, before the order is put right. */
const STALE_MS = 1;
/** Wakes are at least this far apart; queues hold at least 40 ms. */
const SHORTEST_WAIT_MS = 2;

export class Feed {
  readonly #clock: Clock;
  readonly #onBusy: (ms: number) => void;
  readonly #heap: Fed[] = [];
  readonly #keys: number[] = [];
  readonly #inHeap = new Set<Fed>();
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #runs = false;
  // Made once, for one of them is handed to the clock for every few frames.
  readonly #onTurn = (): void => {
    this.#runs = false;
    this.#run();
  };
  readonly #onTimer = (): void => {
    this.#timer = null;
    this.#timerAt = Infinity;
    this.#run();
  };

  /** `onBusy` is told the milliseconds that each slice took. */
  constructor(clock: Clock, onBusy: (ms: number) => void) {
    this.#clock = clock;
    this.#onBusy = onBusy;
  }

  /** The player may have frames to give, and room for them. Cheap; may be called at any time. */
  want(fed: Fed): void {
    const refillAt = fed.refillAt();
    if (refillAt === Infinity) return;
    if (!this.#inHeap.has(fed)) {
      this.#inHeap.add(fed);
      this.#push(fed, fed.runsOutAt());
    }
    const now = this.#clock.now();
    if (refillAt > now) this.#wakeAt(refillAt, now);
    else this.#runSoon();
  }

  /** Forgets a player. */
  drop(fed: Fed): void {
    if (!this.#inHeap.delete(fed)) return;
    const at = this.#heap.indexOf(fed);
    if (at >= 0) this.#removeAt(at);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#heap.length = 0;
    this.#keys.length = 0;
    this.#inHeap.clear();
  }

  #run(): void {
    const began = this.#clock.now();
    let now = began;
    for (;;) {
      const top = this.#heap[0];
      if (!top) break;
      const refillAt = top.refillAt();
      if (refillAt === Infinity) {
        this.drop(top);
      } else if (refillAt > now) {
        // A connection may hold its frames back: whoever waits behind it must not wait for it.
        const runsOutAt = top.runsOutAt();
        if (runsOutAt - this.#key(0) < STALE_MS) {
          this.#wakeAt(refillAt, now);
          break;
        }
        this.#rekey(runsOutAt);
      } else if (top.feedOne()) {
        this.#rekey(top.runsOutAt());
      } else {
        // feedOne may have changed the heap (a player that ended drops itself).
        this.drop(top);
      }
      now = this.#clock.now();
      if (now - began >= SLICE_MS) {
        this.#runSoon();
        break;
      }
    }
    this.#onBusy(now - began);
  }

  #runSoon(): void {
    if (this.#runs) return;
    this.#runs = true;
    this.#clock.soon(this.#onTurn);
  }

  #wakeAt(at: number, now: number): void {
    if (this.#timer && this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.after(Math.max(SHORTEST_WAIT_MS, at - now), this.#onTimer);
  }

  /** The first in the heap runs out at another time. */
  #rekey(key: number): void {
    this.#keys[0] = key;
    this.#sink(0);
  }

  #push(fed: Fed, key: number): void {
    this.#heap.push(fed);
    this.#keys.push(key);
    this.#rise(this.#heap.length - 1);
  }

  #removeAt(at: number): void {
    const last = this.#heap.length - 1;
    if (at !== last) this.#swap(at, last);
    this.#heap.pop();
    this.#keys.pop();
    if (at < this.#heap.length) {
      this.#rise(at);
      this.#sink(at);
    }
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (this.#key(parent) <= this.#key(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (this.#key(left) < this.#key(least)) least = left;
      if (this.#key(right) < this.#key(least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #key(at: number): number {
    return this.#keys[at] ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const fedA = this.#heap[a];
    const fedB = this.#heap[b];
    if (!fedA || !fedB) return;
    this.#heap[a] = fedB;
    this.#heap[b] = fedA;
    const key = this.#key(a);
    this.#keys[a] = this.#key(b);
    this.#keys[b] = key;
  }
}
