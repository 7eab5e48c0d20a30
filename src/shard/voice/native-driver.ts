// Pumice's own voice driver: the connections of one shard, their send rings in one slab of shared memory, and
// the sender that empties them. Made once per shard. What is due on the wire is the sender's; this side only
// looks, every frame's length, what has left.

import type { Clock, Timer } from '../../shared/clock.js';
import { DRIVER_WORDS } from '../../shared/driver-words.js';
import { ServerError } from '../../shared/errors.js';
import { FRAME_MS } from '../../shared/frame.js';
import { VOICE } from '../../shared/limits.js';
import { leadFrames } from '../../shared/ring-plan.js';
import { RingWriter, type SlabLayout } from '../../shared/send-ring.js';
import type { SenderControl, SenderListener } from '../sender/messages.js';
import { prepareDave } from './dave.js';
import { DaveQueue } from './dave-queue.js';
import type { VoiceDriver, VoiceListener, VoiceServer } from './driver.js';
import { gatewayTrust } from './gateway.js';
import { NativeConnection } from './native-connection.js';
import type { NativeParts } from './native-connection.js';
import type { RingLease, RingOwner } from './native-session.js';
import { prepareSeal } from './seal.js';
import type { VoiceGuard } from './voice-guard.js';
import type { VoiceTimes } from './voice-state.js';

export interface NativeDriverOptions {
  readonly clock: Clock;
  readonly guard: VoiceGuard;
  /** PEM text of `pumice.voice.caFile`, believed for voice gateways besides Node's own roots. */
  readonly ca: string | null;
  /** `bufferDurationMs`. */
  readonly leadMs: number;
  /** The send rings, which the sender has as well. */
  readonly slab: SlabLayout;
  /** The sender, in a thread of its own or in this one, and who hears of what it does. */
  readonly attach: (listener: SenderListener) => SenderControl;
  /** Lets go of the sender, when the driver is closed. */
  readonly detach: () => void;
  readonly maxConnections?: number;
  /** DRIVER_WORDS words that only this shard writes. */
  readonly counters?: Float64Array;
  /** Shorter times than those of VOICE, for tests. */
  readonly times?: Partial<VoiceTimes & { readonly daveHold: number }>;
  /** In [0, 1): first sequence and timestamp, and the jitter of retries. */
  readonly random?: () => number;
}

export class NativeDriver implements VoiceDriver {
  readonly name = 'native';
  readonly #options: NativeDriverOptions;
  readonly #ceiling: number;
  readonly #connections = new Set<NativeConnection>();
  readonly #parts: NativeParts;
  readonly #control: SenderControl;
  readonly #daveQueue: DaveQueue;
  readonly #freeRings: number[];
  readonly #owners = new Map<number, RingOwner>();
  #poll: Timer | null = null;
  #closed = false;

  constructor(options: NativeDriverOptions) {
    this.#options = options;
    const { clock, guard, ca, leadMs } = options;
    this.#ceiling = options.maxConnections ?? VOICE.maxNativeConnections;
    const { rings } = options.slab;
    this.#freeRings = Array.from({ length: rings }, (_, index) => rings - 1 - index);
    this.#control = options.attach({
      discovered: (ring, address, port) => this.#owners.get(ring)?.discovered(address, port),
      quiet: (ring) => this.#owners.get(ring)?.quiet(),
      closed: (ring) => {
        this.#freeRings.push(ring);
      },
    });
    this.#daveQueue = new DaveQueue(clock);
    this.#parts = {
      clock,
      guard,
      lead: leadFrames(leadMs),
      trust: gatewayTrust(ca),
      counters: options.counters ?? new Float64Array(DRIVER_WORDS),
      times: { ...VOICE, ...options.times },
      daveQueue: this.#daveQueue,
      lease: (owner) => this.#lease(owner),
      random: options.random ?? Math.random,
      onOver: (connection) => {
        this.#connections.delete(connection);
      },
    };
  }

  async prepare(): Promise<void> {
    await Promise.all([prepareDave(), prepareSeal()]);
  }

  connect(server: VoiceServer, listener: VoiceListener, mayConnect: () => boolean): NativeConnection {
    if (this.#connections.size >= this.#ceiling) {
      throw new ServerError('PUM_VOICE_FULL', { limit: this.#ceiling });
    }
    const connection = new NativeConnection(this.#parts, server, listener, mayConnect);
    this.#connections.add(connection);
    this.#pollLater();
    return connection;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of [...this.#connections]) connection.close();
    this.#poll?.cancel();
    this.#options.detach();
  }

  #lease(owner: RingOwner): RingLease {
    const index = this.#freeRings.pop();
    if (index === undefined) throw new ServerError('PUM_VOICE_FULL', { limit: this.#ceiling });
    const ring = new RingWriter(this.#options.slab, index);
    this.#owners.set(index, owner);
    return {
      ring,
      control: this.#control,
      end: () => {
        this.#owners.delete(index);
        ring.close();
        this.#control.close(index);
      },
    };
  }

  #pollLater(): void {
    if (this.#poll !== null || this.#closed) return;
    this.#poll = this.#options.clock.after(FRAME_MS, () => {
      this.#poll = null;
      for (const connection of this.#connections) connection.poll();
      if (this.#connections.size > 0) this.#pollLater();
    });
  }
}

/** A driver for one shard. */
export function createNativeDriver(options: NativeDriverOptions): VoiceDriver {
  return new NativeDriver(options);
}
