// Pumice's own voice driver: the connections of one shard, with send rings at the senders that empty them. Made
// once per shard. What is due on the wire is the sender's; this side only looks, every frame's length, what has
// left.

import type { Clock, Timer } from '../../shared/clock.js';
import { DRIVER_WORDS } from '../../shared/driver-words.js';
import { ServerError } from '../../shared/errors.js';
import { FRAME_MS } from '../../shared/frame.js';
import { VOICE } from '../../shared/limits.js';
import { leadFrames } from '../../shared/ring-plan.js';
import type { RowPlace } from '../../shared/sent-row.js';
import { prepareDave } from './dave.js';
import { DaveQueue } from './dave-queue.js';
import type { VoiceDriver, VoiceListener, VoiceServer } from './driver.js';
import { gatewayTrust } from './gateway.js';
import { NativeConnection } from './native-connection.js';
import type { NativeParts } from './native-connection.js';
import { prepareSeal } from './seal.js';
import type { SenderRings } from './sender-rings.js';
import type { VoiceGuard } from './voice-guard.js';
import type { VoiceTimes } from './voice-state.js';

/**
 * With a lead of so many frames a connection is looked at once in TURNS of them: long before its queue is to be
 * filled again. Only at an end, which the client is told of, every frame counts.
 */
const LONG_LEAD = 10;
const TURNS = 3;

export interface NativeDriverOptions {
  readonly clock: Clock;
  readonly guard: VoiceGuard;
  /** PEM text of `pumice.voice.caFile`, believed for voice gateways besides Node's own roots. */
  readonly ca: string | null;
  /** `bufferDurationMs`. */
  readonly leadMs: number;
  /** The rings at the sender with that number, which runs in a thread of its own or in this one. */
  readonly rings: (sender: number) => SenderRings;
  /** Lets go of the senders, when the driver is closed. */
  readonly detach: () => void;
  readonly maxConnections?: number;
  /** DRIVER_WORDS words that only this shard writes. */
  readonly counters?: Float64Array;
  /** Shorter times than those of VOICE, for tests. */
  readonly times?: Partial<VoiceTimes & { readonly daveHold: number }>;
  /** Fewer packets under one key than VOICE says, for tests. */
  readonly renewAfter?: number;
  /** In [0, 1): first sequence and timestamp, and the jitter of retries. */
  readonly random?: () => number;
}

export class NativeDriver implements VoiceDriver {
  readonly name = 'native';
  readonly #options: NativeDriverOptions;
  readonly #ceiling: number;
  readonly #connections = new Set<NativeConnection>();
  readonly #parts: NativeParts;
  readonly #daveQueue: DaveQueue;
  #poll: Timer | null = null;
  /** Turns in which the connections are looked at, and the last one. */
  readonly #turns: number;
  #turn = 0;
  #closed = false;

  constructor(options: NativeDriverOptions) {
    this.#options = options;
    const { clock, guard, ca, leadMs } = options;
    this.#ceiling = options.maxConnections ?? VOICE.maxNativeConnections;
    this.#daveQueue = new DaveQueue(clock);
    this.#turns = leadFrames(leadMs) >= LONG_LEAD ? TURNS : 1;
    this.#parts = {
      clock,
      guard,
      lead: leadFrames(leadMs),
      renewAfter: options.renewAfter ?? VOICE.renewAfter,
      trust: gatewayTrust(ca),
      counters: options.counters ?? new Float64Array(DRIVER_WORDS),
      times: { ...VOICE, ...options.times },
      daveQueue: this.#daveQueue,
      lease: (owner, sender) => options.rings(sender).lease(owner),
      random: options.random ?? Math.random,
      onOver: (connection) => {
        this.#connections.delete(connection);
      },
    };
  }

  async prepare(): Promise<void> {
    await Promise.all([prepareDave(), prepareSeal()]);
  }

  connect(
    server: VoiceServer,
    listener: VoiceListener,
    mayConnect: () => boolean,
    row: RowPlace | null,
  ): NativeConnection {
    if (this.#connections.size >= this.#ceiling) {
      throw new ServerError('PUM_VOICE_FULL', { limit: this.#ceiling });
    }
    const connection = new NativeConnection(this.#parts, server, listener, mayConnect, row);
    connection.turn = this.#connections.size % this.#turns;
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

  #pollLater(): void {
    if (this.#poll !== null || this.#closed) return;
    this.#poll = this.#options.clock.after(FRAME_MS, () => {
      this.#poll = null;
      this.#turn = (this.#turn + 1) % this.#turns;
      for (const connection of this.#connections) {
        if (connection.turn === this.#turn || connection.isEnding) connection.poll();
      }
      if (this.#connections.size > 0) this.#pollLater();
    });
  }
}

/** A driver for one shard. */
export function createNativeDriver(options: NativeDriverOptions): VoiceDriver {
  return new NativeDriver(options);
}
