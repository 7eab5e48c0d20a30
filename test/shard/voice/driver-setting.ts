// The common ground of the voice driver contract: a fake voice server with a driver that believes it, quick
// times, and what is asked of the frames that arrived. Used by the three parts of the contract.

import type { Test } from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import type { VoiceDriver } from '../../../src/shard/voice/driver.js';
import type { VoiceGuard } from '../../../src/shard/voice/voice-guard.js';
import { FakeVoiceServer } from '../../support/fake-voice.js';
import type { ReceivedFrame } from '../../support/fake-voice.js';
import { loopbackGuard } from '../../support/loopback-guard.js';
import { frameNumber } from '../../support/voice-player.js';

export interface DriverSetting {
  readonly ca: string | null;
  readonly guard: VoiceGuard;
  readonly maxConnections?: number;
  /** The words named by DRIVER. */
  readonly counters?: Float64Array;
  /** Milliseconds; the short ones keep the tests quick. */
  readonly times: {
    readonly connectDeadline: number;
    readonly discoveryInterval: number;
    readonly resumeFirstDelay: number;
    readonly daveHold: number;
  };
}

export type DriverMaker = (setting: DriverSetting) => VoiceDriver;

export type FakeOptions = Parameters<typeof FakeVoiceServer.start>[0];

export const QUICK = { connectDeadline: 5_000, discoveryInterval: 50, resumeFirstDelay: 20, daveHold: 3_000 };

export const CEILING = { timeout: 20_000 };

/** Real time, for what is about real time. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });

/** A server, a driver that believes it, and their end after the test. */
export async function driverSetting(
  t: Test,
  make: DriverMaker,
  options: FakeOptions = {},
  changes: Partial<DriverSetting> = {},
): Promise<{ fake: FakeVoiceServer; driver: VoiceDriver }> {
  const fake = await FakeVoiceServer.start(options);
  const driver = make({ ca: fake.certificate.cert, guard: loopbackGuard, times: QUICK, ...changes });
  t.teardown(async () => {
    driver.close();
    await fake.close();
  });
  await driver.prepare();
  return { fake, driver };
}

/** Sequences and timestamps go on by 1 and 960 from each frame to the next. */
export function contiguous(frames: readonly ReceivedFrame[]): boolean {
  return frames.every((frame, n) => {
    const before = frames[n - 1];
    if (before === undefined) return true;
    const steps = (frame.sequence - before.sequence) & 0xffff;
    return steps === 1 && (frame.timestamp - before.timestamp) >>> 0 === 960;
  });
}

/** The numbers of the player's own frames, in order of arrival. */
export const numbersOf = (frames: readonly ReceivedFrame[]): number[] =>
  frames.filter(({ silence }) => !silence).map(({ opus }) => frameNumber(opus));

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
