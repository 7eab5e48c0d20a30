// The keepalives of all rings of one sender, every 5 s, playing or not, from one wheel: a ring costs no timer.
// Run by the sender's loop. They have the form that the real server answers (discord-voice.md §1.7); nobody
// waits for the answer.

import type { Lane } from './lane.js';
import type { Udp } from './udp.js';

/** Milliseconds from one keepalive of a ring to the next. */
const INTERVAL = 5_000;
/** Keepalives leave in groups, one group so many milliseconds after the other. */
const STEP = 50;
const GROUPS = INTERVAL / STEP;

const LENGTH = 8;
const PING = 0x1337_cafe;

export class KeepaliveWheel {
  readonly #udp: Udp;
  readonly #packet = Buffer.alloc(LENGTH);
  readonly #groups: Lane[][] = Array.from({ length: GROUPS }, () => []);
  /** The last step that was served; step n is due at tick n × STEP. */
  #cursor = -1;

  constructor(udp: Udp) {
    this.#udp = udp;
    this.#packet.writeUInt32BE(PING, 0);
  }

  /** The first keepalive is as soon after `tick` as the other rings let it, within 5 s. */
  add(lane: Lane, tick: number): void {
    const first = Math.max(this.#cursor, Math.floor(tick / STEP)) + 1;
    let step = first;
    for (let other = first + 1; other < first + GROUPS; other++) {
      if (this.#group(other).length < this.#group(step).length) step = other;
    }
    lane.keepaliveDue = step * STEP;
    this.#group(step).push(lane);
  }

  remove(lane: Lane): void {
    const group = this.#group(lane.keepaliveDue / STEP);
    const index = group.indexOf(lane);
    if (index >= 0) group.splice(index, 1);
  }

  /** Tick at which `run` has something to send; Infinity for never. */
  get due(): number {
    for (let step = this.#cursor + 1; step <= this.#cursor + GROUPS; step++) {
      if (this.#group(step).length > 0) return step * STEP;
    }
    return Infinity;
  }

  /** Sends what is due by `tick`; false when the socket is full and the rest has to wait. */
  run(tick: number): boolean {
    const now = Math.floor(tick / STEP);
    // After a stall of more than a whole turn each ring gets one.
    for (let step = Math.max(this.#cursor + 1, now - GROUPS + 1); step <= now; step++) {
      for (const lane of this.#group(step)) {
        if (lane.keepaliveDue > tick) continue;
        this.#packet.writeUInt32BE(lane.keepalives, 4);
        lane.keepalives = (lane.keepalives + 1) >>> 0;
        lane.keepaliveDue = step * STEP + INTERVAL;
        this.#udp.send(this.#packet, 0, LENGTH, lane.port, lane.address);
        if (this.#udp.queued > 0) return false;
      }
      this.#cursor = step;
    }
    return true;
  }

  #group(step: number): Lane[] {
    return this.#groups[step % GROUPS] ?? [];
  }
}
