// A UDP relay on 127.0.0.1 that spoils what passes: loss, duplicates, reordering, delay, damage, a blackout
// (reliability.md §3). Both ways, for one far end and any number of near ones. Chance is seeded, so that a run
// can be repeated.

import dgram, { type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { seeded } from './seeded.js';

export interface UdpFaults {
  /** Of all datagrams, in percent. */
  readonly dropPercent?: number;
  readonly duplicatePercent?: number;
  /** These are held back until the next one of their way has passed. */
  readonly reorderPercent?: number;
  /** One bit of these is wrong. */
  readonly corruptPercent?: number;
  readonly delayMs?: number;
  /** More or less than that, by chance; the order may change by it. */
  readonly jitterMs?: number;
  /** Which way is spoilt; both when it is not said. */
  readonly way?: 'out' | 'back';
}

/** What became of the datagrams that came in. */
export interface UdpFaultCounts {
  received: number;
  passed: number;
  dropped: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
}

type Way = 'out' | 'back';

/** One near end: its own socket towards the far one, so that answers find their way back. */
interface Peer {
  readonly socket: Socket;
  readonly ready: Promise<unknown>;
  readonly address: string;
  readonly port: number;
  /** A datagram of each way that is held back. */
  readonly held: { out: (() => void) | null; back: (() => void) | null };
}

export class UdpFault {
  readonly counts: UdpFaultCounts = {
    received: 0,
    passed: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
  };
  readonly #front = dgram.createSocket('udp4');
  readonly #peers = new Map<string, Peer>();
  /** Those of before a rebinding: a datagram that is held back still leaves through them. */
  readonly #retired: Peer[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #random: () => number;
  #target: number;
  #faults: UdpFaults = {};
  #black = false;
  #closed = false;

  private constructor(target: number, seed: number) {
    this.#target = target;
    this.#random = seeded(seed);
    this.#front.on('message', (bytes, from) => this.#fromNear(bytes, from));
    this.#front.on('error', () => undefined);
  }

  /** Relays to `port` on 127.0.0.1. */
  static async start(options: { readonly port: number; readonly seed?: number }): Promise<UdpFault> {
    const relay = new UdpFault(options.port, options.seed ?? 1);
    relay.#front.bind(0, '127.0.0.1');
    await once(relay.#front, 'listening');
    return relay;
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** From now on, in place of what was set before; nothing for a relay that spoils nothing. */
  set(faults: UdpFaults = {}): void {
    this.#faults = faults;
  }

  /** Nothing passes for so long; without a time until `light`. */
  blackout(ms?: number): void {
    this.#black = true;
    if (ms !== undefined) this.#later(ms, () => this.light());
  }

  light(): void {
    this.#black = false;
  }

  /** The far end sees the near ones at other ports from now on, and what it sends to the old ones is lost. */
  rebind(): void {
    for (const peer of this.#peers.values()) {
      peer.socket.removeAllListeners('message');
      this.#retired.push(peer);
    }
    this.#peers.clear();
  }

  /** The far end is at another port from now on. */
  retarget(port: number): void {
    this.#target = port;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const peers = [...this.#retired, ...this.#peers.values()];
    const sockets = [this.#front, ...peers.map(({ socket }) => socket)];
    const closed = sockets.map((socket) => once(socket, 'close'));
    await Promise.all(peers.map(({ ready }) => ready));
    for (const socket of sockets) socket.close();
    await Promise.all(closed);
  }

  #fromNear(bytes: Buffer, from: RemoteInfo): void {
    const peer = this.#peerOf(from);
    this.#spoil('out', bytes, peer, (out) => {
      void peer.ready.then(() => {
        if (!this.#closed) peer.socket.send(out, this.#target, '127.0.0.1');
      });
    });
  }

  #peerOf({ address, port }: RemoteInfo): Peer {
    const key = `${address} ${port}`;
    const known = this.#peers.get(key);
    if (known !== undefined) return known;
    const socket = dgram.createSocket('udp4');
    socket.on('error', () => undefined);
    socket.bind(0, '127.0.0.1');
    const peer: Peer = {
      socket,
      ready: once(socket, 'listening'),
      address,
      port,
      held: { out: null, back: null },
    };
    socket.on('message', (bytes) => {
      this.#spoil('back', bytes, peer, (back) => this.#front.send(back, peer.port, peer.address));
    });
    this.#peers.set(key, peer);
    return peer;
  }

  #spoil(way: Way, bytes: Buffer, peer: Peer, send: (bytes: Buffer) => void): void {
    const faults = this.#faults.way === undefined || this.#faults.way === way ? this.#faults : {};
    this.counts.received++;
    // The same draws for every datagram, so that one fault does not move the chances of another.
    const [drop, duplicate, reorder, corrupt, where, jitter] = Array.from({ length: 6 }, () =>
      this.#random(),
    );
    const hit = (chance = 1, percent = 0): boolean => chance * 100 < percent;
    if (this.#black || hit(drop, faults.dropPercent)) {
      this.counts.dropped++;
      return;
    }
    let out = bytes;
    if (hit(corrupt, faults.corruptPercent) && bytes.length > 0) {
      out = Buffer.from(bytes);
      const bit = Math.floor((where ?? 0) * out.length * 8);
      out.writeUInt8(out.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      this.counts.corrupted++;
    }
    const copies = hit(duplicate, faults.duplicatePercent) ? 2 : 1;
    this.counts.duplicated += copies - 1;
    const pass = (): void => {
      this.counts.passed++;
      const wait = (faults.delayMs ?? 0) + (faults.jitterMs ?? 0) * (2 * (jitter ?? 0) - 1);
      for (let copy = 0; copy < copies; copy++) {
        if (wait > 0) this.#later(wait, () => send(out));
        else send(out);
      }
    };
    const overtaken = peer.held[way];
    if (overtaken === null && hit(reorder, faults.reorderPercent)) {
      this.counts.reordered++;
      peer.held[way] = pass;
      return;
    }
    pass();
    peer.held[way] = null;
    overtaken?.();
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) action();
    }, ms);
    this.#timers.add(timer);
  }
}
