// The only importer of @snazzah/davey: one member's side of one call's MLS group (discord-voice.md §2). Called
// by dave-session.ts in a shard; every call but `ready` and `encryptOpus` blocks for milliseconds, so those go
// through dave-queue.ts. Nothing here throws: what the library refuses comes back as false or null.

import { DAVESession, type ProposalsOperationType } from '@snazzah/davey';

/** The DAVE protocol version that is spoken here, and the highest one. */
export const DAVE_VERSION = 1;

/** davey's numbers (§2.6): its own enums have no members at run time. */
const PENDING = 1;
/** Append and revoke. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- for the same reason
const KINDS: readonly ProposalsOperationType[] = [0, 1];

const NOTHING = new Uint8Array(0);
const SENDER_MEMBER = 1;
/** Of a commit: version, wire format, an 8 byte group id with its size and the epoch lie before its sender. */
const SENDER_AT = 2 + 2 + 9 + 8;

/** Loads and warms the library's native code, which the first connection would otherwise wait for. */
export function prepareDave(): Promise<void> {
  const group = DaveGroup.create('1', '1');
  group?.keyPackage();
  group?.close();
  return Promise.resolve();
}

export class DaveGroup {
  readonly #userId: string;
  readonly #channelId: string;
  #session: DAVESession | null;
  #externalSender: Uint8Array | null = null;
  /** The commit made last: the only one of ours that the library can follow. */
  #commit: Uint8Array | null = null;

  private constructor(session: DAVESession, userId: string, channelId: string) {
    this.#session = session;
    this.#userId = userId;
    this.#channelId = channelId;
  }

  /** Null when the library refuses the ids. */
  static create(userId: string, channelId: string): DaveGroup | null {
    const session = attempt(() => new DAVESession(DAVE_VERSION, userId, channelId));
    return session === null ? null : new DaveGroup(session, userId, channelId);
  }

  /** There is a group with keys in it: frames can be encrypted. */
  get ready(): boolean {
    return this.#session?.ready ?? false;
  }

  /** In no group yet, and no commit of ours under way that would make one. */
  get pending(): boolean {
    return (this.#session?.status ?? PENDING) <= PENDING;
  }

  /** Leaves the group and starts again with new keys; the external sender stays. */
  reinit(): boolean {
    this.#commit = null;
    return this.#attempt((session) => session.reinit(DAVE_VERSION, this.#userId, this.#channelId));
  }

  /** Op 25. Refused ones change nothing, nor does any once there is a group. */
  setExternalSender(payload: Uint8Array): boolean {
    if (!this.pending) return false;
    if (this.#attempt((session) => session.setExternalSender(bytes(payload)))) {
      this.#externalSender = payload;
      return true;
    }
    // The library has thrown its pending group away before it looked at the bytes.
    const last = this.#externalSender;
    if (last !== null) this.#attempt((session) => session.setExternalSender(bytes(last)));
    return false;
  }

  /** Op 26; a new one each time. */
  keyPackage(): Uint8Array | null {
    return attempt(() => this.#session?.getSerializedKeyPackage() ?? null);
  }

  /**
   * Op 27. Returns the bytes of op 28, empty when nothing is left to commit, or null when refused: stale, damaged,
   * without a group, or adding somebody who is not in `known`.
   */
  processProposals(payload: Uint8Array, known: readonly string[]): Uint8Array | null {
    const kind = KINDS[payload[0] ?? KINDS.length];
    const session = this.#session;
    if (session === null || kind === undefined) return null;
    const proposals = bytes(payload.subarray(1));
    const result = attempt(() => session.processProposals(kind, proposals, [...known]));
    if (result === null) return null;
    const { commit, welcome } = result;
    this.#commit = commit ?? null;
    if (commit === undefined) return NOTHING;
    return welcome === undefined ? commit : Buffer.concat([commit, welcome]);
  }

  /** The commit inside op 29. One that leads nowhere is refused: it would begin the same key's nonces anew. */
  processCommit(commit: Uint8Array): boolean {
    if (this.#isLost(commit)) return false;
    const epoch = this.#session?.epoch;
    const holds = this.#attempt((session) => session.processCommit(bytes(commit)));
    return this.#followed(holds && this.#session?.epoch !== epoch);
  }

  /** The welcome inside op 30. */
  processWelcome(welcome: Uint8Array): boolean {
    return this.#followed(this.#attempt((session) => session.processWelcome(bytes(welcome))));
  }

  /** One Opus frame with 12 to 16 bytes more, or null. */
  encryptOpus(frame: Uint8Array): Uint8Array | null {
    if (this.#session === null) return null;
    try {
      return this.#session.encryptOpus(bytes(frame));
    } catch {
      return null;
    }
  }

  /** Lets go of keys and tree; afterwards every call is refused. */
  close(): void {
    this.#attempt((session) => session.reset());
    this.#session = null;
    this.#commit = null;
  }

  #followed(holds: boolean): boolean {
    if (holds) this.#commit = null;
    return holds;
  }

  /**
   * The library takes every commit from our own leaf for the one that it made last, and would follow that one
   * into an epoch in which it is alone. It may be an earlier one, or the first commit of another founder.
   */
  #isLost(commit: Uint8Array): boolean {
    if (commit.length < SENDER_AT + 5 || commit[SENDER_AT] !== SENDER_MEMBER) return false;
    const leaf = new DataView(commit.buffer, commit.byteOffset).getUint32(SENDER_AT + 1);
    if (leaf !== this.#session?.ownLeafIndex) return false;
    return this.#commit === null || Buffer.compare(this.#commit, commit) !== 0;
  }

  #attempt(action: (session: DAVESession) => void): boolean {
    const session = this.#session;
    if (session === null) return false;
    return attempt(() => (action(session), true)) ?? false;
  }
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}

/** The library declares Buffer and takes every view of bytes; a Buffer of its own would cost one per frame. */
function bytes(view: Uint8Array): Buffer {
  return view as Buffer;
}
