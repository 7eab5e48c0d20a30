// What is left of the changes that had to wait for one another, when their turn has come: nobody is taken out or in
// twice (an MLS commit has one proposal per leaf), and who is put in anew is taken out first. Pure; called by
// dave-delivery.ts.

import type { Pending } from './dave-transition.js';

/** Removes of those who are `seated`, then the newest Add of each. */
export function condense(changes: readonly Pending[], seated: (userId: string) => boolean): Pending[] {
  const adds = new Map<string, Pending>();
  const users = new Set<string>();
  for (const change of changes) {
    const userId = change.kind === 'add' ? change.keyPackage.userId : change.userId;
    users.add(userId);
    if (change.kind === 'add') adds.set(userId, change);
  }
  const removes = [...users].filter(seated).map((userId): Pending => ({ kind: 'remove', userId }));
  return [...removes, ...adds.values()];
}
