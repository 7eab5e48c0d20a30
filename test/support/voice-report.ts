// What is known of one voice session, as plain data that crosses a fork (fake-voice.ts report()).

import type { DaveReport } from './dave-report.js';
import type { AuditedFrame, StreamReport } from './stream-audit.js';
import type { GatewayClose } from './voice-closes.js';
import type { AeadMode } from './voice-options.js';

export interface ReceivedFrame extends AuditedFrame {
  /** `id` of the voice session. */
  readonly session: string;
}

export interface VoiceReport extends StreamReport {
  /** Unique within the server: 's1', 's2'. */
  id: string;
  guildId: string;
  userId: string;
  channelId: string;
  sessionId: string;
  ssrc: number;
  /** The UDP port of Ready, unless a fault named another one. */
  port: number;
  mode: AeadMode | null;
  /** Its websocket is open. */
  open: boolean;
  close: GatewayClose | null;
  resumes: number;
  heartbeats: number;
  /** Discovery packets that got an answer, a wrong one included. */
  discoveries: number;
  speaking: boolean;
  /** The flags of every op 5 of the bot, in order. */
  speakingFlags: number[];
  /** The `d` of the newest op 15, null before one. */
  sinkWants: unknown;
  /** The `d` of the newest op 12, null before one. */
  video: unknown;
  /** Frames of members that were sent to the bot (`memberRate`). */
  memberFrames: number;
  dave: DaveReport;
}
