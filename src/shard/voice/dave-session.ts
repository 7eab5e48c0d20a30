// The DAVE protocol of one voice session: from the gateway's messages, in whatever order they come, to the way in
// which frames must leave (discord-voice.md §2.2; decision "DAVE not ready"). Made by native-connection.ts for each
// Identify, in a shard. What is damaged, stale or unknown is counted and forgotten; nothing here throws.

import type { Clock, Timer } from '../../shared/clock.js';
import type { DaveInspection } from '../../shared/inspection.js';
import { VOICE } from '../../shared/limits.js';
import { DAVE_VERSION } from './dave.js';
import { DaveMembership } from './dave-membership.js';
import { DaveOp, readEpoch, readExecution, readTransition } from './dave-payloads.js';
import type { DaveQueue } from './dave-queue.js';

export interface DaveOut {
  sendBinary(op: number, payload: Uint8Array): void;
  sendJson(op: number, d: object): void;
  /** The way frames must leave has changed between plain, sealed and not at all: what is sealed ahead is void. */
  changed(): void;
  /** A message that was ignored, for the counter. */
  ignored(): void;
}

export interface DaveParts {
  readonly clock: Clock;
  readonly queue: DaveQueue;
  /** The bot's own. */
  readonly userId: string;
  readonly channelId: string;
  readonly out: DaveOut;
  /** How long frames may wait for the group, in milliseconds. */
  readonly holdMs: number;
}

/**
 * `hold`: others are in the call and the group is not ready, so frames wait; `withheld`: they have waited long
 * enough, the player's clock goes on and frames are given up. In neither may anything go out plain.
 */
export type FrameWay = 'plain' | 'sealed' | 'hold' | 'withheld';

/** What the library reads as a user id: one that is none would make it refuse every proposal. */
const USER_ID = /^\d{1,19}$/;
/** A transition to another epoch of the group: the version stays. */
const SAME_VERSION = -1;

export class DaveSession {
  readonly #parts: DaveParts;
  readonly #membership: DaveMembership;
  readonly #others = new Set<string>();
  /** Announced and not executed: transition id → the version that it brings. */
  readonly #transitions = new Map<number, number>();
  /** In force: -1 before op 4, 0 without DAVE. */
  #version = -1;
  #way: 'plain' | 'sealed' | 'none' = 'none';
  /** Clock time since which frames wait; -1 for not. */
  #waitsSince = -1;
  /** New beginnings in a row because no group came about, and the wait before the next. */
  #renewals = 0;
  #renewal: Timer | null = null;
  #closed = false;

