// What a session's client misses while it is away, in order, up to a ceiling. It never drops a message:
// when it is full it says so, and the session is ended visibly (decision D4). Main thread.
import type { OutMessage } from './messages.js';

export interface ResumeLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

export class ResumeQueue {
  readonly #limits: ResumeLimits;
  #messages: OutMessage[] = [];
  #bytes = 0;

  constructor(limits: ResumeLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#messages.length;
  }

  /** False when the message does not fit any more; it is then not kept. */
  push(message: OutMessage): boolean {
    const bytes = Buffer.byteLength(message.text);
    if (this.#messages.length >= this.#limits.maxEvents || this.#bytes + bytes > this.#limits.maxBytes) {
      return false;
    }
    this.#messages.push(message);
    this.#bytes += bytes;
    return true;
  }

  /** Hands everything over, oldest first, and is empty again. */
  take(): readonly OutMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }
}
