// What the fake voice server can be told: options, faults per connection, actions on a live connection, and the
// words of its close codes. Plain data only, so that all of it crosses a fork. Read by every fake-voice file.

import type { Certificate } from './certificate.js';

export const AES_GCM = 'aead_aes256_gcm_rtpsize';
export const XCHACHA = 'aead_xchacha20_poly1305_rtpsize';
export type AeadMode = typeof AES_GCM | typeof XCHACHA;

/** Moments at which a connection can be closed by script; `identify` and `select-protocol` replace the answer. */
export type Moment =
  'open' | 'identify' | 'ready' | 'select-protocol' | 'session-description' | 'speaking' | 'resume';

/** Faults of one connection; what is left out behaves as the real service does. */
export interface VoiceFaults {
  /** Accepts the upgrade, then says nothing at all. */
  readonly silent?: boolean;
  readonly noReady?: boolean;
  readonly noSessionDescription?: boolean;
  readonly noHeartbeatAck?: boolean;
  /** A Resume gets no answer. */
  readonly noResumed?: boolean;
  /** Number of discovery packets that get no answer. */
  readonly dropDiscovery?: number;
  /** A Resume is answered with 4006. */
  readonly refuseResume?: boolean;
  readonly closeAt?: { readonly moment: Moment; readonly code: number; readonly reason?: string };
  /** What Ready says instead of the true UDP address; the port stays true when left out. */
  readonly readyAddress?: { readonly ip: string; readonly port?: number };
  /** Op 25; left out, it comes once, right behind op 4. */
  readonly externalSender?: 'before-description' | 'twice' | 'none';
  /** Every op 22 is followed by an op 27 of a stale epoch. */
  readonly staleProposals?: boolean;
  /** Op 11 about newcomers comes behind the op 27 that adds them. */
  readonly unknownUserProposals?: boolean;
  /** Every op 28 of this bot is dropped, as if somebody else had been faster. */
  readonly losesRace?: boolean;
  /** The first op 30 is damaged; certain to be sent only together with `losesRace`. */
  readonly corruptWelcome?: boolean;
  /** Milliseconds by which op 22 is late; null: it never comes. */
  readonly executeDelayMs?: number | null;
}

export interface FakeVoiceOptions {
  readonly certificate: Certificate;
  /** Guild id to channel id. */
  readonly channels: Readonly<Record<string, string>>;
  /** Channel of every guild that is not in `channels`; null: a channel with the guild's own id. */
  readonly channelId: string | null;
  /** Offered in Ready, in this order. */
  readonly modes: readonly AeadMode[];
  /** dave_protocol_version of op 4. */
  readonly dave: 0 | 1;
  /** The only token that is accepted; null: any. */
  readonly token: string | null;
  readonly heartbeatMs: number;
  /** Silence after which a connection is closed with 4009; null: twice the interval. */
  readonly heartbeatTimeoutMs: number | null;
  /** Number of the first numbered message. */
  readonly firstSeq: number;
  /** Where op 9 stands among the messages sent again; undocumented, hence a switch (discord-voice.md §1.3). */
  readonly resumeOrder: 'resumed-first' | 'buffered-first';
  /** Numbered messages kept for a Resume; one that needs more is answered with 4006. */
  readonly resumeBuffer: number;
  /** How long a cut session can be resumed. */
  readonly resumeWindowMs: number;
  /** RTP may be that much ahead of op 5, then the connection is closed with 4020. */
  readonly speakingGraceMs: number;
  /** How long op 23 is awaited before op 22 comes anyway. */
  readonly transitionTimeoutMs: number;
  /** False: listeners never send op 28, so a bot's commit always wins. */
  readonly listenerCommits: boolean;
  readonly listenerCommitDelayMs: number;
  /** Newest frames kept per guild; 0: none. */
  readonly keepFrames: number;
  /** Every how many packets one is authenticated and decrypted; the others are counted by their header. */
  readonly openEvery: number;
  /** Faults of every connection that no script took. */
  readonly faults: VoiceFaults;
}

export const DEFAULT_OPTIONS: Omit<FakeVoiceOptions, 'certificate'> = {
  channels: {},
  channelId: null,
  modes: [AES_GCM, XCHACHA],
  dave: 1,
  token: null,
  heartbeatMs: 13_750,
  heartbeatTimeoutMs: null,
  firstSeq: 0,
  resumeOrder: 'resumed-first',
  resumeBuffer: 256,
  resumeWindowMs: 15_000,
  speakingGraceMs: 1_000,
  transitionTimeoutMs: 2_000,
  listenerCommits: true,
  listenerCommitDelayMs: 0,
  keepFrames: 30_000,
  openEvery: 1,
  faults: {},
};

/** Where a script applies: to the next connections in order, or to the next Identify or Resume of a guild. */
export interface FaultScope {
  readonly guildId?: string;
  /** Default 1. */
  readonly times?: number;
}

/** Done at once to a guild's live connection. */
export type VoiceAction =
  | { readonly kind: 'close'; readonly code: number; readonly reason?: string }
  /** The TCP connection is cut; the session can be resumed. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'stale-proposals' }
  | { readonly kind: 'unknown-user-proposals' }
  | { readonly kind: 'external-sender' }
  | { readonly kind: 'downgrade' }
  | { readonly kind: 'upgrade' }
  /** Any numbered JSON message. */
  | { readonly kind: 'send'; readonly op: number; readonly d: unknown };

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
