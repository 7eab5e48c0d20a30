// What only the driver over @discordjs/voice has to put right: which encryption mode the library may choose
// (discord-voice.md §3.7). Speaks to a fake voice server on loopback.

import t from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { createDiscordjsDriver } from '../../../src/shard/voice/discordjs-driver.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, driverSetting, numbersOf, upTo } from './driver-setting.js';
import type { DriverMaker } from './driver-setting.js';

const make: DriverMaker = ({ ca, guard, times }) =>
  createDiscordjsDriver({ clock: systemClock, guard, ca, times });

t.test('AES is chosen though the server prefers XChaCha', CEILING, async (t) => {
  const { fake, driver } = await driverSetting(t, make, {
    modes: ['aead_xchacha20_poly1305_rtpsize', 'aead_aes256_gcm_rtpsize'],
  });
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  player.play(5);
  await fake.waitForFrames(player.server.guildId, 10);
  t.equal(fake.report(player.server.guildId)?.mode, 'aead_aes256_gcm_rtpsize');
});

t.test('XChaCha alone will do where the library has a package for it', CEILING, async (t) => {
  const { fake, driver } = await driverSetting(t, make, { modes: ['aead_xchacha20_poly1305_rtpsize'] });
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  player.play(5);
  await fake.waitForFrames(player.server.guildId, 10);
  t.same(numbersOf(fake.frames(player.server.guildId)), upTo(5));
});
