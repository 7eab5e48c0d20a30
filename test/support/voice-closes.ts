// How a connection of the fake voice gateway ends: the names of the close codes, and which of them leave a session
// that can be resumed (discord-voice.md §1.5). Pure; read by the fake server's files and their tests.

export interface GatewayClose {
  readonly code: number;
  readonly reason: string;
  readonly by: 'client' | 'server';
}

const CLOSE_REASONS: Readonly<Record<number, string>> = {
  1000: 'Normal closure',
  1001: 'Going away',
  4000: 'Internal error',
  4001: 'Unknown opcode',
  4002: 'Failed to decode payload',
  4003: 'Not authenticated',
  4004: 'Authentication failed',
  4005: 'Already authenticated',
  4006: 'Session is no longer valid.',
  4009: 'Session timeout',
  4011: 'Server not found',
  4012: 'Unknown protocol',
  4013: 'WebRTC crashed',
  4014: 'Disconnected',
  4015: 'Voice server crashed',
  4016: 'Unknown encryption mode',
  4017: 'E2EE/DAVE protocol required',
  4020: 'Bad request',
  4021: 'Rate limited',
  4022: 'Call terminated',
};

/** Every code the table names. */
export const CLOSE_CODES: readonly number[] = Object.keys(CLOSE_REASONS).map(Number);

/** The name of a close code, which the fake sends as the reason (discord-voice.md §1.5). */
export function closeReason(code: number): string {
  return CLOSE_REASONS[code] ?? '';
}

/** Codes after which the server still holds the session, so that a Resume works (discord-voice.md §1.5). */
const RESUMABLE = new Set([1000, 1001, 1006, 4000, 4009, 4013, 4015]);

/** A client ends a session with 1000; whatever else cuts it off from its side can be resumed. */
export function isResumable(close: GatewayClose): boolean {
  return close.by === 'client' ? close.code !== 1000 : RESUMABLE.has(close.code);
}
