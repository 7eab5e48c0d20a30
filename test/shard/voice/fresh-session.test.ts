// A session that a fault of ours has ended is followed by another (decision D8): the frames that had not left go on
// in it, each once, and until then they can be taken back. For both drivers, heard by a fake voice server.

import t, { type Test } from 'tap';
import type { FakeVoiceServer } from '../../support/fake-voice.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { DRIVERS } from './driver-makers.js';
import { CEILING, driverSetting, numbersOf, pause, upTo, type DriverMaker } from './driver-setting.js';

const FRAMES = 60;

async function playing(t: Test, make: DriverMaker): Promise<{ fake: FakeVoiceServer; player: VoicePlayer }> {
  const { fake, driver } = await driverSetting(t, make);
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  player.play(FRAMES);
  await player.when(() => player.sentAt.length >= 15);
  return { fake, player };
}

for (const [name, make] of DRIVERS) {
  t.test(`${name}: what was queued when a session ended is heard in the next`, CEILING, async (t) => {
    const { fake, player } = await playing(t, make);
    const { guildId } = player.server;
    fake.act(guildId, { kind: 'close', code: 4020 });
    await player.when(() => player.ready === 2);
    await player.when(() => player.sentAt.length === FRAMES);
    await fake.waitForSilence(guildId);
    await fake.waitForSpeaking(guildId, false);
    t.same(numbersOf(fake.frames(guildId)), upTo(FRAMES), 'each frame once, in order');
    t.equal(player.sentAt.length, FRAMES, 'and each is told once');
    t.same(player.closes, []);
    t.equal(fake.reports(guildId).length, 2);
    for (const report of fake.reports(guildId)) t.match(report, { violations: [], nonceReuses: 0 });
  });

  t.test(`${name}: between two sessions the queue can be taken back`, CEILING, async (t) => {
    const { fake, player } = await playing(t, make);
    const { guildId } = player.server;
    // The second Ready waits for the discovery that follows, so the pause falls between the two sessions.
    fake.script({ dropDiscovery: 3 }, { guildId });
    fake.act(guildId, { kind: 'close', code: 4020 });
    while (player.connection.connected) await pause(1);
    player.pause();
    const heard = player.pushed;
    t.ok(heard < FRAMES);
    await player.when(() => player.ready === 2);
    t.equal(player.sentAt.length, heard, 'nothing is told that was taken back');
    player.play(10);
    await player.when(() => player.sentAt.length === heard + 10);
    await fake.waitForSilence(guildId);
    t.same(numbersOf(fake.frames(guildId)), upTo(heard + 10));
  });
}
