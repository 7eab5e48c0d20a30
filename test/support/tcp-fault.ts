// A TCP relay on 127.0.0.1 that spoils what comes back from a server: latency, bandwidth, slices, cuts,
// resets, black holes and slow ends, after toxiproxy's vocabulary. Chance is seeded, so a run can be repeated.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { seeded } from './seeded.js';

interface Faults {
  latency: { ms: number; jitter: number } | null;
  bandwidth: number | null;
  slice: number | null;
  limit: number | null;
  resetAfter: number | null;
  blackHole: boolean;
  slowClose: number | null;
}

const none = (): Faults => ({
  latency: null,
  bandwidth: null,
  slice: null,
  limit: null,
  resetAfter: null,
  blackHole: false,
  slowClose: null,
});

export class TcpFault {
  /** Connections accepted since the start. */
  connections = 0;
  readonly #server: Server;
  readonly #target: number;
  readonly #random: () => number;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #faults = none();

  private constructor(target: number, seed: number) {
    this.#target = target;
    this.#random = seeded(seed);
    this.#server = createServer((socket) => this.#relay(socket));
  }

  /** Relays to `port` on 127.0.0.1. */
  static async start(options: { readonly port: number; readonly seed?: number }): Promise<TcpFault> {
    const relay = new TcpFault(options.port, options.seed ?? 1);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Delays every chunk by `ms`, up to `jitter` more or less; the order stays. */
  latency(ms: number, jitter = 0): void {
    this.#faults.latency = { ms, jitter };
  }

  bandwidth(bytesPerSecond: number): void {
    this.#faults.bandwidth = bytesPerSecond;
  }

  /** Cuts chunks into pieces of about this size. */
  slicer(averageBytes: number): void {
    this.#faults.slice = averageBytes;
  }

  /** Closes each connection after so many bytes. */
  limitData(bytes: number): void {
    this.#faults.limit = bytes;
  }

  /** Resets each connection after `ms`. */
  resetPeer(ms: number): void {
    this.#faults.resetAfter = ms;
  }

  /** A black hole: connections are accepted, nothing passes. */
  timeout(): void {
    this.#faults.blackHole = true;
  }

  /** Delays the end of each connection. */
  slowClose(ms: number): void {
    this.#faults.slowClose = ms;
  }

  /** No faults for connections made from now on. */
  clear(): void {
    this.#faults = none();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #relay(client: Socket): void {
    this.connections++;
    const faults = this.#faults;
    this.#track(client);
    if (faults.resetAfter !== null) this.#later(faults.resetAfter, () => client.resetAndDestroy());
    if (faults.blackHole) return void client.resume();
    const server = connect(this.#target, '127.0.0.1');
    this.#track(server);
    client.pipe(server);
    client.on('close', () => server.destroy());
    void this.#deliver(faults, server, client);
  }

  /** Down stream, one piece after the other, so that order and back-pressure hold. */
  async #deliver(faults: Faults, server: Socket, client: Socket): Promise<void> {
    let left = faults.limit ?? Infinity;
    try {
      for await (const chunk of server as AsyncIterable<Buffer>) {
        for (const piece of this.#slices(chunk, faults.slice)) {
          const part = piece.subarray(0, left);
          left -= part.length;
          await this.#pause(this.#delayOf(faults, part.length));
          if (client.destroyed) return;
          if (!client.write(part)) await Promise.race([once(client, 'drain'), once(client, 'close')]);
          if (left === 0) return void client.end();
        }
      }
      await this.#pause(faults.slowClose ?? 0);
      client.end();
    } catch {
      client.destroy();
    }
  }

  #delayOf(faults: Faults, bytes: number): number {
    const { latency, bandwidth } = faults;
    const wait = latency === null ? 0 : latency.ms + latency.jitter * (2 * this.#random() - 1);
    return Math.max(0, wait) + (bandwidth === null ? 0 : (bytes / bandwidth) * 1_000);
  }

  *#slices(chunk: Buffer, average: number | null): Generator<Buffer> {
    if (average === null) return yield chunk;
    for (let at = 0; at < chunk.length;) {
      const size = 1 + Math.floor(this.#random() * 2 * average);
      yield chunk.subarray(at, at + size);
      at += size;
    }
  }

  #pause(ms: number): Promise<void> {
    return ms === 0 ? Promise.resolve() : new Promise((resolve) => this.#later(ms, resolve));
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }
}
