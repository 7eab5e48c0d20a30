// Our own driver under the contract of all voice drivers, with the sender in the same thread. What only this one
// has to do is in native-faults.test.ts; the sender in a thread of its own in test/shard/sender/.

import t from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import { slabFor } from '../../../src/shared/ring-plan.js';
import { createSender } from '../../../src/shard/sender/create-sender.js';
import { createNativeDriver } from '../../../src/shard/voice/native-driver.js';
import { SenderRings } from '../../../src/shard/voice/sender-rings.js';
import { TestRow } from '../../support/player-row.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { driverContract } from './driver-contract.js';
import { CEILING, driverSetting, type DriverMaker } from './driver-setting.js';

const make: DriverMaker = ({
  ca,
  guard,
  maxConnections,
  counters = new Float64Array(DRIVER_WORDS),
  times,
}) => {
  const slab = slabFor(400, 16);
  const sender = createSender(systemClock, counters);
  const rings = new SenderRings(slab, (listener) => sender.loop.attach(slab, listener));
  return createNativeDriver({
    clock: systemClock,
    guard,
    ca,
    times,
    counters,
    leadMs: 400,
    rings: () => rings,
    detach: () => {
      sender.close();
    },
    ...(maxConnections === undefined ? {} : { maxConnections }),
  });
};

driverContract(t, make);

t.test('where nobody sends after the shard, the row names nothing that lies sealed', CEILING, async (t) => {
  const { fake, driver } = await driverSetting(t, make);
  const row = new TestRow();
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, row.place);
  player.play(40);
  await player.when(() => player.sentAt.length === 10);
  t.equal(row.sealedMs, 0);
  await fake.waitForFrames(player.server.guildId, 45);
  t.equal(row.positionMs, 800);
});
