// A sender's loop on a clock that is moved by hand, with a socket that only records, and rings to fill. Used by
// the tests of the loop; runs in the test process.

import { DRIVER, DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import { createSlab, Mark, RingWriter, type SlabLayout } from '../../../src/shared/send-ring.js';
import type { AttachedSlab } from '../../../src/shard/sender/attached-slab.js';
import { SenderLoop } from '../../../src/shard/sender/loop.js';
import type { Udp, UdpListener } from '../../../src/shard/sender/udp.js';
import { ManualClock } from '../../support/manual-clock.js';

export interface Datagram {
  readonly at: number;
  readonly bytes: Buffer;
  readonly address: string;
  readonly port: number;
}

/** Records what is sent; a test makes it full, lets it fail, or speaks for the far end. */
export class FakeUdp implements Udp {
  readonly sent: Datagram[] = [];
  /** Datagrams from now on stay in the queue until `drain`. */
  full = false;
  queued = 0;
  closed = false;
  listener: UdpListener | null = null;
  readonly #clock: ManualClock;
  #waiting: (() => void)[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  listen(listener: UdpListener): void {
    this.listener = listener;
  }

  send(bytes: Buffer, offset: number, length: number, port: number, address: string): void {
    const leave = (): void => {
      // Read when it leaves, as the platform does.
      const copy = Buffer.from(bytes.subarray(offset, offset + length));
      this.sent.push({ at: this.#clock.now(), bytes: copy, address, port });
    };
    if (!this.full) return leave();
    this.queued++;
    this.#waiting.push(leave);
  }

  drain(): void {
    this.full = false;
    this.queued = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const leave of waiting) leave();
  }

  close(): void {
    this.closed = true;
  }
}

/** One ring as its shard sees it; its packets are two bytes, the ring and a running number. */
export class Shard {
  readonly writer: RingWriter;
  published = 0;
  readonly index: number;
  readonly #scratch = Buffer.alloc(1_400);

  constructor(slab: SlabLayout, index: number, sequence = 0, timestamp = 0) {
    this.index = index;
    this.writer = new RingWriter(slab, index);
    this.writer.begin(sequence, timestamp);
  }

  publish(mark = 0, sourceMs = 0, tag = 0): boolean {
    const offset = this.writer.room(2);
    if (offset < 0) return false;
    this.#scratch[0] = this.index;
    this.#scratch[1] = this.published++ & 0xff;
    this.writer.publish(this.#scratch, 2, offset, this.writer.timestamp(0), mark, sourceMs, tag);
    return true;
  }

  fill(count: number): void {
    for (let n = 0; n < count; n++) if (!this.publish()) throw new Error('the ring is full');
  }

  /** Five silence frames, END in the last one's mark. */
  finish(): void {
    for (let n = 0; n < 5; n++) this.publish(n === 4 ? 2 | Mark.end : 2);
  }
}

export interface Told {
  readonly what: 'discovered' | 'quiet' | 'closed';
  readonly ring: number;
  readonly at: number;
  readonly place?: string;
}

export class SenderSetting {
  readonly clock: ManualClock;
  readonly udp: FakeUdp;
  readonly counters = new Float64Array(DRIVER_WORDS);
  readonly loop: SenderLoop;
  readonly told: Told[] = [];
  onTold: (told: Told) => void = () => undefined;
  readonly slab: SlabLayout;
  readonly control: AttachedSlab;

  constructor({ now = 1_000, rings = 64, slab = createSlab(rings, 32, 2_048) } = {}) {
    this.clock = new ManualClock(now);
    this.udp = new FakeUdp(this.clock);
    this.loop = new SenderLoop({ clock: this.clock, udp: this.udp, counters: this.counters });
    this.slab = slab;
    this.control = this.attach(slab);
  }

  attach(slab: SlabLayout): AttachedSlab {
    const tell = (what: Told['what'], ring: number, place?: string): void => {
      const told = { what, ring, at: this.clock.now(), ...(place === undefined ? {} : { place }) };
      this.told.push(told);
      this.onTold(told);
    };
    return this.loop.attach(slab, {
      discovered: (ring, address, port) => tell('discovered', ring, `${address}:${port}`),
      quiet: (ring) => tell('quiet', ring),
      closed: (ring) => tell('closed', ring),
    });
  }

  /** A ring that is open on 127.0.0.1, port 5000 and its index. */
  ring(index: number): Shard {
    const shard = new Shard(this.slab, index);
    this.control.open(index, '127.0.0.1', 5_000 + index, null);
    return shard;
  }

  /** The same, and so many packets in it that are due from now on. */
  playing(index: number, packets: number): Shard {
    const shard = this.ring(index);
    shard.fill(packets);
    this.control.start(index);
    return shard;
  }

  /** Moves on by `ms`, running the loop whenever it has asked for it; `before` is called ahead of each turn. */
  advance(ms: number, before: () => void = () => undefined): void {
    const end = this.clock.now() + ms;
    for (let turn = 0; ; turn++) {
      if (turn > 1_000_000) throw new Error('the loop never rests');
      before();
      const wait = this.loop.run(this.clock.now());
      const next = this.clock.now() + wait;
      if (next > end) break;
      this.clock.advance(wait);
    }
    this.clock.advance(end - this.clock.now());
  }

  /** The packets of a ring that have left (no keepalives). */
  left(index: number): Datagram[] {
    return this.udp.sent.filter(({ bytes }) => bytes.length === 2 && bytes[0] === index);
  }

  times(index: number): number[] {
    return this.left(index).map(({ at }) => at);
  }

  numbers(index: number): number[] {
    return this.left(index).map(({ bytes }) => bytes[1] ?? -1);
  }

  heard(what: Told['what']): number[] {
    return this.told.filter((entry) => entry.what === what).map(({ ring }) => ring);
  }

  count(word: keyof typeof DRIVER): number {
    return this.counters[DRIVER[word]] ?? NaN;
  }
}

export const spaced = (count: number, from: number): number[] =>
  Array.from({ length: count }, (_, n) => from + n * 20);
