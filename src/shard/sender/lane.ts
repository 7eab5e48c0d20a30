// One send ring's place on the sender's grid: where its packets go, when the next is due, and what happens
// then (a packet, a miss, the end). Made by attached-slab.ts, served by the loop in the ring's millisecond of
// every 20. It takes packets as they are sealed and allocates nothing per packet.

import type { Clock } from '../../shared/clock.js';
import { DRIVER, bucketOf, count } from '../../shared/driver-words.js';
import { FRAME_MS } from '../../shared/frame.js';
import { PLAYBACK } from '../../shared/limits.js';
import { Mark, type RingReader } from '../../shared/send-ring.js';
import type { SentRow } from '../../shared/sent-row.js';
import type { Udp } from './udp.js';

/** The nearest that the next packet may come after a burst, so that the burst does not grow by one. */
const AFTER_BURST_MS = FRAME_MS / 2;

/** A ring that has brought nothing for so long is not looked at again before the next start. Milliseconds. */
const EMPTY_MS = 60_000;

/** FrameMode.silence, as the lowest byte of a packet's mark. */
const SILENCE_KIND = 2;

/** What a lane needs of the loop. Ticks are whole milliseconds since the grid's origin. */
export interface LaneGrid {
  readonly clock: Clock;
  readonly udp: Udp;
  /** The words named by DRIVER. */
  readonly counters: Float64Array;
  timeOf(tick: number): number;
  /** The lane is running no more. */
  rested(lane: Lane): void;
  /** To be told to the lane's shard when this turn is over. */
  quiet(lane: Lane): void;
}

/** Whose lane it is. */
export interface LaneOwner {
  /** Tells the shard that the lane has sent its END. */
  quiet(lane: Lane): void;
  /** The lane is leaving and nothing is left in its ring. */
  drained(lane: Lane): void;
}

export class Lane {
  readonly reader: RingReader;
  readonly owner: LaneOwner;
  /** Where packets go; port 0 until that is known. */
  address = '';
  port = 0;
  /** Hears of what leaves, but for silence; null for a ring without a player's row. */
  row: SentRow | null = null;
  /** The millisecond of every 20 in which this lane sends while it runs. */
  slot = 0;
  running = false;
  /** Started before it was known where its packets go. */
  waiting = false;
  /** Runs until nothing is left in its ring, and is then forgotten. */
  leaving = false;
  /** Keepalives sent, and the tick at which the next is due. */
  keepalives = 0;
  keepaliveDue = 0;
  readonly #grid: LaneGrid;
  /** Tick of the next packet; while parked, the first at which another may leave. */
  #due = -Infinity;
  /** Tick at which the lane last had a packet, or was started. */
  #active = 0;
  /** The last packet that left was marked END. */
  #ended = false;
  /** The socket still reads the claimed packet from the ring. */
  #held = false;
  /** How late the claimed packet was when it was sent, in milliseconds. */
  #late = 0;
  /** Packets that have left in this turn. */
  #left = 0;

  constructor(reader: RingReader, owner: LaneOwner, grid: LaneGrid) {
    this.reader = reader;
    this.owner = owner;
    this.#grid = grid;
  }

  get due(): number {
    return this.#due;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Served from `tick` on, which is in `slot` and not before `due`. */
  run(slot: number, tick: number): void {
    this.slot = slot;
    this.#due = tick;
    this.#active = tick;
    this.#ended = false;
    this.running = true;
  }

  park(): void {
    if (!this.running) return;
    this.running = false;
    this.#grid.rested(this);
  }

  /** Sends what is due, at most three packets after a stall; stops short of it when the socket is full. */
  serve(): void {
    const { clock, udp } = this.#grid;
    const { reader } = this;
    while (this.running && this.#left < PLAYBACK.maxBurst) {
      const now = clock.now();
      const late = now - this.#grid.timeOf(this.#due);
      if (late < 0) break;
      if (!reader.claim()) {
        this.#empty();
        break;
      }
      this.#late = late;
      udp.send(reader.bytes, reader.offset, reader.length, this.port, this.address);
      if (udp.queued > 0) {
        this.#held = true;
        return;
      }
      this.#sent(now);
    }
    if (this.#left > 1) count(this.#grid.counters, DRIVER.bursts);
    this.#rebase();
    this.#left = 0;
  }

  /** The socket has let go of the packet that it had queued: goes on where `serve` stopped. */
  resume(): void {
    this.#held = false;
    this.#sent(this.#grid.clock.now());
    this.serve();
  }

  #sent(now: number): void {
    const { counters } = this.#grid;
    const { reader } = this;
    const isSilence = (reader.mark & Mark.kindMask) === SILENCE_KIND;
    // Before the shard can see that it has left: whoever looks then finds the position that it gave.
    if (!isSilence) this.row?.sent(reader.sourceMs, reader.tag, now, this.#late);
    reader.release(now);
    this.#left++;
    this.#active = this.#due;
    this.#due += FRAME_MS;
    count(counters, isSilence ? DRIVER.silence : DRIVER.sent);
    count(counters, DRIVER.late + bucketOf(this.#late));
    if (this.#late > (counters[DRIVER.maxLate] ?? 0)) counters[DRIVER.maxLate] = this.#late;
    this.#ended = (reader.mark & Mark.end) !== 0;
    if (this.#ended && reader.empty) this.#end();
    else if (this.leaving && reader.empty) this.owner.drained(this);
  }

  #empty(): void {
    if (this.leaving) return this.owner.drained(this);
    // What lay behind END has been taken back.
    if (this.#ended) return this.#end();
    // The slots of a stall are given up below: what is not there was not due in them.
    if (this.#left > 0) return;
    count(this.#grid.counters, DRIVER.missed);
    this.row?.emptied();
    this.reader.underrun();
    this.#due += FRAME_MS;
    if (this.#due - this.#active >= EMPTY_MS) this.park();
  }

  #end(): void {
    if (this.leaving) return this.owner.drained(this);
    this.park();
    this.#grid.quiet(this);
  }

  /**
   * After a stall: gives up the slots that are past, so that the packets are late and not lost (decision D9).
   * Whole slots only, for after a stall of the whole thread every lane comes here, and they stay spread.
   */
  #rebase(): void {
    const { clock, counters } = this.#grid;
    const next = this.#grid.timeOf(this.#due);
    const now = clock.now();
    if (next > now && this.#left < PLAYBACK.maxBurst) return;
    const short = now + AFTER_BURST_MS - next;
    if (short <= 0) return;
    const slots = Math.ceil(short / FRAME_MS);
    this.#due += slots * FRAME_MS;
    if (this.running) counters[DRIVER.skipped] = (counters[DRIVER.skipped] ?? 0) + slots;
  }
}
