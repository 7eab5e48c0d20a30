// What a shard knows of one player at one moment, for the answer to "why is it silent": from the source to the ring.
// Plain data that crosses the channel; made by the inspect() methods of a shard's parts, judged on the main thread.
// No token, session id, key, name of a host or address may stand in it, and no text that somebody else wrote.
import type { ErrorCode } from './errors.js';

export interface SourceInspection {
  /** `parked`: let go of during a long silence, to be opened again when a frame is asked for. */
  readonly state: 'opening' | 'reading' | 'ended' | 'failed' | 'closed' | 'parked';
  readonly error: ErrorCode | null;
  /** A seek waits for its first packets. */
  readonly seeking: boolean;
  /** Packets read since it was opened, or since the last seek outside the window. */
  readonly packetsRead: number;
  /** Milliseconds since the last of them; null before the first. */
  readonly packetAgeMs: number | null;
}

export interface WindowInspection {
  readonly packets: number;
  /** Compressed. */
  readonly bytes: number;
  /** Milliseconds of sound between the frame that is next and the newest packet; null while there is none. */
  readonly aheadMs: number | null;
}

export interface DecodeInspection {
  /** null while there is nothing that makes frames. */
  readonly mode: 'passthrough' | 'encoded' | null;
  readonly error: ErrorCode | null;
  /** A frame of this track has been made. */
  readonly anyFrame: boolean;
}

export interface TrackInspection {
  readonly source: SourceInspection;
  readonly window: WindowInspection;
  readonly decode: DecodeInspection;
}

export interface QueueInspection {
  /** Frames made and not heard to have left. */
  readonly frames: number;
  /** Nothing more will be made: the track is over when these have left. */
  readonly ending: boolean;
  /** The last try to make a frame found nothing to make it of. */
  readonly starving: boolean;
}

export interface DaveInspection {
  /** In force: 0 without DAVE, null before the voice server has said. */
  readonly version: number | null;
  /** How frames leave: `hold` and `withheld` mean not at all. */
  readonly frames: 'plain' | 'sealed' | 'hold' | 'withheld';
  readonly group: 'none' | 'forming' | 'ready';
  /** Others in the call. */
  readonly others: number;
  /** Milliseconds for which the group has been waited for; null when it is not. */
  readonly waitedMs: number | null;
}

/** The send ring, or the discordjs driver's queue in its place. */
export interface RingInspection {
  /** Takes packets. */
  readonly open: boolean;
  /** Packets that have not left. */
  readonly queued: number;
  /** Frames that wait to be sealed into it. */
  readonly waiting: number;
  /** Frames that it takes now. */
  readonly room: number;
  /** Packets that have left, over all uses of the ring, 32 bits; null where nobody counts. */
  readonly head: number | null;
  /** Slots that found it empty in this voice session; null where nobody counts. */
  readonly underruns: number | null;
  /** Milliseconds since the last datagram left; null before the first. */
  readonly sentAgeMs: number | null;
}

/** What a connection is doing: the steps of voice-state.ts, and the coarser ones of the discordjs driver. */
export type VoiceStepName =
  | 'waiting'
  | 'dialling'
  | 'greeting'
  | 'discovering'
  | 'selecting'
  | 'identifying'
  | 'resuming'
  | 'ready'
  | 'over';

export interface ConnectionInspection {
  readonly driver: 'native' | 'discordjs';
  readonly step: VoiceStepName;
  /** Frames can leave, whatever the gateway is doing. */
  readonly connected: boolean;
  readonly everReady: boolean;
  /** Code with which its gateway was lost last; null for never. */
  readonly lastClose: number | null;
  readonly dave: DaveInspection | null;
  /** The speaking flag as the gateway was told last; null while there is no session. */
  readonly speaking: boolean | null;
  readonly ring: RingInspection | null;
}

export interface Inspection {
  readonly paused: boolean;
  readonly track: TrackInspection | null;
  readonly queue: QueueInspection;
  readonly voice: ConnectionInspection | null;
  /** Code with which the last voice connection ended for good; null for never. */
  readonly lastClose: number | null;
}
