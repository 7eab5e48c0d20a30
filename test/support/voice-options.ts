// What the fake voice server can be told: options, faults per connection and actions on a live connection. Plain
// data only, so that all of it crosses a fork. Read by every fake-voice file.

import type { Certificate } from './certificate.js';
import type { JunkKind } from './voice-junk.js';

export { closeReason, isResumable } from './voice-closes.js';
export type { GatewayClose } from './voice-closes.js';
export type { JunkKind } from './voice-junk.js';

export const AES_GCM = 'aead_aes256_gcm_rtpsize';
export const XCHACHA = 'aead_xchacha20_poly1305_rtpsize';
export type AeadMode = typeof AES_GCM | typeof XCHACHA;

/** Moments at which a connection can be closed by script; `identify` and `select-protocol` replace the answer. */
export type Moment =
  'open' | 'identify' | 'ready' | 'select-protocol' | 'session-description' | 'speaking' | 'resume';

/** What an answer to a discovery request can be instead of right. */
export type DiscoveryFault = 'short' | 'wrong-type' | 'wrong-ssrc' | 'no-address' | 'other-port';

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
  /** Number of answers to discovery, after those that were dropped, that are wrong in that way. */
  readonly badDiscovery?: { readonly kind: DiscoveryFault; readonly times: number };
  readonly closeAt?: { readonly moment: Moment; readonly code: number; readonly reason?: string };
  /** The TCP connection is cut without a close frame; the moments are those of `closeAt`. */
  readonly dropAt?: Moment;
  /** Junk at that moment, ahead of an answer to it; without kinds whatever a client can only ignore. */
  readonly junkAt?: { readonly moment: Moment; readonly kinds?: readonly JunkKind[] };
  /** The modes in Ready, whatever they are called, in place of the server's own. */
  readonly readyModes?: readonly string[];
  /** What op 4 calls the mode, whichever was selected. */
  readonly describedMode?: string;
  /** What Ready says instead of the true UDP address; the port stays true when left out. */
  readonly readyAddress?: { readonly ip: string; readonly port?: number };
  /**
   * Op 25; left out, it comes once, right behind op 4. `behind-proposals`: right behind the first op 27, so only
   * to a bot that sends op 26 without having seen op 25, and only once there is somebody to propose.
   */
  readonly externalSender?: 'before-description' | 'behind-proposals' | 'twice' | 'none';
  /** Every op 22 is followed by an op 27 of a stale epoch. */
  readonly staleProposals?: boolean;
  /** Op 11 about newcomers comes behind the op 27 that adds them. */
  readonly unknownUserProposals?: boolean;
  /** Every op 28 of this bot is dropped, as if somebody else had been faster. */
  readonly losesRace?: boolean;
  /** The first op 30 is damaged; certain to be sent only together with `losesRace`. */
  readonly corruptWelcome?: boolean;
  /** The first op 29 is damaged. */
  readonly corruptCommit?: boolean;
  /** Every op 29 comes twice. */
  readonly commitTwice?: boolean;
  /** What the first op 27 proposes is taken back at once, for everybody, and proposed again. */
  readonly revokesProposals?: boolean;
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
  /** What then happens: a close frame with 4009, or the TCP connection cut (undocumented, §1.3). */
  readonly heartbeatEnd: 'close' | 'drop';
  /** Messages a connection may send in that time, then 4021; null: any number. */
  readonly messageLimit: RateLimit | null;
  /** Times a user may identify in one guild in that time, then 4021; null: any number. */
  readonly identifyLimit: RateLimit | null;
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
  /**
   * Frames a second that a speaking listener sends to every bot in its call until that bot's op 15 says that they
   * are not wanted (§1.3); 0: listeners are mute.
   */
  readonly memberRate: number;
  /** How many listeners of a call speak. */
  readonly memberSpeakers: number;
  /** Op 15 `{"any":100}` and op 14 behind op 4, and op 12 about others, as the real service sends them. */
  readonly chatter: boolean;
  /** UDP ports with a thread each that receive and stamp; 0: one port on the server's own thread. */
  readonly udpThreads: number;
  /** Newest frames kept per guild; 0: none. */
  readonly keepFrames: number;
  /** Every how many packets one is authenticated and decrypted; the others are counted by their header. */
  readonly openEvery: number;
  /** Faults of every connection that no script took. */
  readonly faults: VoiceFaults;
}

export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

export const DEFAULT_OPTIONS: Omit<FakeVoiceOptions, 'certificate'> = {
  channels: {},
  channelId: null,
  modes: [AES_GCM, XCHACHA],
  dave: 1,
  token: null,
  heartbeatMs: 13_750,
  heartbeatTimeoutMs: null,
  heartbeatEnd: 'close',
  messageLimit: null,
  identifyLimit: null,
  firstSeq: 0,
  resumeOrder: 'resumed-first',
  resumeBuffer: 256,
  resumeWindowMs: 15_000,
  speakingGraceMs: 1_000,
  transitionTimeoutMs: 2_000,
  listenerCommits: true,
  listenerCommitDelayMs: 0,
  memberRate: 0,
  memberSpeakers: 1,
  chatter: false,
  udpThreads: 0,
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
  /** Op 27 takes back whatever is proposed in the call, and proposes it again. */
  | { readonly kind: 'revoke' }
  | { readonly kind: 'downgrade' }
  | { readonly kind: 'upgrade' }
  /** Any numbered JSON message. */
  | { readonly kind: 'send'; readonly op: number; readonly d: unknown }
  | { readonly kind: 'junk'; readonly kinds?: readonly JunkKind[] }
  /** Datagrams that are no RTP of this call to the bot's newest address, half of them from another port. */
  | { readonly kind: 'udp-junk'; readonly count: number }
  /** Faults from now on, over those the connection has. */
  | { readonly kind: 'faults'; readonly faults: VoiceFaults };
