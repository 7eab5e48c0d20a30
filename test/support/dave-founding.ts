// The Adds of a group that nobody has founded yet: one per key package, and who has been sent which of them
// (discord-voice.md §2.4 item 8). Used by dave-delivery.ts, which sends what is named here.

import type { Proposal } from './external-sender.js';

/** Proposals by the user id of whoever is to be told. */
export type Deliveries = ReadonlyMap<string, readonly Proposal[]>;

export class FoundingAdds {
  readonly #adds = new Map<string, Proposal>();
  readonly #sent = new Map<string, Set<Proposal>>();

  /** The Add of that user, in place of an older one that has been withdrawn. */
  offer(userId: string, add: Proposal): void {
    this.#adds.set(userId, add);
  }

  /** What each of them has not had yet, never an Add of its own; from now on it counts as sent. */
  due(userIds: readonly string[]): Deliveries {
    const due = new Map<string, readonly Proposal[]>();
    for (const userId of userIds) {
      const sent = this.#sentTo(userId);
      const fresh = [...this.#adds]
        .filter(([other, add]) => other !== userId && !sent.has(add))
        .map(([, add]) => add);
      for (const add of fresh) sent.add(add);
      if (fresh.length > 0) due.set(userId, fresh);
    }
    return due;
  }

  /** Takes back a user's Add; the answer is who has it and must be told. */
  withdraw(userId: string): Deliveries {
    const add = this.#adds.get(userId);
    this.#adds.delete(userId);
    this.#sent.delete(userId);
    const told = new Map<string, readonly Proposal[]>();
    if (add === undefined) return told;
    for (const [other, sent] of this.#sent) if (sent.delete(add)) told.set(other, [add]);
    return told;
  }

  /** Takes everything back that anybody has. */
  withdrawAll(): Deliveries {
    const told = new Map([...this.#sent].map(([userId, sent]) => [userId, [...sent]]));
    this.clear();
    return told;
  }

  sentTo(userId: string): readonly Proposal[] {
    return [...this.#sentTo(userId)];
  }

  clear(): void {
    this.#adds.clear();
    this.#sent.clear();
  }

  #sentTo(userId: string): Set<Proposal> {
    let sent = this.#sent.get(userId);
    if (sent === undefined) this.#sent.set(userId, (sent = new Set()));
    return sent;
  }
}
