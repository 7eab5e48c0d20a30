// The seam between a player and whatever carries its frames to a voice server. Two drivers stand behind it
// (native-driver.ts, discordjs-driver.ts); one contract suite holds them. Runs in a shard.
import type { ConnectionInspection } from '../../shared/inspection.js';
import type { RowPlace } from '../../shared/sent-row.js';

/** The voice data of a client's PATCH, with whom it is for. */
export interface VoiceServer {
  readonly guildId: string;
  readonly userId: string;
  readonly channelId: string;
  readonly sessionId: string;
  readonly token: string;
  readonly endpoint: string;
  /** Which of the shard's senders sends for it; the first unless told. Only our own driver has any. */
  readonly sender?: number;
}

/** How a frame is counted: handed on, encoded here, or silence we made. */
export const FrameMode = { passthrough: 0, encoded: 1, silence: 2 } as const;
export type FrameMode = (typeof FrameMode)[keyof typeof FrameMode];

/** Why a frame that a connection had accepted is given up: its DAVE group stays away, or it cannot be sealed or sent. */
export type GiveUp = 'ring' | 'socket';

/** Told by the driver, never from inside a call into it. */
export interface VoiceListener {
  /** Frames can be sent. Comes again after a silent reconnection. */
  onReady(): void;
  /** The connection is over and will not come back by itself. At most once. */
  onClosed(close: VoiceClose): void;
  /**
   * The oldest queued frame has left (our own silence frames are not told). `at` is the clock's time.
   * This or onGivenUp is called once per pushed frame, in order; flushed frames are not told.
   */
  onSent(at: number): void;
  /** The oldest queued frame will never leave; its slot has gone by. */
  onGivenUp(at: number, why: GiveUp): void;
  /**
   * A frame was due and none could leave, though finish() had not been called. Once per missed slot. `isBlocked`:
   * there were frames, which the connection could not take so far.
   */
  onMissed(isBlocked: boolean): void;
}

export interface VoiceClose {
  readonly code: number;
  readonly reason: string;
  readonly byRemote: boolean;
  /** True while the first connection attempt had not succeeded yet. */
  readonly beforeReady: boolean;
}

/** Where a player's frames go. All calls are synchronous and allocate nothing per frame. */
export interface FrameSink {
  /** Frames that it queues at most. */
  readonly depth: number;
  /** How many more frames are accepted now; 0 while not connected. */
  room(): number;
  /**
   * Queues one Opus frame, which ends at `sourceMs`. The bytes must stay as they are until onSent, onGivenUp or
   * flush. When it leaves it moves the position of the player's row, if `tag` is the row's present one.
   */
  push(frame: Uint8Array, sourceMs: number, tag: number, mode: FrameMode): void;
  /** Clock time at which the queue has run out of frames; `now` or earlier when it is empty. */
  runsOutAt(): number;
  /** Takes back every frame that has not left yet; returns how many, the newest ones pushed. */
  flush(): number;
  /**
   * No more frames for now (pause, stop, end of track): after what is queued come five silence frames,
   * then speaking is switched off. The next push starts again.
   */
  finish(): void;
}

export interface VoiceConnection extends FrameSink {
  readonly connected: boolean;
  /** Milliseconds from heartbeat to acknowledgement; -1 until known. */
  readonly ping: number;
  /** What is known of it now; changes nothing. */
  inspect(): ConnectionInspection;
  /** Ends the connection with 1000 and releases everything. The listener hears nothing more. */
  close(): void;
}

export interface VoiceDriver {
  readonly name: 'native' | 'discordjs';
  /** Loads and warms what the first connection needs. */
  prepare(): Promise<void>;
  /**
   * Starts connecting at once; ends in onReady, or in onClosed within the connect deadline.
   * `mayConnect` is asked before every Identify and Resume: false means that another placement of this
   * player has taken over, and the connection ends without a word (superseded). What leaves is written into the
   * player's row, the sender group of PlayerWord; null for a player without one.
   * Throws PUM_VOICE_FULL when the driver's ceiling is reached.
   */
  connect(
    server: VoiceServer,
    listener: VoiceListener,
    mayConnect: () => boolean,
    row: RowPlace | null,
  ): VoiceConnection;
  /** Ends every connection. */
  close(): void;
}
