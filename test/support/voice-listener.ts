// A human in the call: a DAVE session of its own inside the fake voice server, which joins, commits, follows
// every transition and decrypts what a bot sends (discord-voice.md §2.2). Answers the delivery in later turns of
// the event loop, as a client on the network would; a refusal of its library is kept in `complaints`.

import { DAVESession } from '@snazzah/davey';
import type { DaveDelivery } from './dave-delivery.js';
import type { DaveMember } from './dave-member.js';

const MEDIA_AUDIO = 0;
const APPEND = 0;
const REVOKE = 1;
const STRANGER = '999999999999999999';

export interface ListenerOptions {
  readonly commits: boolean;
  readonly commitDelayMs: number;
}

export class VoiceListener implements DaveMember {
  readonly userId: string;
  /** What the library refused, in words; empty in a sound call. */
  readonly complaints: string[] = [];
  readonly #delivery: DaveDelivery;
  readonly #options: ListenerOptions;
  readonly #session: DAVESession;
  readonly #known = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #present = true;

  constructor(userId: string, delivery: DaveDelivery, options: ListenerOptions) {
    this.userId = userId;
    this.#delivery = delivery;
    this.#options = options;
    this.#session = new DAVESession(1, userId, delivery.channelId);
  }

  get ready(): boolean {
    return this.#present && this.#session.ready;
  }

  /** -1 while there is no group. */
  get epoch(): number {
    return Number(this.#session.epoch ?? -1n);
  }

  /** 30 digits that are the same for all members; empty while there is no group. */
  get privacyCode(): string {
    return this.#session.voicePrivacyCode;
  }

  join(): void {
    this.#delivery.enter(this);
    this.#delivery.begin(this.userId);
  }

  leave(): void {
    this.#present = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#delivery.leave(this.userId);
  }

  /** The Opus frame inside a DAVE frame of that user, or null when this listener has no key for it. */
  decrypt(userId: string, frame: Buffer): Buffer | null {
    if (!this.#session.ready) return null;
    try {
      return this.#session.decrypt(userId, MEDIA_AUDIO, frame);
    } catch {
      return null;
    }
  }

  /** An Opus frame as this member would send it: end-to-end encrypted while it is in a group. */
  encrypt(opus: Buffer): Buffer {
    return this.ready ? this.#session.encryptOpus(opus) : opus;
  }

  deliverJson(op: number, d: unknown): void {
    if (op === 11) for (const userId of (d as { user_ids: string[] }).user_ids) this.#known.add(userId);
    else if (op === 13) this.#known.delete((d as { user_id: string }).user_id);
    else if (op === 21) this.#prepareTransition(d as { protocol_version: number; transition_id: number });
    else if (op === 24) this.#startAgain();
  }

  deliverBinary(op: number, payload: Buffer): void {
    if (op === 25) {
      this.#try('op 25', () => this.#session.setExternalSender(payload));
      this.#sendKeyPackage();
    } else if (op === 27) {
      this.#proposals(payload);
    } else if (op === 29) {
      this.#transition(payload, () => this.#session.processCommit(payload.subarray(2)));
    } else if (op === 30) {
      this.#transition(payload, () => this.#session.processWelcome(payload.subarray(2)));
    }
  }

  #proposals(payload: Buffer): void {
    this.#try('op 27', () => {
      const kind = payload[0] === APPEND ? APPEND : REVOKE;
      const { commit, welcome } = this.#session.processProposals(kind, payload.subarray(1), [...this.#known]);
      if (commit === undefined || !this.#options.commits) return;
      const op28 = welcome === undefined ? commit : Buffer.concat([commit, welcome]);
      this.#later(this.#options.commitDelayMs, () => this.#delivery.commit(this.userId, op28));
    });
  }

  /** Ops 29 and 30: op 23, or op 31 and a new beginning. */
  #transition(payload: Buffer, process: () => void): void {
    const id = payload.readUInt16BE(0);
    if (this.#try('ops 29 and 30', process)) {
      this.#later(0, () => this.#delivery.ready(this.userId, id));
    } else {
      this.#later(0, () => this.#delivery.invalid(this.userId, id));
      this.#startAgain();
    }
  }

  #prepareTransition(d: { readonly protocol_version: number; readonly transition_id: number }): void {
    if (d.protocol_version === 0) this.#session.setPassthroughMode(true);
    if (d.transition_id > 0) this.#later(0, () => this.#delivery.ready(this.userId, d.transition_id));
  }

  #startAgain(): void {
    this.#try('op 24', () => this.#session.reinit(1, this.userId, this.#delivery.channelId));
    this.#sendKeyPackage();
  }

  #sendKeyPackage(): void {
    const keyPackage = this.#session.getSerializedKeyPackage();
    this.#later(0, () => this.#delivery.keyPackage(this.userId, keyPackage));
  }

  #try(what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.complaints.push(`${what}: ${String(error)}`);
      return false;
    }
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#present) action();
    }, ms);
    this.#timers.add(timer);
  }
}

/** The key package of somebody who is not in the call. */
export function strangerKeyPackage(delivery: DaveDelivery): Buffer {
  const session = new DAVESession(1, STRANGER, delivery.channelId);
  session.setExternalSender(delivery.externalSender);
  return session.getSerializedKeyPackage();
}
