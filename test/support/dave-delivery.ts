// The delivery service of one call: who is in it, the MLS group's leaves, proposals in flight, the first valid
// commit, welcomes and transitions (discord-voice.md §2.2, §2.4). Driven by gateway-connection.ts and by the
// listeners, on the server's thread; never calls a member back while a member is calling it.

import { ExternalSender, appendPayload, revokePayload } from './external-sender.js';
import type { Proposal } from './external-sender.js';
import { condense } from './dave-changes.js';
import { checkCommit } from './dave-commit.js';
import { FoundingAdds, type Deliveries } from './dave-founding.js';
import { introduce, type DaveMember } from './dave-member.js';
import { emptyScore, type DaveReport, type DaveScore } from './dave-report.js';
import { TransitionSlot, type Pending } from './dave-transition.js';
import { LeafTable } from './leaf-table.js';
import { parseCommitWelcome, parseKeyPackage, uint16, uint64 } from './mls.js';
import type { CommitWelcome, KeyPackage } from './mls.js';

export class DaveDelivery {
  readonly channelId: string;
  readonly #groupId: Buffer;
  readonly #sender = new ExternalSender();
  readonly #transitionTimeoutMs: number;
  readonly #onChange: () => void;
  readonly #members = new Map<string, DaveMember>();
  /** Members that were sent op 25. */
  readonly #begun = new Set<string>();
  /** Members that said op 31 and have sent no new key package yet. */
  readonly #astray = new Set<string>();
  readonly #keyPackages = new Map<string, KeyPackage>();

  #version: number;
  #epoch = 0n;
  #established = false;
  readonly #leaves = new LeafTable();
  /** Established: the proposals of this epoch. */
  #inFlight: Proposal[] = [];
  #queue: Pending[] = [];
  /** Those who were sent them. */
  #proposedTo: readonly string[] = [];
  /** References that were taken back in this epoch. */
  readonly #revoked = new Set<string>();
  readonly #founding = new FoundingAdds();
  readonly #transition = new TransitionSlot();

  readonly #score: DaveScore = emptyScore();
  #settledSince: number | null = null;

  constructor(channelId: string, version: number, transitionTimeoutMs: number, onChange: () => void) {
    this.channelId = channelId;
    this.#groupId = uint64(BigInt(channelId));
    this.#version = version;
    this.#transitionTimeoutMs = transitionTimeoutMs;
    this.#onChange = onChange;
  }

  get version(): number {
    return this.#version;
  }

  /** Op 25 payload. */
  get externalSender(): Buffer {
    return this.#sender.payload;
  }

