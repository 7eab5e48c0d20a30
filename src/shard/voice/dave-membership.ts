// One voice session's place in the call's MLS group: what the binary messages of the gateway do to it, how it is
// begun, and begun anew when a message could not be followed (discord-voice.md §2.2). Made by dave-session.ts, in a
// shard. Every blocking call waits for its turn in the shard's queue.

import type { Clock, Timer } from '../../shared/clock.js';
import { VOICE } from '../../shared/limits.js';
import { DaveGroup } from './dave.js';
import { DaveOp, isExternalSender, keyPackageRef } from './dave-payloads.js';
import type { DaveCall, DaveQueue } from './dave-queue.js';

/** External senders of which the newer may be damaged, and key packages whose welcomes may still be under way. */
const REMEMBERED = 4;

export interface MembershipOut {
  sendBinary(op: number, payload: Uint8Array): void;
  sendJson(op: number, d: object): void;
  ignored(): void;
  /** `ready` may have changed. */
  settle(): void;
}

export interface MembershipParts {
  readonly clock: Clock;
  readonly queue: DaveQueue;
  readonly userId: string;
  readonly channelId: string;
}

export class DaveMembership {
  readonly #parts: MembershipParts;
  readonly #out: MembershipOut;
  #group: DaveGroup | null = null;
  #begun = false;
  #ready = false;
  /** Op 25 as it came, the newest last, and the one that the group has. */
  #senders: readonly Uint8Array[] = [];
  #applied: Uint8Array | null = null;
  /** Transition id of the commit or welcome that was followed last in this group, 0 for none. */
  #followed = 0;
  /** References of the key packages sent, the newest last. */
  #introduced: readonly Buffer[] = [];
  /** Transition id of a commit that came while we were in no group: the server may believe that we are. */
  #astray: number | null = null;
  /** Commits and welcomes in a row that could not be followed, and the wait before a new beginning. */
  #failures = 0;
  #retry: Timer | null = null;

  constructor(parts: MembershipParts, out: MembershipOut) {
    this.#parts = parts;
    this.#out = out;
  }

  /** The group's keys are those of the call; false from the moment at which they are known not to be. */
  get ready(): boolean {
    return this.#ready;
  }

  /** There is a group, or one is on its way. */
  get begun(): boolean {
    return this.#begun;
  }

  encrypt(frame: Uint8Array): Uint8Array | null {
    return this.#ready ? (this.#group?.encryptOpus(frame) ?? null) : null;
  }

  // ---- Beginning and end ----

