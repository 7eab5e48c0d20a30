// Somebody in a call, as the delivery service sees it: a bot's session or a listener.

/** Somebody in the call: a bot's session or a listener. Both calls must not call the delivery back at once. */
export interface DaveMember {
  readonly userId: string;
  deliverJson(op: number, d: unknown): void;
  deliverBinary(op: number, payload: Buffer): void;
}

/** Ops 18 and 20: what a member is told of another one (discord-voice.md §1.4). */
export function introduce(to: DaveMember, userId: string): void {
  to.deliverJson(18, { user_id: userId, flags: 2 });
  to.deliverJson(20, { user_id: userId, platform: 0 });
}
