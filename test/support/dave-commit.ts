// Whether a commit takes what is proposed, no more and no less, and what it has for those it adds
// (discord-voice.md §2.4 items 5 and 7). Pure; called by dave-delivery.ts.

import type { Proposal } from './external-sender.js';
import { welcomeFor, type CommitWelcome } from './mls.js';

export interface SoundCommit {
  /** In the commit's own order. */
  readonly taken: readonly Proposal[];
  /** By user id, each with that member's secrets only. */
  readonly welcomes: ReadonlyMap<string, Buffer>;
}

/** Throws RangeError for a commit that is not sound. */
export function checkCommit(parsed: CommitWelcome, expected: readonly Proposal[]): SoundCommit {
  const byRef = new Map(expected.map((proposal) => [proposal.ref, proposal]));
  const taken = parsed.refs.map((ref) => byRef.get(ref));
  const complete = taken.length === byRef.size && new Set(parsed.refs).size === byRef.size;
  if (!complete || byRef.size === 0 || !taken.every((proposal) => proposal !== undefined)) {
    throw new RangeError('the commit must take every proposal in flight and nothing else');
  }
  const welcomes = new Map<string, Buffer>();
  for (const { change } of taken) {
    if (change.kind !== 'add') continue;
    if (parsed.welcome === null) throw new RangeError('the commit adds members and has no welcome');
    welcomes.set(change.keyPackage.userId, welcomeFor(parsed.welcome, change.keyPackage.ref));
  }
  return { taken, welcomes };
}
