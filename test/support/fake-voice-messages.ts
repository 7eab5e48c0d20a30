// What the fake voice process and its parent say to each other: calls by number, answers, and the first word of
// the child. Plain data over the IPC channel of a fork; read by both ends.

import type { FakeVoiceServer } from './fake-voice.js';
import type { OggSummary } from './ogg-opus-writer.js';

/** The calls a parent can make: the server's own methods, their results made plain where they are not. */
export interface RemoteCalls {
  setChannel: FakeVoiceServer['setChannel'];
  script: FakeVoiceServer['script'];
  act: FakeVoiceServer['act'];
  /** The listener's user id. */
  addListener: (guildId: string, userId?: string) => string;
  dropListener: FakeVoiceServer['dropListener'];
  speak: FakeVoiceServer['speak'];
  count: FakeVoiceServer['count'];
  heard: FakeVoiceServer['heard'];
  report: FakeVoiceServer['report'];
  reports: FakeVoiceServer['reports'];
  totals: FakeVoiceServer['totals'];
  latenessHistogram: FakeVoiceServer['latenessHistogram'];
  changeUdpPort: FakeVoiceServer['changeUdpPort'];
  resetCounters: FakeVoiceServer['resetCounters'];
  writeOgg: (guildId: string, path: string) => Promise<OggSummary>;
  sessionOf: (guildId: string, timeoutMs?: number) => Promise<string>;
  waitForIdentify: (guildId: string, n?: number, timeoutMs?: number) => Promise<string>;
  waitForResume: (guildId: string, n?: number, timeoutMs?: number) => Promise<string>;
  /** The frames stay in the child: the number it has counted. */
  waitForFrames: (guildId: string, n: number, timeoutMs?: number) => Promise<number>;
  waitForSilence: FakeVoiceServer['waitForSilence'];
  waitForSpeaking: FakeVoiceServer['waitForSpeaking'];
  waitForDave: FakeVoiceServer['waitForDave'];
  waitForClose: FakeVoiceServer['waitForClose'];
  /** Resource use of the child since its start, microseconds of processor time. */
  processorTime: () => { user: number; system: number };
}

export type CallName = keyof RemoteCalls;

export type ToChild =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly args: readonly unknown[] }
  | { readonly kind: 'stop' };

export type ToParent =
  | { readonly kind: 'started'; readonly endpoint: string; readonly udpPort: number; readonly cert: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };
