// Sends a session's messages over its socket and remembers those the kernel has not taken yet, so that a
// session whose client stops reading can be resumed with what it missed (reliability.md case 27). The ceiling
// is the engine's: it closes the socket and says so. What a resumed client missed goes out only as fast as it
// reads, or the ceiling would close the socket again at once. Main thread.
import type { Clock, Timer } from '../../shared/clock.js';
import type { Socket } from '../http/engine.js';
import type { OutMessage } from './messages.js';

/** While something is unsent, the kernel's progress is looked at this often, in milliseconds. */
const LOOK_AGAIN = 50;

export interface OutboxLimits {
  /** Bytes the socket may hold before missed messages wait for it to drain. */
  readonly replayMark: number;
  /** Bytes that may wait in that way. */
  readonly maxBacklog: number;
}

interface Sent {
  readonly message: OutMessage;
  /** Bytes of everything up to and with this message. */
  readonly end: number;
}

export class Outbox<T> {
  readonly socket: Socket<T>;
  readonly #clock: Clock;
  readonly #limits: OutboxLimits;
  readonly #accepted: (message: OutMessage) => void;
  /** What the socket has and the kernel had not taken when it was last asked. */
  readonly #tail: Sent[] = [];
  /** What the socket has not been given yet. */
  #backlog: OutMessage[] = [];
  #backlogBytes = 0;
  #total = 0;
  #look: Timer | null = null;
  #over = false;

  /** `accepted` is called for every message that the socket took. */
  constructor(
    socket: Socket<T>,
    clock: Clock,
    limits: OutboxLimits,
    accepted: (message: OutMessage) => void,
  ) {
    this.socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#accepted = accepted;
  }

  /** Sends what the client missed, as fast as it reads. Later messages go behind it. */
  replay(messages: readonly OutMessage[]): void {
    for (const message of messages) this.#enqueue(message);
    this.#pump();
  }

  /** False when the socket is closed or was closed by this message; the message is then not on its way. */
  send(message: OutMessage): boolean {
    if (this.#over) return false;
    if (this.#backlog.length === 0) return this.#give(message);
    if (this.#backlogBytes + message.text.length > this.#limits.maxBacklog) {
      this.socket.close(1008, 'outbox full');
      return false;
    }
    this.#enqueue(message);
    return true;
  }

  /** The socket is gone: hands over, oldest first, what the kernel had not taken wholly when it was last asked. */
  end(): readonly OutMessage[] {
    this.#over = true;
    this.#look?.cancel();
    const unsent = this.#tail.splice(0).map(({ message }) => message);
    const waiting = this.#backlog;
    this.#backlog = [];
    return [...unsent, ...waiting];
  }

  #enqueue(message: OutMessage): void {
    this.#backlog.push(message);
    this.#backlogBytes += message.text.length;
  }

  #pump(): void {
    let given = 0;
    while (given < this.#backlog.length && this.socket.buffered < this.#limits.replayMark) {
      const message = this.#backlog[given];
      // A closed socket: its close is reported, and the session then takes what is left.
      if (message === undefined || !this.#give(message)) break;
      given++;
      this.#backlogBytes -= message.text.length;
    }
    this.#backlog.splice(0, given);
    if (this.#backlog.length > 0) this.#lookLater();
  }

  #give(message: OutMessage): boolean {
    this.#forgetTaken();
    if (this.socket.send(message.text) === 'closed') return false;
    this.#accepted(message);
    this.#total += frameBytes(Buffer.byteLength(message.text));
    if (this.socket.buffered > 0) {
      this.#tail.push({ message, end: this.#total });
      this.#lookLater();
    }
    return true;
  }

  #lookLater(): void {
    if (this.#over) return;
    this.#look ??= this.#clock.after(LOOK_AGAIN, () => {
      this.#look = null;
      this.#forgetTaken();
      this.#pump();
      if (this.#tail.length > 0) this.#lookLater();
    });
  }

  #forgetTaken(): void {
    if (this.#tail.length === 0) return;
    const taken = this.#total - this.socket.buffered;
    let count = 0;
    while ((this.#tail[count]?.end ?? Infinity) <= taken) count++;
    if (count > 0) this.#tail.splice(0, count);
  }
}

/** Size on the wire of an unmasked text message (RFC 6455 §5.2). */
function frameBytes(payload: number): number {
  if (payload < 126) return payload + 2;
  return payload < 65_536 ? payload + 4 : payload + 10;
}
