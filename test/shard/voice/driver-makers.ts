// Both voice drivers as the tests of faults make them: our own with its sender in the same thread, and the one over
// @discordjs/voice.

import { systemClock } from '../../../src/shared/clock.js';
import { DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import { slabFor } from '../../../src/shared/ring-plan.js';
import { createSender } from '../../../src/shard/sender/create-sender.js';
import { createDiscordjsDriver } from '../../../src/shard/voice/discordjs-driver.js';
import { createNativeDriver } from '../../../src/shard/voice/native-driver.js';
import { SenderRings } from '../../../src/shard/voice/sender-rings.js';
import type { DriverMaker, DriverSetting } from './driver-setting.js';

/** What only our own driver is told besides. */
export interface NativeChanges {
  readonly leadMs?: number;
  /** In [0, 1): first sequence and timestamp. */
  readonly random?: () => number;
}

export function nativeMaker({ leadMs = 400, random }: NativeChanges = {}): DriverMaker {
  return ({ ca, guard, maxConnections, counters = new Float64Array(DRIVER_WORDS), times }: DriverSetting) => {
    const slab = slabFor(leadMs, 16);
    const sender = createSender(systemClock, counters);
    const rings = new SenderRings(slab, (listener) => sender.loop.attach(slab, listener));
    return createNativeDriver({
      clock: systemClock,
      guard,
      ca,
      times,
      counters,
      leadMs,
      rings: () => rings,
      detach: () => {
        sender.close();
      },
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(random === undefined ? {} : { random }),
    });
  };
}

export const discordjsMaker: DriverMaker = ({ ca, guard, maxConnections, counters, times }) =>
  createDiscordjsDriver({
    clock: systemClock,
    guard,
    ca,
    times,
    ...(counters === undefined ? {} : { counters }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  });

/** By the name that `pumice.voice.driver` has for them. */
export const DRIVERS: readonly (readonly [name: 'native' | 'discordjs', make: DriverMaker])[] = [
  ['native', nativeMaker()],
  ['discordjs', discordjsMaker],
];