  /** Leaves the group that there was, and sends a key package for the next one. */
  start(): void {
    this.#leave();
    this.#begun = true;
    this.#enqueue(() => {
      this.#begin();
      return () => this.#applySender(() => this.#introduce());
    }, 0);
  }

  /** The same for everybody in the call (op 24): what failed before does not count any more. */
  startAfresh(): void {
    this.#failures = 0;
    this.start();
  }

  /** Makes itself known once more, since nothing has brought the group about. */
  renew(): void {
    const id = this.#astray;
    if (id !== null) this.#out.sendJson(DaveOp.invalidCommitWelcome, { transition_id: id });
    this.start();
  }

  /** Ends without a successor. */
  end(): void {
    this.#leave();
    this.#endGroup();
    this.#begun = false;
  }

  /** The old group's object with new keys, or else a new one. */
  #begin(): void {
    if (this.#group?.reinit() === true) return;
    this.#endGroup();
    this.#group = DaveGroup.create(this.#parts.userId, this.#parts.channelId);
  }

  #introduce(): null {
    const keyPackage = this.#group?.keyPackage() ?? null;
    if (keyPackage === null) {
      this.#out.ignored();
      return null;
    }
    this.#introduced = [...this.#introduced, keyPackageRef(keyPackage)].slice(-REMEMBERED);
    this.#out.sendBinary(DaveOp.keyPackage, keyPackage);
    return null;
  }

  /** Nothing is sealed with the group's keys any more, and what waits for it is void. */
  #leave(): void {
    this.#parts.queue.drop(this);
    this.#retry?.cancel();
    this.#retry = null;
    this.#ready = false;
    this.#followed = 0;
    this.#astray = null;
  }

  #endGroup(): void {
    this.#group?.close();
    this.#group = null;
    this.#applied = null;
  }

  // ---- Messages ----

  /** Op 25, at any time: it is kept for the group that is to come. */
  externalSender(payload: Uint8Array): void {
    const last = this.#senders.at(-1);
    if (last !== undefined && Buffer.compare(last, payload) === 0) return;
    if (!isExternalSender(payload)) {
      this.#out.ignored();
      return;
    }
    // A copy: the message may be a view of a much larger piece of what the socket has read.
    this.#senders = [...this.#senders, Uint8Array.from(payload)].slice(-REMEMBERED);
    this.#enqueue(() => this.#applySender(null), payload.length);
  }

  /** Op 27; `known` are the others in the call at this moment. */
  proposals(payload: Uint8Array, known: readonly string[]): void {
    this.#enqueue(() => {
      const answer = this.#group?.processProposals(payload, known) ?? null;
      if (answer === null) this.#out.ignored();
      else if (answer.length > 0) this.#out.sendBinary(DaveOp.commitWelcome, answer);
      return null;
    }, payload.length);
  }

  /** Op 29 or 30 without the transition id in front. */
  change(op: number, id: number, bytes: Uint8Array): void {
    if (!this.#enqueue(() => this.#follow(op, id, bytes), bytes.length)) this.#fail(id);
  }

  /** Gives the group the newest external sender that the library takes. */
  #applySender(then: DaveCall | null): DaveCall | null {
    const group = this.#group;
    const sender = this.#senders.at(-1);
    if (group === null || sender === undefined || sender === this.#applied) return then;
    if (!group.pending) {
      // Inside a group there is no other; it is kept for the next one.
      this.#out.ignored();
      return then;
    }
    if (group.setExternalSender(sender)) {
      this.#applied = sender;
      return then;
    }
    this.#out.ignored();
    this.#senders = this.#senders.slice(0, -1);
    return () => this.#applySender(then);
  }

  /** Into the next epoch, and op 23; or op 31 and a new beginning. */
  #follow(op: number, id: number, bytes: Uint8Array): null {
    const group = this.#group;
    if (group === null || (id !== 0 && id === this.#followed)) {
      this.#out.ignored();
      return null;
    }
    const { pending } = group;
    if (op === DaveOp.commit ? group.processCommit(bytes) : group.processWelcome(bytes)) {
      this.#followed = id;
      this.#astray = null;
      this.#failures = 0;
      this.#ready = group.ready;
      this.#out.settle();
      if (id !== 0) this.#out.sendJson(DaveOp.transitionReady, { transition_id: id });
      return null;
    }
    this.#out.ignored();
    if (op === DaveOp.welcome) {
      if (!this.#isOutrun(bytes)) this.#fail(id);
    } else if (pending) {
      // Of a group that is still to take us in; libdave ignores it too.
      this.#astray = id;
    } else {
      this.#fail(id);
    }
    return null;
  }

  /** A welcome for a key package that we have replaced since: one for the newer is to follow. */
  #isOutrun(welcome: Uint8Array): boolean {
    const { buffer, byteOffset, length } = welcome;
    const bytes = Buffer.from(buffer, byteOffset, length);
    return this.#introduced.slice(0, -1).some((ref) => bytes.includes(ref));
  }

  /** Op 31, and a key package for a new beginning: the first time at once, from then on after a wait. */
  #fail(id: number): void {
    const { clock } = this.#parts;
    if (this.#failures === 0) {
      this.start();
    } else {
      this.end();
      this.#begun = true;
      const wait = VOICE.daveRetryFirst * 2 ** (this.#failures - 1);
      this.#retry = clock.after(Math.min(wait, VOICE.daveRetryLast), () => {
        this.start();
      });
    }
    this.#failures++;
    this.#out.settle();
    this.#out.sendJson(DaveOp.invalidCommitWelcome, { transition_id: id });
  }

  /** False, and counted, when too much of this connection waits. */
  #enqueue(call: DaveCall, size: number): boolean {
    const waits = this.#parts.queue.add(this, call, size);
    if (!waits) this.#out.ignored();
    return waits;
  }
}
