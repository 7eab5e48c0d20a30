// IP discovery (discord-voice.md §1.6) for the rings of one sender: a request a second for each until its
// answer has come. Run by the sender's loop. What is not an answer to a request of ours, from the very
// address and port and for the very SSRC that were asked, is ignored.

import { VOICE } from '../../shared/limits.js';
import type { Lane } from './lane.js';
import type { Udp } from './udp.js';

const LENGTH = 74;
/** Type 1 or 2, then the length of what follows, 70. */
const REQUEST = 0x0001_0046;
const ANSWER = 0x0002_0046;
const SSRC_AT = 4;
const ADDRESS_AT = 8;
const PORT_AT = 72;

interface Pending {
  readonly lane: Lane;
  readonly address: string;
  readonly port: number;
  readonly ssrc: number;
  readonly answered: (address: string, port: number) => void;
  /** Tick of the next try. */
  due: number;
}

const keyOf = (address: string, port: number, ssrc: number): string => `${address} ${port} ${ssrc}`;

export class Discovery {
  readonly #udp: Udp;
  readonly #request = Buffer.alloc(LENGTH);
  readonly #pending = new Map<string, Pending>();
  /** Tick of the earliest next try. */
  #due = Infinity;

  constructor(udp: Udp) {
    this.#udp = udp;
    this.#request.writeUInt32BE(REQUEST, 0);
  }

  /** Tick at which `run` has something to send; Infinity for never. */
  get due(): number {
    return this.#due;
  }

  /** The first try is at `tick`. */
  add(
    lane: Lane,
    address: string,
    port: number,
    ssrc: number,
    tick: number,
    answered: Pending['answered'],
  ): void {
    this.cancel(lane);
    this.#pending.set(keyOf(address, port, ssrc), { lane, address, port, ssrc, answered, due: tick });
    this.#due = Math.min(this.#due, tick);
  }

  cancel(lane: Lane): void {
    for (const [key, pending] of this.#pending) if (pending.lane === lane) this.#pending.delete(key);
    if (this.#pending.size === 0) this.#due = Infinity;
  }

  /** Sends what is due by `tick`; false when the socket is full and the rest has to wait. */
  run(tick: number): boolean {
    if (tick < this.#due) return true;
    let next = Infinity;
    for (const pending of this.#pending.values()) {
      if (pending.due <= tick) {
        this.#request.writeUInt32BE(pending.ssrc, SSRC_AT);
        this.#udp.send(this.#request, 0, LENGTH, pending.port, pending.address);
        pending.due = tick + VOICE.discoveryInterval;
        if (this.#udp.queued > 0) return false;
      }
      next = Math.min(next, pending.due);
    }
    this.#due = next;
    return true;
  }

  /** A datagram from anywhere. */
  take(bytes: Buffer, address: string, port: number): void {
    if (bytes.length !== LENGTH || bytes.readUInt32BE(0) !== ANSWER) return;
    const pending = this.#pending.get(keyOf(address, port, bytes.readUInt32BE(SSRC_AT)));
    if (pending === undefined) return;
    const end = bytes.indexOf(0, ADDRESS_AT);
    const ours = bytes.toString('latin1', ADDRESS_AT, end < 0 ? PORT_AT : Math.min(end, PORT_AT));
    const ourPort = bytes.readUInt16BE(PORT_AT);
    if (!/^[\d.]{7,15}$/.test(ours) || ourPort === 0) return;
    this.cancel(pending.lane);
    pending.answered(ours, ourPort);
  }
}
