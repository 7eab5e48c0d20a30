// What the call's delivery service has for one bot, with the faults that concern single messages committed on the
// way (discord-voice.md §2.4). Owned by voice-session.ts, on the server's thread.

import type { VoiceChannel } from './voice-channel.js';
import type { VoiceFaults } from './voice-options.js';

/** The session at the far end. */
export interface LineEnd {
  readonly faults: VoiceFaults;
  readonly channel: VoiceChannel;
  sendJson(op: number, d: unknown): void;
  sendBinary(op: number, payload: Buffer): void;
}

const APPEND = 0;

export class VoiceLine {
  readonly #end: LineEnd;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Ops that a fault which is committed once has been committed on. */
  readonly #damaged = new Set<number>();
  #heldNames: unknown[] = [];
  #proposed = false;

  constructor(end: LineEnd) {
    this.#end = end;
  }

  json(op: number, d: unknown): void {
    if (op === 11 && this.#end.faults.unknownUserProposals === true) this.#heldNames.push(d);
    else if (op === 22) this.#execute(d);
    else this.#end.sendJson(op, d);
  }

  binary(op: number, payload: Buffer): void {
    const { corruptCommit, corruptWelcome, commitTwice } = this.#end.faults;
    if (op === 29) {
      this.#end.sendBinary(op, corruptCommit === true ? this.#damage(op, payload) : payload);
      if (commitTwice === true) this.#end.sendBinary(op, payload);
    } else if (op === 30) {
      this.#end.sendBinary(op, corruptWelcome === true ? this.#damage(op, payload) : payload);
    } else {
      this.#end.sendBinary(op, payload);
    }
    if (op === 27) this.#behindProposals(payload);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #behindProposals(payload: Buffer): void {
    for (const names of this.#heldNames) this.#end.sendJson(11, names);
    this.#heldNames = [];
    if (this.#proposed || payload[0] !== APPEND) return;
    this.#proposed = true;
    const { faults, channel } = this.#end;
    if (faults.externalSender === 'behind-proposals') {
      this.#end.sendBinary(25, channel.delivery.externalSender);
    }
    // Not at once: the delivery is in the midst of telling everybody.
    if (faults.revokesProposals === true) queueMicrotask(() => channel.delivery.revoke());
  }

  /** Op 22, late or never if a fault says so. */
  #execute(d: unknown): void {
    const { executeDelayMs, staleProposals } = this.#end.faults;
    if (executeDelayMs === null) return;
    const execute = () => {
      this.#end.sendJson(22, d);
      if (staleProposals === true) this.#end.sendBinary(27, this.#end.channel.delivery.staleProposals());
    };
    if (executeDelayMs === undefined) {
      execute();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      execute();
    }, executeDelayMs);
    this.#timers.add(timer);
  }

  /** The first payload of that op with its last byte turned over, the others as they are. */
  #damage(op: number, payload: Buffer): Buffer {
    if (this.#damaged.has(op)) return payload;
    this.#damaged.add(op);
    const damaged = Buffer.from(payload);
    damaged[damaged.length - 1]! ^= 0xff;
    return damaged;
  }
}