  get userIds(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** Everybody is in one group, or alone without one, and nothing is under way. */
  get settled(): boolean {
    const underWay = this.#inFlight.length + this.#queue.length + this.#astray.size;
    const quiet = underWay === 0 && !this.#transition.busy;
    const all = this.userIds;
    if (all.length === 1) return quiet && !this.#established && this.#keyPackages.has(all[0]!);
    return quiet && this.#established && all.every((userId) => this.#leaves.includes(userId));
  }

  /** For how long a group has been settled under DAVE; 0 while it is not, or while there is none. */
  settledFor(now: number): number {
    if (this.#settledSince === null || !this.#established || this.#version === 0) return 0;
    return now - this.#settledSince;
  }

  // ---- Who is in the call ----

  /** Ops 11, 18 and 20 to those who are there, and to the newcomer about them. */
  enter(member: DaveMember): void {
    const others = [...this.#members.values()];
    this.#members.set(member.userId, member);
    if (others.length > 0) member.deliverJson(11, { user_ids: others.map((other) => other.userId) });
    for (const other of others) {
      introduce(member, other.userId);
      other.deliverJson(11, { user_ids: [member.userId] });
      introduce(other, member.userId);
    }
    this.#changed();
  }

  /** Op 25: from now on the member takes part in the group. */
  begin(userId: string): void {
    this.#begun.add(userId);
    this.#members.get(userId)?.deliverBinary(25, this.externalSender);
  }

  /** The same without the op 25. */
  beginSilently(userId: string): void {
    this.#begun.add(userId);
  }

  /** Op 13 to those who stay, then a Remove, or the reset if nobody is left to commit it. */
  leave(userId: string): void {
    if (!this.#members.delete(userId)) return;
    this.#begun.delete(userId);
    this.#astray.delete(userId);
    this.#keyPackages.delete(userId);
    this.#queue = this.#queue.filter(
      (change) => change.kind === 'remove' || change.keyPackage.userId !== userId,
    );
    this.broadcast(13, { user_id: userId });
    this.#answered(userId);
    if (!this.#established) {
      this.#tellRevoked(this.#founding.withdraw(userId));
    } else if (this.#members.size < 2 || this.#able().length === 0) {
      this.#resetAll();
    } else {
      this.#queue.push({ kind: 'remove', userId });
      this.#propose();
    }
    this.#changed();
  }

  broadcast(op: number, d: unknown, except?: string): void {
    for (const member of this.#members.values()) if (member.userId !== except) member.deliverJson(op, d);
  }

  // ---- What members send ----

  /** Op 26. Throws RangeError when the bytes are not a sound key package of that user. */
  keyPackage(userId: string, payload: Buffer): void {
    const keyPackage = parseKeyPackage(payload);
    if (keyPackage.userId !== userId) throw new RangeError('the key package is of another user');
    if (!this.#begun.has(userId)) throw new RangeError('the key package came before op 25');
    if (!this.#established) this.#tellRevoked(this.#founding.withdraw(userId));
    this.#astray.delete(userId);
    this.#keyPackages.set(userId, keyPackage);
    if (this.#established) {
      if (this.#leaves.includes(userId)) this.#queue.push({ kind: 'remove', userId }); // after op 31
      this.#queue.push({ kind: 'add', keyPackage });
      if (this.#able().length > 0) this.#propose();
      else this.#resetAll();
    } else {
      this.#founding.offer(userId, this.#sender.proposeAdd(this.#groupId, this.#epoch, keyPackage));
      this.#introduceAll();
    }
    this.#changed();
  }

  /** Op 28. The first valid commit of an epoch wins; one of another epoch is dropped without a word. */
  commit(userId: string, payload: Buffer): void {
    try {
      const parsed = parseCommitWelcome(payload);
      const timely = parsed.epoch === this.#epoch && !parsed.refs.some((ref) => this.#revoked.has(ref));
      if (timely && parsed.groupId.equals(this.#groupId)) this.#accept(userId, parsed);
      else this.#score.lateCommits++;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#score.badCommits.push(`${userId}: ${error.message}`);
    }
    this.#changed();
  }

  /** Op 23. */
  ready(userId: string, transitionId: number): void {
    if (this.#transition.is(transitionId)) this.#answered(userId);
    this.#changed();
  }

  /** Op 31: the member will not answer with op 23; its new key package brings it back. */
  invalid(userId: string, transitionId: number): void {
    this.#score.invalid++;
    this.#astray.add(userId);
    this.ready(userId, transitionId);
    if (this.#established && this.#able().length === 0) this.#resetAll();
  }

  // ---- What a test asks for ----

  /** Op 21 to version 0, op 23 awaited, then op 22. */
  downgrade(): void {
    this.#begin(this.userIds, 0, (member, id) =>
      member.deliverJson(21, { protocol_version: 0, transition_id: id }),
    );
  }

  /** Op 24: everybody starts again with a new key package. */
  upgrade(): void {
    this.#version = 1;
    this.#resetGroup();
    this.broadcast(24, { protocol_version: 1, epoch: 1 });
  }

  /** Takes back all proposals in flight, and proposes the same again under other references. */
  revoke(): void {
    if (!this.#established) {
      this.#tellRevoked(this.#founding.withdrawAll());
      for (const [userId, keyPackage] of this.#keyPackages) {
        this.#founding.offer(userId, this.#sender.proposeAdd(this.#groupId, this.#epoch, keyPackage));
      }
      this.#introduceAll();
      return;
    }
    const taken = this.#inFlight;
    if (taken.length === 0) return;
    this.#tellRevoked(new Map(this.#proposedTo.map((userId) => [userId, taken])));
    const seats = this.#leaves.list();
    const again = taken.map(({ change }): Pending => {
      if (change.kind === 'add') return change;
      return { kind: 'remove', userId: seats[change.leaf]! };
    });
    this.#inFlight = [];
    this.#queue = [...again, ...this.#queue];
    this.#propose();
  }

  /** An op 27 whose epoch is not the current one. */
  staleProposals(): Buffer {
    const stale = this.#epoch === 0n ? 1n : this.#epoch - 1n;
    return appendPayload([this.#sender.proposeRemove(this.#groupId, stale, 0)]);
  }

  /** An op 27 that adds somebody whom no op 11 has named. */
  strangerProposals(keyPackage: Buffer): Buffer {
    return appendPayload([this.#sender.proposeAdd(this.#groupId, this.#epoch, parseKeyPackage(keyPackage))]);
  }

  report(): DaveReport {
    return {
      version: this.#version,
      established: this.#established,
      members: [...this.userIds],
      epoch: Number(this.#epoch),
      leaves: this.#leaves.list(),
      ...structuredClone(this.#score),
    };
  }

  close(): void {
    this.#transition.take();
  }

  // ---- Before there is a group ----

  /** Each pending member gets Adds for all the others that it has not had yet (§2.4 item 8). */
  #introduceAll(): void {
    if (this.#keyPackages.size < 2) return;
    for (const [userId, adds] of this.#founding.due([...this.#keyPackages.keys()])) {
      this.#members.get(userId)?.deliverBinary(27, appendPayload(adds));
    }
  }

  #tellRevoked(taken: Deliveries): void {
    for (const [userId, proposals] of taken) {
      for (const { ref } of proposals) this.#revoked.add(ref);
      this.#members.get(userId)?.deliverBinary(27, revokePayload(proposals));
    }
  }

  // ---- The group ----

  /** Turns what is queued into op 27, unless a change is still under way (§2.4 item 8). */
  #propose(): void {
    if (!this.#established || this.#inFlight.length > 0 || this.#transition.busy) return;
    const changes = condense(this.#queue, (userId) => this.#leaves.includes(userId));
    this.#queue = [];
    for (const change of changes) {
      if (change.kind === 'add') {
        this.#inFlight.push(this.#sender.proposeAdd(this.#groupId, this.#epoch, change.keyPackage));
        continue;
      }
      const leaf = this.#leaves.indexOf(change.userId);
      if (leaf >= 0) this.#inFlight.push(this.#sender.proposeRemove(this.#groupId, this.#epoch, leaf));
    }
    if (this.#inFlight.length === 0) return;
    const payload = appendPayload(this.#inFlight);
    this.#proposedTo = this.#live().filter(
      (userId) => !changes.some((change) => change.kind === 'add' && change.keyPackage.userId === userId),
    );
    for (const userId of this.#proposedTo) this.#members.get(userId)?.deliverBinary(27, payload);
  }

  #accept(userId: string, parsed: CommitWelcome): void {
    if (this.#established && !this.#leaves.includes(userId))
      throw new RangeError('the sender is not in the group');
    const expected = this.#established ? this.#inFlight : this.#founding.sentTo(userId);
    // Nothing is changed before everything is checked.
    const { taken, welcomes } = checkCommit(parsed, expected);
    this.#leaves.plant(taken, this.#established ? null : userId);
    this.#epoch++;
    this.#established = true;
    this.#inFlight = [];
    this.#founding.clear();
    this.#revoked.clear();
    for (const added of [userId, ...welcomes.keys()]) this.#keyPackages.delete(added);
    this.#score.commits.push(userId);

    this.#begin(this.#live(), this.#version, (member, id) => {
      const welcome = welcomes.get(member.userId);
      if (welcome === undefined) member.deliverBinary(29, Buffer.concat([uint16(id), parsed.commit]));
      else member.deliverBinary(30, Buffer.concat([uint16(id), welcome]));
    });
  }

  /** Members of the group that are still in the call. */
  #live(): readonly string[] {
    return this.#leaves.userIds.filter((leaf) => this.#members.has(leaf));
  }

  /** Those of them that have not given the group up, and so can still change it. */
  #able(): readonly string[] {
    const changes = [...this.#queue, ...this.#inFlight.map(({ change }) => change)];
    const anew = new Set(changes.map((change) => change.kind === 'add' && change.keyPackage.userId));
    return this.#live().filter((userId) => !this.#astray.has(userId) && !anew.has(userId));
  }

  // ---- Transitions ----

  #begin(
    recipients: readonly string[],
    version: number,
    announce: (member: DaveMember, id: number) => void,
  ): void {
    const { id } = this.#transition.open(recipients, version, this.#transitionTimeoutMs, () => {
      this.#score.transitionTimeouts++;
      this.#execute();
    });
    for (const userId of recipients) {
      const member = this.#members.get(userId);
      if (member !== undefined) announce(member, id);
    }
    // Somebody who left while the commit was made is in the group all the same.
    for (const leaf of this.#leaves.userIds) {
      const leaving = this.#queue.some((change) => change.kind === 'remove' && change.userId === leaf);
      if (!this.#members.has(leaf) && !leaving) this.#queue.push({ kind: 'remove', userId: leaf });
    }
  }

  #answered(userId: string): void {
    if (this.#transition.answered(userId)) this.#execute();
  }

  /** Op 22, then the next change that was held back. */
  #execute(): void {
    const transition = this.#transition.take();
    if (transition === null) return;
    this.#version = transition.version;
    this.#score.executed.push(transition.id);
    for (const userId of transition.recipients) {
      this.#members.get(userId)?.deliverJson(22, { transition_id: transition.id });
    }
    this.#propose();
    this.#changed();
  }

  #changed(): void {
    if (!this.settled) this.#settledSince = null;
    else this.#settledSince ??= performance.now();
    this.#onChange();
  }

  /** Sole-member reset: a new group that is not established, and everybody starts again (§2.4 item 9). */
  #resetAll(): void {
    this.#resetGroup();
    if (this.#members.size === 0) return;
    this.#score.executed.push(0);
    this.broadcast(24, { protocol_version: 1, epoch: 1 });
    this.broadcast(21, { protocol_version: 1, transition_id: 0 });
  }

  #resetGroup(): void {
    this.#transition.take();
    this.#epoch = 0n;
    this.#established = false;
    this.#leaves.clear();
    this.#inFlight = [];
    this.#queue = [];
    this.#founding.clear();
    this.#revoked.clear();
    this.#keyPackages.clear();
    this.#astray.clear();
  }
}
