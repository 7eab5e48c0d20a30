// The part of the voice driver contract that is about connections that never come about: servers that say
// no or nothing, certificates, endpoints and UDP addresses that are not allowed.

import type { Test } from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { loopbackCertificate } from '../../support/certificate.js';
import { FakeVoiceServer } from '../../support/fake-voice.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, QUICK, driverSetting } from './driver-setting.js';
import type { DriverMaker, DriverSetting, FakeOptions } from './driver-setting.js';

export function refusalContract(t: Test, make: DriverMaker): void {
  const setting = (
    t: Test,
    options: FakeOptions = {},
    changes: Partial<DriverSetting> = {},
  ): ReturnType<typeof driverSetting> => driverSetting(t, make, options, changes);

  t.test(
    'a voice server that refuses the session is told as a close before the connection',
    CEILING,
    async (t) => {
      const { fake, driver } = await setting(t, { token: 'another' });
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      t.match(await player.closed(), { code: 4004, byRemote: true, beforeReady: true });
      t.equal(player.ready, 0);
    },
  );

  for (const [name, fault] of [
    ['that never says Hello', { silent: true }],
    ['that is never Ready', { noReady: true }],
    ['that never describes the session', { noSessionDescription: true }],
    ['that answers no discovery', { dropDiscovery: 1_000 }],
  ] as const) {
    t.test(`a voice server ${name} is given up at the deadline`, CEILING, async (t) => {
      const { fake, driver } = await setting(
        t,
        { faults: fault },
        { times: { ...QUICK, connectDeadline: 250 } },
      );
      const from = systemClock.now();
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      t.match(await player.closed(), { code: 1006, byRemote: false, beforeReady: true });
      const took = systemClock.now() - from;
      t.ok(took >= 249 && took < 1_500, `${took} ms`);
    });
  }

  t.test('lost discovery packets are sent again', CEILING, async (t) => {
    const { fake, driver } = await setting(t, { faults: { dropDiscovery: 2 } });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    player.play(5);
    await fake.waitForFrames(player.server.guildId, 10);
    t.equal(fake.report(player.server.guildId)?.discoveries, 1, 'the third was the first to be answered');
  });

  t.test('a certificate that nobody has vouched for is refused', CEILING, async (t) => {
    const { fake, driver } = await setting(t, {}, { ca: loopbackCertificate().cert });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    t.match(await player.closed(), { code: 1006, byRemote: false, beforeReady: true, reason: /certificate/ });
    t.same(fake.reports(), [], 'nothing was said to that server');
  });

  t.test('an endpoint that is not allowed is refused', CEILING, async (t) => {
    const { driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer('voice.example:443'));
    t.match(await player.closed(), {
      code: 1008,
      byRemote: false,
      beforeReady: true,
      reason: /voice\.example/,
    });
  });

  t.test('an endpoint that nobody listens on is told', CEILING, async (t) => {
    const { driver } = await setting(t);
    const other = await FakeVoiceServer.start();
    const { endpoint } = other;
    await other.close();
    const player = new VoicePlayer(driver, voiceServer(endpoint));
    t.match(await player.closed(), {
      code: 1006,
      byRemote: false,
      beforeReady: true,
      reason: /ECONNREFUSED/,
    });
  });

  for (const ip of ['10.0.0.1', '169.254.169.254', 'localhost']) {
    t.test(`the UDP address ${ip} is refused`, CEILING, async (t) => {
      const { fake, driver } = await setting(t, { faults: { readyAddress: { ip } } });
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      t.match(await player.closed(), { byRemote: false, beforeReady: true, reason: /not allowed|damaged/ });
    });
  }
}
