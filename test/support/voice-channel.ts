// One voice channel of the fake server: its DAVE delivery and the listeners in it. Made by session-book.ts, on the
// server's thread.

import { DaveDelivery } from './dave-delivery.js';
import { VoiceListener } from './voice-listener.js';
import type { FakeVoiceOptions } from './voice-options.js';

export class VoiceChannel {
  readonly id: string;
  readonly delivery: DaveDelivery;
  readonly #options: FakeVoiceOptions;
  readonly #listeners = new Map<string, VoiceListener>();

  constructor(id: string, options: FakeVoiceOptions, changed: () => void) {
    this.id = id;
    this.#options = options;
    this.delivery = new DaveDelivery(id, options.dave, options.transitionTimeoutMs, changed);
  }

  get listeners(): readonly VoiceListener[] {
    return [...this.#listeners.values()];
  }

  add(userId: string): VoiceListener {
    if (this.delivery.userIds.includes(userId)) throw new Error(`${userId} is in channel ${this.id} already`);
    const listener = new VoiceListener(userId, this.delivery, {
      commits: this.#options.listenerCommits,
      commitDelayMs: this.#options.listenerCommitDelayMs,
    });
    this.#listeners.set(userId, listener);
    listener.join();
    return listener;
  }

  /** Without a user id the newest listener leaves. */
  drop(userId?: string): void {
    const listener = userId === undefined ? this.listeners.at(-1) : this.#listeners.get(userId);
    if (listener === undefined) throw new Error(`no such listener in channel ${this.id}`);
    this.#listeners.delete(listener.userId);
    listener.leave();
  }

  /** Undefined: no listener is in a group; null: none of those who are can decrypt the frame. */
  decrypt(userId: string, frame: Buffer): Buffer | null | undefined {
    let anybody = false;
    for (const listener of this.#listeners.values()) {
      if (!listener.ready) continue;
      anybody = true;
      const opus = listener.decrypt(userId, frame);
      if (opus !== null) return opus;
    }
    return anybody ? null : undefined;
  }

  close(): void {
    for (const listener of this.listeners) this.drop(listener.userId);
    this.delivery.close();
  }
}
