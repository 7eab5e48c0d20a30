// What the server keeps with one WebSocket: who the client says it is, and later its session. The engine
// carries it from the upgrade to the close; main thread.
import type { Session } from '../session.js';

export interface Connection {
  /** Canonical snowflake of the bot's user, or null when the client's User-Id is no number. */
  readonly user: string | null;
  readonly clientName: string;
  /** Session the client asked to resume. */
  readonly resume: string | null;
  session: Session | null;
}
