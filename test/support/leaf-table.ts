// The leaves of an MLS group as far as a delivery service must know them: who sits where (discord-voice.md §2.4
// item 6). The first committer is leaf 0; Removes blank a leaf, then Adds fill from the left.
import type { Proposal } from './external-sender.js';

export class LeafTable {
  #leaves: (string | null)[] = [];

  /** User ids in leaf order, null where blank. */
  list(): (string | null)[] {
    return [...this.#leaves];
  }

  /** The same without the blanks. */
  get userIds(): readonly string[] {
    return this.#leaves.filter((leaf) => leaf !== null);
  }

  includes(userId: string): boolean {
    return this.#leaves.includes(userId);
  }

  indexOf(userId: string): number {
    return this.#leaves.indexOf(userId);
  }

  /** A commit's proposals in its own order; `founder` committed the first one of a new group, else null. */
  plant(taken: readonly Proposal[], founder: string | null): void {
    if (founder !== null) this.#leaves = [founder];
    for (const { change } of taken) if (change.kind === 'remove') this.#leaves[change.leaf] = null;
    for (const { change } of taken) {
      if (change.kind !== 'add') continue;
      const blank = this.#leaves.indexOf(null);
      this.#leaves[blank < 0 ? this.#leaves.length : blank] = change.keyPackage.userId;
    }
  }

  clear(): void {
    this.#leaves = [];
  }
}
