// What a guild's listeners heard, judged by the bytes of each frame: how many different ones, and how many of them
// came a second time. For tracks no two frames of which are alike. Called by fake-voice.ts.
import type { ReceivedFrame } from './voice-report.js';

export interface HeardFrames {
  readonly distinct: number;
  readonly repeated: number;
}

/** Silence does not count, nor what nobody could decrypt. */
export function heardFrames(frames: readonly ReceivedFrame[]): HeardFrames {
  const seen = new Set<string>();
  let repeated = 0;
  for (const { silence, opus } of frames) {
    if (silence || opus === null) continue;
    const bytes = opus.toString('latin1');
    if (seen.has(bytes)) repeated++;
    seen.add(bytes);
  }
  return { distinct: seen.size, repeated };
}
