// A container of Opus packets made of nothing: 20 ms stereo packets whose bytes tell their number, held back
// or broken on demand. For tests of what stands behind the demuxer.
import type { Container, ContainerInfo, PacketCursor } from '../../src/audio/container.js';
import type { Packet } from '../../src/audio/packet.js';

/** CELT, full band, 20 ms, stereo, one frame (RFC 6716 §3.1). */
const TOC = 0xfc;
/** The same with two frames a packet: cannot be passed through. */
const TOC_TWO = 0xfd;

export interface FakeContainerOptions {
  readonly packets: number;
  /** Number of the first packet that cannot be passed through; none by default. */
  readonly unfitFrom?: number;
  /** Number of the packet that cannot be read any more; none by default. */
  readonly failAt?: number;
}

export class FakeContainer implements Container {
  readonly info: ContainerInfo;
  closed = false;
  /** Numbers of the packets at which cursors were opened. */
  readonly opened: number[] = [];
  /** Packets from this number on are held back until `release`. */
  heldFrom = Infinity;
  /** Packets that readers have taken. */
  taken = 0;
  readonly #options: FakeContainerOptions;
  #waiting: (() => void)[] = [];

  constructor(options: FakeContainerOptions) {
    this.#options = options;
    this.info = {
      probe: 'ogg',
      format: { codec: 'opus', sampleRate: 48_000, channels: 2, description: null },
      durationMs: options.packets * 20,
      title: null,
      artist: null,
      isrc: null,
    };
  }

  packets(fromSeconds: number): Promise<PacketCursor> {
    let next = Math.max(0, Math.floor(fromSeconds * 50 + 1e-6));
    this.opened.push(next);
    return Promise.resolve({
      next: async (): Promise<Packet | null> => {
        const number = next++;
        while (number >= this.heldFrom) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        if (number === this.#options.failAt) throw new Error('the far end is gone');
        if (number >= this.#options.packets) return null;
        this.taken++;
        return packetOf(number, number >= (this.#options.unfitFrom ?? Infinity));
      },
    });
  }

  /** Lets packets up to `number` through. */
  release(number = Infinity): void {
    this.heldFrom = number;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  close(): void {
    this.closed = true;
  }
}

export function packetOf(number: number, unfit = false): Packet {
  const data = new Uint8Array([unfit ? TOC_TWO : TOC, 0, 0, number >> 8, number & 0xff]);
  return { data, time: number * 0.02, duration: 0.02 };
}

/** Which packet a frame is, or null for one that was encoded here. */
export function numberOf(frame: Uint8Array): number | null {
  return frame.byteLength === 5 && frame[0] === TOC ? ((frame[3] ?? 0) << 8) | (frame[4] ?? 0) : null;
}
