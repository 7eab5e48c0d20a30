// One shard's rings in a sender: turns what the shard says about them into lanes of the loop. Made by the
// loop, called by the shard itself or for its messages (serve-port.ts), never while the loop runs.

import { RingReader, type SlabLayout } from '../../shared/send-ring.js';
import { SentRow, type RowPlace } from '../../shared/sent-row.js';
import { Lane, type LaneGrid, type LaneOwner } from './lane.js';
import type { SenderControl, SenderListener } from './messages.js';

/** What a slab needs of the loop. */
export interface LaneKeeper extends LaneGrid {
  /** `answered` is called once with our own address and port, unless the lane is forgotten first. */
  discover(
    lane: Lane,
    address: string,
    port: number,
    ssrc: number,
    answered: (address: string, port: number) => void,
  ): void;
  /** The lane's place is known from now on. */
  opened(lane: Lane): void;
  start(lane: Lane): void;
  /** Takes the lane out of everything; told to nobody. */
  forget(lane: Lane): void;
  /** Runs `tell` when this turn is over. */
  later(tell: () => void): void;
}

export class AttachedSlab implements SenderControl, LaneOwner {
  /** To the shard itself; for one in another thread its SenderPort speaks. */
  readonly outlivesShard = false;
  readonly #listener: SenderListener;
  readonly #slab: SlabLayout;
  readonly #keeper: LaneKeeper;
  readonly #lanes = new Map<number, Lane>();
  #detached = false;

  constructor(slab: SlabLayout, listener: SenderListener, keeper: LaneKeeper) {
    this.#slab = slab;
    this.#listener = listener;
    this.#keeper = keeper;
  }

  discover(ring: number, address: string, port: number, ssrc: number): void {
    const lane = this.#lane(ring);
    if (lane === null) return;
    this.#keeper.discover(lane, address, port, ssrc, (ours, ourPort) => {
      this.#listener.discovered(ring, ours, ourPort);
    });
  }

  open(ring: number, address: string, port: number, row: RowPlace | null): void {
    const lane = this.#lane(ring);
    // Nothing can be sent to port 0, and here it stands for a place that is not known.
    if (lane === null || port === 0) return;
    const known = lane.port !== 0;
    lane.address = address;
    lane.port = port;
    lane.row = row === null ? null : new SentRow(row);
    if (!known) this.#keeper.opened(lane);
    if (lane.waiting) this.start(ring);
  }

  start(ring: number): void {
    const lane = this.#lane(ring);
    if (lane === null || lane.running) return;
    lane.waiting = lane.port === 0;
    if (!lane.waiting) this.#keeper.start(lane);
  }

  close(ring: number): void {
    const lane = this.#lane(ring);
    if (lane === null) return;
    lane.leaving = true;
    this.drained(lane);
  }

  /** The shard is gone: what it has sealed is sent, then its rings are forgotten. Nothing is told any more. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    for (const lane of [...this.#lanes.values()]) {
      lane.leaving = true;
      if (!lane.running || lane.reader.empty) this.drained(lane);
    }
  }

  quiet(lane: Lane): void {
    if (!this.#detached) this.#listener.quiet(lane.reader.index);
  }

  drained(lane: Lane): void {
    // A packet that the socket still reads is waited for.
    if (lane.held) return;
    const { reader } = lane;
    // Where a sender before this one has answered already, the ring is closing no more.
    if (!reader.closed() && reader.closing()) return;
    this.#keeper.forget(lane);
    this.#lanes.delete(reader.index);
    this.#keeper.later(() => {
      if (!this.#detached) this.#listener.closed(reader.index);
    });
  }

  /** Null for what is not a ring of this slab, and after the shard's end. */
  #lane(ring: number): Lane | null {
    const known = this.#lanes.get(ring);
    if (known !== undefined) return known;
    if (this.#detached || !Number.isInteger(ring) || ring < 0 || ring >= this.#slab.rings) return null;
    const reader = new RingReader(this.#slab, ring);
    // A sender before this one may have died with a packet in its hands: it is not sent, for it may be out.
    reader.recover();
    const lane = new Lane(reader, this, this.#keeper);
    this.#lanes.set(ring, lane);
    return lane;
  }
}
