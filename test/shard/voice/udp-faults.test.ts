// The way to the voice server is bad (reliability.md case 39): datagrams reordered, delayed and damaged, an address
// that changes on the way, a port that moves or refuses. Both drivers go on sending at their pace, throw nothing and
// end nothing. And sequence and timestamp wrap on that way (case 6). Heard by a fake voice server.

import t, { type Test } from 'tap';
import { DRIVER, DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import type { FakeVoiceServer } from '../../support/fake-voice.js';
import { UdpFault } from '../../support/udp-fault.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { DRIVERS, nativeMaker } from './driver-makers.js';
import {
  contiguous,
  driverSetting,
  numbersOf,
  pause,
  QUICK,
  upTo,
  type DriverMaker,
} from './driver-setting.js';

const LIMIT = { timeout: 30_000 };

interface Line {
  readonly fake: FakeVoiceServer;
  readonly relay: UdpFault;
  readonly player: VoicePlayer;
  readonly counters: Float64Array;
}

/** A connection whose datagrams pass a relay. */
async function line(t: Test, make: DriverMaker): Promise<Line> {
  const counters = new Float64Array(DRIVER_WORDS);
  const { fake, driver } = await driverSetting(t, make, {}, { counters });
  const relay = await UdpFault.start({ port: fake.udpPort, seed: 39 });
  t.teardown(() => relay.close());
  fake.script({ readyAddress: { ip: '127.0.0.1', port: relay.port } }, { times: 1 });
  return { fake, relay, player: new VoicePlayer(driver, voiceServer(fake.endpoint)), counters };
}

for (const [name, make] of DRIVERS) {
  t.test(`${name}: disorder, delay and damage on the way change nothing of the pace`, LIMIT, async (t) => {
    const { fake, relay, player, counters } = await line(t, make);
    const { guildId } = player.server;
    relay.set({ reorderPercent: 20, delayMs: 60, jitterMs: 50, corruptPercent: 10, duplicatePercent: 10 });
    player.play(150);
    await player.when(() => player.sentAt.length === 150);
    const { reordered, corrupted, duplicated } = relay.counts;
    t.ok(reordered > 5 && corrupted > 3 && duplicated > 3, 'the way was bad');
    t.equal(counters[DRIVER.sent], 150, 'each frame left once');
    t.equal(counters[DRIVER.failed], 0);
    t.same(player.closes, []);
    const took = (player.sentAt.at(-1) ?? NaN) - (player.sentAt[0] ?? NaN);
    t.ok(took > 2_900, `${took.toFixed(0)} ms for 150 frames`);
    await fake.waitForSpeaking(guildId, false);
    // The relay holds no datagram for longer than that.
    await pause(3 * 110);
    relay.set();
    player.play(20);
    await player.when(() => player.sentAt.length === 170);
    await fake.waitForSilence(guildId);
    t.same(numbersOf(fake.frames(guildId)).slice(-20), upTo(170).slice(-20), 'then the way is good again');
  });

  t.test(`${name}: an address that changes on the way is heard on`, LIMIT, async (t) => {
    const { fake, relay, player } = await line(t, make);
    const { guildId } = player.server;
    player.play(100);
    for (const frames of [20, 40, 60]) {
      await player.when(() => player.sentAt.length >= frames);
      relay.rebind();
    }
    await player.when(() => player.sentAt.length === 100);
    await fake.waitForSilence(guildId);
    t.ok((fake.report(guildId)?.packets ?? 0) >= 105 - 3 * 3, 'what was under way may be lost, no more');
    t.same(player.closes, []);
    t.equal(fake.report(guildId)?.resumes, 0);
  });

  t.test(
    `${name}: a port that refuses is counted at the most, and a new one comes with a new session`,
    LIMIT,
    async (t) => {
      const counters = new Float64Array(DRIVER_WORDS);
      const { fake, driver } = await driverSetting(t, make, {}, { counters, times: QUICK });
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      const { guildId } = player.server;
      player.play(100_000);
      await fake.waitForFrames(guildId, 20);
      await fake.changeUdpPort(false);
      const sent = player.sentAt.length;
      await player.when(() => player.sentAt.length >= sent + 50);
      t.same(player.closes, []);
      const heard = fake.count(guildId);
      fake.act(guildId, { kind: 'close', code: 4020 });
      await fake.waitForFrames(guildId, heard + 30);
      t.same(player.closes, []);
      t.equal(player.missed, 0, 'the player never starved');
    },
  );
}

t.test('sequence and timestamp wrap, over a pause and a listener who joins', LIMIT, async (t) => {
  // Sequence 65,535 and a timestamp six frames before its end.
  const { fake, driver } = await driverSetting(t, nativeMaker({ random: () => 65_535.9 / 65_536 }));
  const server = voiceServer(fake.endpoint);
  const { guildId } = server;
  const player = new VoicePlayer(driver, server);
  player.play(40);
  await fake.waitForFrames(guildId, 2);
  fake.addListener(guildId);
  await fake.waitForDave(guildId);
  await player.when(() => player.sentAt.length === 40);
  await fake.waitForSilence(guildId);
  const frames = fake.frames(guildId);
  t.ok(contiguous(frames), 'by 1 and by 960, over the wraps too');
  t.equal(frames[0]?.sequence, 65_535);
  t.equal(frames[1]?.sequence, 0);
  t.ok((frames[0]?.timestamp ?? 0) > 2 ** 31 && (frames.at(-1)?.timestamp ?? NaN) < 2 ** 31);
  t.equal(numbersOf(frames).filter((number) => number >= 0).length, 40);
  t.match(fake.report(guildId), {
    violations: [],
    nonceReuses: 0,
    missing: 0,
    duplicates: 0,
    timestampFaults: 0,
  });
});
