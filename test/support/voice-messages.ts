// What a client of the fake voice gateway says, taken apart (discord-voice.md §1.2, §1.3). Pure; used by
// gateway-connection.ts. What is not as it must be is null, never an exception.

import type { RawData } from 'ws';
import type { SessionIdentity } from './voice-session.js';

export type Fields = Readonly<Record<string, unknown>>;

export function parseMessage(text: string): { op: number; d: Fields } | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const message = fieldsOf(value);
  if (message === null || typeof message['op'] !== 'number') return null;
  return { op: message['op'], d: fieldsOf(message['d']) ?? {} };
}

/** Of an Identify or a Resume. */
export function identityOf(d: Fields): SessionIdentity | null {
  const { server_id: guildId, session_id: sessionId, token } = d;
  // A Resume does not say who the user is; the session knows.
  const userId = d['user_id'] ?? '';
  if (typeof guildId !== 'string' || typeof sessionId !== 'string') return null;
  if (typeof token !== 'string' || typeof userId !== 'string') return null;
  return { guildId, userId, sessionId, token };
}

/** -1: the client has seen nothing numbered yet. */
export function seqAckOf(d: Fields): number {
  return typeof d['seq_ack'] === 'number' ? d['seq_ack'] : -1;
}

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
