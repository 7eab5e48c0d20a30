// One voice session of the native driver, from one Identify to the next: its DAVE group, its send ring with the
// key that belongs to it, and the stream of frames between them. Made by the connection, in a shard. A new
// session has all of it anew, so that no nonce ever meets the same key twice.

import { DRIVER, count } from '../../shared/driver-words.js';
import type { ConnectionInspection } from '../../shared/inspection.js';
import { SealedRow } from '../../shared/sealed-row.js';
import type { RingWriter } from '../../shared/send-ring.js';
import type { RowPlace } from '../../shared/sent-row.js';
import type { SenderControl } from '../sender/messages.js';
import { DaveSession } from './dave-session.js';
import type { GiveUp, VoiceServer } from './driver.js';
import type { GatewaySession } from './gateway-session.js';
import type { NativeParts } from './native-connection.js';
import { NativeStream } from './native-stream.js';
import type { OutQueue } from './out-queue.js';
import { createSealer, usableMode } from './seal.js';
import { Op } from './voice-payloads.js';
import type { Description, Greeting } from './voice-payloads.js';

/** A ring for the length of one voice session. */
export interface RingLease {
  readonly ring: RingWriter;
  readonly control: SenderControl;
  /** The sender ends what it still does with the ring, and the ring goes back. */
  end(): void;
}

/** What the sender tells of a ring. */
export interface RingOwner {
  discovered(address: string, port: number): void;
  quiet(): void;
}

/** What the session tells of its frames. */
export interface FrameListener {
  onSent(at: number): void;
  onGivenUp(at: number, why: GiveUp): void;
  onMissed(isBlocked: boolean): void;
}

export interface SessionParts {
  readonly parts: NativeParts;
  readonly server: VoiceServer;
  readonly gateway: GatewaySession;
  /** Of the connection, over all its sessions. */
  readonly queue: OutQueue;
  readonly frames: FrameListener;
  /** The player's, in the shared counters. */
  readonly row: RowPlace | null;
}

export class NativeSession implements RingOwner {
  readonly dave: DaveSession;
  readonly #made: SessionParts;
  #stream: NativeStream | null = null;
  #lease: RingLease | null = null;
  #ssrc = 0;
  #onAddress: (address: string, port: number) => void = () => undefined;

  constructor(made: SessionParts) {
    this.#made = made;
    const { parts, server, gateway } = made;
    this.dave = new DaveSession({
      clock: parts.clock,
      queue: parts.daveQueue,
      userId: server.userId,
      channelId: server.channelId,
      holdMs: parts.times.daveHold,
      out: {
        sendBinary: (op, payload) => {
          gateway.sendBinary(op, payload);
        },
        sendJson: (op, d) => {
          gateway.sendJson(op, d);
        },
        changed: () => this.#stream?.reseal(),
        ignored: () => {
          count(parts.counters, DRIVER.ignored);
        },
      },
    });
  }

  /** Where frames go; null until the session is open, and after its end. */
  get stream(): NativeStream | null {
    return this.#stream;
  }

  /** Asks the voice server what our address is; `answer` may come once. Throws PUM_VOICE_FULL. */
  discover({ address, port, ssrc }: Greeting, answer: (address: string, port: number) => void): void {
    this.#ssrc = ssrc;
    this.#onAddress = answer;
    const lease = this.#made.parts.lease(this, this.#made.server.sender ?? 0);
    this.#lease = lease;
    lease.control.discover(lease.ring.index, address, port, ssrc);
  }

  /** Key and place are known: frames may leave. */
  open({ address, port, ssrc }: Greeting, { mode, key, daveVersion }: Description): void {
    const usable = usableMode([mode]);
    if (this.#lease === null || usable === null) return;
    const { parts, gateway, queue, frames, row } = this.#made;
    const { ring, control } = this.#lease;
    const { clock, lead, counters, random } = parts;
    ring.begin(Math.floor(random() * 0x1_0000), Math.floor(random() * 0x1_0000_0000));
    control.open(ring.index, address, port, row);
    this.#stream = new NativeStream({
      clock,
      queue,
      ring,
      control,
      sealer: createSealer(usable, key),
      dave: this.dave,
      ssrc,
      lead,
      counters,
      row: row !== null && control.outlivesShard ? new SealedRow(row) : null,
      listener: {
        onSent: (at) => {
          frames.onSent(at);
        },
        onGivenUp: (at, why) => {
          frames.onGivenUp(at, why);
        },
        onMissed: (isBlocked) => {
          frames.onMissed(isBlocked);
        },
        onSpeaking: (on) => {
          gateway.sendJson(Op.speaking, { speaking: on ? 1 : 0, delay: 0, ssrc: this.#ssrc });
        },
      },
    });
    key.fill(0);
    this.dave.describe(daveVersion);
    // Members' voices are not wanted: they would cost a tenth of a core in a shard (architecture §4 rule 14).
    gateway.sendJson(Op.mediaSinkWants, { any: 0 });
  }

  /** Ends the session; frames that have not left stay in the queue, those that have are told. */
  handOver(): void {
    const stream = this.#stream;
    // Whoever is told finds no stream to fill any more.
    this.#stream = null;
    stream?.handOver();
    stream?.close();
    this.close();
  }

  /** Ends the session with its key, ring and group. What was not sent is not sent any more. */
  close(): void {
    const stream = this.#stream;
    const lease = this.#lease;
    this.#stream = null;
    this.#lease = null;
    stream?.close();
    lease?.end();
    this.dave.close();
  }

  inspect(): Pick<ConnectionInspection, 'dave' | 'speaking' | 'ring'> {
    const stream = this.#stream?.inspect() ?? { speaking: null, ring: null };
    return { dave: this.dave.inspect(), ...stream };
  }

  discovered(address: string, port: number): void {
    this.#onAddress(address, port);
  }

  quiet(): void {
    this.#stream?.quiet();
  }
}
