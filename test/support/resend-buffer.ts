// The numbered messages of one voice session: one 16-bit counter for JSON and binary, and the newest ones kept
// for a Resume (discord-voice.md §1.2, §1.3). Used by voice-session.ts; sends nothing itself.

/** What goes over the websocket: text or binary. */
export type GatewayMessageData = string | Buffer;

export interface NumberedMessage {
  readonly seq: number;
  readonly data: GatewayMessageData;
}

export class ResendBuffer {
  readonly #capacity: number;
  #seq: number;
  #messages: NumberedMessage[] = [];
  /** The newest message that was thrown away without having been acknowledged. */
  #lost: number | null = null;

  constructor(firstSeq: number, capacity: number) {
    this.#seq = (firstSeq - 1) & 0xffff;
    this.#capacity = capacity;
  }

  /** Number of the newest message. */
  get seq(): number {
    return this.#seq;
  }

  json(op: number, d: unknown): NumberedMessage {
    const seq = this.#next();
    return this.#keep({ seq, data: JSON.stringify({ op, d, seq }) });
  }

  binary(op: number, payload: Buffer): NumberedMessage {
    const seq = this.#next();
    return this.#keep({ seq, data: Buffer.concat([Buffer.from([seq >> 8, seq & 0xff, op]), payload]) });
  }

  /** The client has everything up to `seqAck`; -1: nothing yet. */
  acknowledge(seqAck: number): void {
    this.#messages = this.#messages.filter((message) => isNewer(message.seq, seqAck));
    if (this.#lost !== null && !isNewer(this.#lost, seqAck)) this.#lost = null;
  }

  /** What a client that has `seqAck` is missing, or null when it is no longer here. */
  since(seqAck: number): readonly NumberedMessage[] | null {
    if (this.#lost !== null && isNewer(this.#lost, seqAck)) return null;
    return this.#messages.filter((message) => isNewer(message.seq, seqAck));
  }

  #next(): number {
    this.#seq = (this.#seq + 1) & 0xffff;
    return this.#seq;
  }

  #keep(message: NumberedMessage): NumberedMessage {
    this.#messages.push(message);
    if (this.#messages.length > this.#capacity) this.#lost = this.#messages.shift()?.seq ?? null;
    return message;
  }
}

/** Whether the message is newer than the acknowledged one, in 16-bit arithmetic; -1 is older than all. */
function isNewer(seq: number, acknowledged: number): boolean {
  if (acknowledged < 0) return true;
  const ahead = (seq - acknowledged) & 0xffff;
  return ahead !== 0 && ahead < 0x8000;
}