  constructor(parts: DaveParts) {
    this.#parts = parts;
    const { out } = parts;
    this.#membership = new DaveMembership(parts, {
      sendBinary: (op, payload) => {
        out.sendBinary(op, payload);
      },
      sendJson: (op, d) => {
        out.sendJson(op, d);
      },
      ignored: () => {
        out.ignored();
      },
      settle: () => {
        this.#settle();
      },
    });
  }

  get frameWay(): FrameWay {
    if (this.#way !== 'none') return this.#way;
    if (this.#waitsSince < 0) return 'hold';
    return this.#parts.clock.now() - this.#waitsSince < this.#parts.holdMs ? 'hold' : 'withheld';
  }

  inspect(): DaveInspection {
    const { begun, ready } = this.#membership;
    const since = this.#waitsSince;
    return {
      version: this.#version < 0 ? null : this.#version,
      frames: this.frameWay,
      group: ready ? 'ready' : begun ? 'forming' : 'none',
      others: this.#others.size,
      waitedMs: since < 0 ? null : Math.round(this.#parts.clock.now() - since),
    };
  }

  /** The frame as it leaves: sealed, or silence as it is; null when it is not to be sealed now, or cannot be. */
  encrypt(frame: Uint8Array): Uint8Array | null {
    if (isSilence(frame)) return frame;
    return this.#way === 'sealed' ? this.#membership.encrypt(frame) : null;
  }

  /** Op 4. With a version that was not offered no group begins, and nothing leaves plain while others are there. */
  describe(version: number): void {
    if (this.#closed || version === this.#version) return;
    this.#version = version;
    if (version === DAVE_VERSION) this.#membership.start();
    else if (version !== 0) this.#parts.out.ignored();
    this.#settle();
  }

  /** Op 11. */
  usersConnected(ids: readonly string[]): void {
    for (const id of ids) {
      if (id === this.#parts.userId) continue;
      if (USER_ID.test(id) && this.#others.size < VOICE.maxCallMembers) this.#others.add(id);
      else this.#parts.out.ignored();
    }
    this.#settle();
  }

  /** Op 13. */
  userLeft(id: string): void {
    this.#others.delete(id);
    this.#settle();
  }

  /** Ops 25, 27, 29 and 30. The bytes must stay as they are. */
  binary(op: number, payload: Uint8Array): void {
    if (this.#closed) return;
    if (op === DaveOp.externalSender) {
      this.#membership.externalSender(payload);
    } else if (op === DaveOp.proposals) {
      // As they are now: who leaves before the turn comes was there when the server proposed.
      this.#membership.proposals(payload, [...this.#others]);
    } else if ((op === DaveOp.commit || op === DaveOp.welcome) && payload.length > 2) {
      const id = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
      if (id !== 0 && !this.#transitions.has(id)) this.#announce(id, SAME_VERSION);
      this.#membership.change(op, id, payload.subarray(2));
    } else {
      this.#parts.out.ignored();
    }
  }

  /** Ops 21, 22 and 24; they hold at once. */
  json(op: number, d: unknown): void {
    if (this.#closed) return;
    if (op === DaveOp.prepareTransition) this.#prepareTransition(d);
    else if (op === DaveOp.executeTransition) this.#executeTransition(d);
    else if (op === DaveOp.prepareEpoch) this.#prepareEpoch(d);
    else this.#parts.out.ignored();
  }

  close(): void {
    this.#closed = true;
    this.#membership.end();
    this.#renewal?.cancel();
    this.#others.clear();
    this.#way = 'none';
  }

  // ---- Transitions ----

  #prepareTransition(d: unknown): void {
    const transition = readTransition(d);
    if (transition === null) {
      this.#parts.out.ignored();
    } else if (transition.id === 0) {
      this.#bring(transition.version);
    } else {
      this.#announce(transition.id, transition.version);
      this.#parts.out.sendJson(DaveOp.transitionReady, { transition_id: transition.id });
    }
  }

  #executeTransition(d: unknown): void {
    const id = readExecution(d);
    const version = id === null ? undefined : this.#transitions.get(id);
    if (id === null || version === undefined) {
      this.#parts.out.ignored();
      return;
    }
    this.#transitions.delete(id);
    if (version !== SAME_VERSION) this.#bring(version);
  }

  /** Epoch 1: everybody starts again. A later one would bring another version, of which there is none. */
  #prepareEpoch(d: unknown): void {
    const next = readEpoch(d);
    if (next === null) {
      this.#parts.out.ignored();
    } else if (next.epoch === 1) {
      // What was announced before belongs to the old group, a downgrade too: better silence than plain frames.
      this.#transitions.clear();
      this.#version = next.version;
      if (next.version > 0) this.#membership.startAfresh();
      else this.#membership.end();
      this.#settle();
    }
  }

  #announce(id: number, version: number): void {
    this.#transitions.delete(id);
    this.#transitions.set(id, version);
    if (this.#transitions.size <= VOICE.maxDaveTransitions) return;
    for (const oldest of this.#transitions.keys()) {
      this.#transitions.delete(oldest);
      return;
    }
  }

  #bring(version: number): void {
    this.#version = version;
    if (version > 0 && !this.#membership.begun) this.#membership.start();
    this.#settle();
  }

  // ---- The way of frames ----

  /** Draws the consequences of whatever has changed. */
  #settle(): void {
    if (this.#closed) return;
    const way = this.#wanted();
    if (way === 'none' && this.#version > 0) this.#wait();
    else this.#waitNoMore(way === 'sealed');
    if (way === this.#way) return;
    this.#way = way;
    this.#parts.out.changed();
  }

  #wanted(): 'plain' | 'sealed' | 'none' {
    if (this.#version < 0) return 'none';
    if (this.#version === 0) return 'plain';
    if (this.#membership.ready) return 'sealed';
    return this.#others.size === 0 ? 'plain' : 'none';
  }

  #wait(): void {
    const { clock } = this.#parts;
    if (this.#waitsSince < 0) this.#waitsSince = clock.now();
    const wait = Math.min(VOICE.daveRenewFirst * 2 ** this.#renewals, VOICE.daveRenewLast);
    this.#renewal ??= clock.after(wait, () => {
      this.#renewal = null;
      this.#renewals++;
      this.#membership.renew();
      this.#settle();
    });
  }

  #waitNoMore(ready: boolean): void {
    this.#waitsSince = -1;
    this.#renewal?.cancel();
    this.#renewal = null;
    if (ready) this.#renewals = 0;
  }
}

/** F8 FF FE, which is never encrypted and accepted by everybody (discord-voice.md §2.3). */
function isSilence(frame: Uint8Array): boolean {
  return frame.length === 3 && frame[0] === 0xf8 && frame[1] === 0xff && frame[2] === 0xfe;
}
