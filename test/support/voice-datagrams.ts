// Datagrams between the fake voice server and a thread that receives for it: many of them in one buffer, which
// changes hands whole. Used by voice-socket-thread.ts and voice-socket-worker.ts.

/** Time f64, IPv4 address u32, port u16, size u16, then the bytes. */
const HEAD_BYTES = 16;
const FIRST_BYTES = 16_384;

export interface Datagram {
  readonly packet: Buffer;
  /** Milliseconds, performance.now() of the server's own thread; 0 for what is to be sent. */
  readonly at: number;
  readonly address: string;
  readonly port: number;
}

const READINGS = 20;

/** What the clock that all threads share is ahead of this thread's performance.now(), in milliseconds. */
export function sharedClockOffset(): number {
  let offset = 0;
  let narrowest = Infinity;
  // The reading that was interrupted least is the right one; the first ones also load code.
  for (let n = 0; n < READINGS; n++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint()) / 1e6;
    const width = performance.now() - before;
    if (width > narrowest) continue;
    narrowest = width;
    offset = shared - before - width / 2;
  }
  return offset;
}

export class DatagramBatch {
  #bytes = Buffer.alloc(FIRST_BYTES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add({ packet, at, address, port }: Datagram): void {
    const end = this.#size + HEAD_BYTES + packet.length;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * end);
    this.#bytes.writeDoubleLE(at, this.#size);
    for (const [n, part] of address.split('.').entries()) this.#bytes[this.#size + 8 + n] = Number(part);
    this.#bytes.writeUInt16LE(port, this.#size + 12);
    this.#bytes.writeUInt16LE(packet.length, this.#size + 14);
    this.#bytes.set(packet, this.#size + HEAD_BYTES);
    this.#size = end;
  }

  /** Everything so far, in a buffer that can be transferred; the batch is empty again. */
  take(): ArrayBuffer {
    const bytes = new ArrayBuffer(this.#size);
    Buffer.from(bytes).set(this.#bytes.subarray(0, this.#size));
    this.#size = 0;
    return bytes;
  }
}

/** The packets are views of the buffer. */
export function* datagramsIn(batch: ArrayBuffer): Generator<Datagram> {
  const bytes = Buffer.from(batch);
  for (let start = 0; start + HEAD_BYTES <= bytes.length;) {
    const end = start + HEAD_BYTES + bytes.readUInt16LE(start + 14);
    yield {
      packet: bytes.subarray(start + HEAD_BYTES, end),
      at: bytes.readDoubleLE(start),
      address: bytes.subarray(start + 8, start + 12).join('.'),
      port: bytes.readUInt16LE(start + 12),
    };
    start = end;
  }
}
