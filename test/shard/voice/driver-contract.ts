// What every voice driver has to do, told through src/shard/voice/driver.ts alone and heard by the fake
// voice server. A driver's own test file calls driverContract() with a way to make the driver; here are the
// frames, the other parts are about closing and about refusing.

import type { Test } from 'tap';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, contiguous, driverSetting, numbersOf, pause, upTo } from './driver-setting.js';
import type { DriverMaker, DriverSetting, FakeOptions } from './driver-setting.js';
import { closingContract } from './driver-closing-contract.js';
import { faultsContract } from './driver-faults-contract.js';
import { refusalContract } from './driver-refusal-contract.js';
import { rowContract } from './driver-row-contract.js';

export function driverContract(t: Test, make: DriverMaker): void {
  closingContract(t, make);
  faultsContract(t, make);
  refusalContract(t, make);
  rowContract(t, make);
  const setting = (
    t: Test,
    options: FakeOptions = {},
    changes: Partial<DriverSetting> = {},
  ): ReturnType<typeof driverSetting> => driverSetting(t, make, options, changes);

  t.test(
    'a hundred frames are heard in order, then five of silence, then speaking is off',
    CEILING,
    async (t) => {
      const { fake, driver } = await setting(t);
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      const { guildId } = player.server;
      t.equal(player.connection.connected, false);
      t.equal(player.connection.room(), 0, 'nothing is accepted before the connection is ready');
      player.play(100);
      await fake.waitForFrames(guildId, 105);
      await fake.waitForSpeaking(guildId, false);
      const frames = fake.frames(guildId);
      t.equal(frames.length, 105);
      t.same(numbersOf(frames), upTo(100));
      t.ok(contiguous(frames), 'sequence +1, timestamp +960');
      t.ok(
        frames.slice(100).every(({ silence }) => silence),
        'the last five are silence',
      );
      t.equal(player.sentAt.length, 100, 'each frame is told once, silence is not');
      t.equal(player.ready, 1);
      t.equal(player.connection.connected, true);
      t.ok(player.connection.ping >= 0, 'the ping is known long before the first heartbeat interval is over');
      t.same(fake.report(guildId)?.violations, []);
      t.same(fake.report(guildId)?.speakingFlags, [1, 0]);
      t.match(fake.report(guildId)?.sinkWants, { any: 0 }, "members' voices are not wanted");
    },
  );

  t.test('frames keep to 20 ms on the average', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    player.play(100);
    await player.when(() => player.sentAt.length === 100);
    const [first = NaN] = player.sentAt;
    const lasted = (player.sentAt.at(-1) ?? NaN) - first;
    // 99 gaps are 1,980 ms; a slow machine may be late at the end, but nothing may come early.
    t.ok(lasted > 1_940 && lasted < 6_000, `${lasted} ms`);
    t.ok((fake.report(player.server.guildId)?.longestBurst ?? 9) <= 3);
  });

  t.test('a listener who joins in the middle can decrypt what follows', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(100_000);
    await fake.waitForFrames(guildId, 10);
    fake.addListener(guildId);
    await fake.waitForDave(guildId);
    const before = fake.count(guildId);
    await fake.waitForFrames(guildId, before + 40);
    const late = fake.frames(guildId).slice(before + 5);
    t.ok(
      late.every(({ dave }) => dave),
      'all of them are encrypted end to end',
    );
    const numbers = numbersOf(late);
    t.same(
      numbers,
      numbers.map((_, n) => (numbers[0] ?? NaN) + n),
      'and decrypt to the frames that were pushed, in order',
    );
    t.equal(fake.report(guildId)?.plainWhileActive, 0);
  });

  t.test('nothing goes out plain into a call that has members', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const server = voiceServer(fake.endpoint);
    fake.addListener(server.guildId);
    const player = new VoicePlayer(driver, server);
    player.play(50);
    await fake.waitForFrames(server.guildId, 55);
    const frames = fake.frames(server.guildId);
    t.ok(frames.every(({ dave, silence }) => dave || silence));
    t.same(numbersOf(frames), upTo(50), 'the first frames have waited for the group');
  });

  t.test('a pause advances the timestamp by the time it took', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(10);
    await fake.waitForFrames(guildId, 15);
    await fake.waitForSpeaking(guildId, false);
    await pause(300);
    player.play(10);
    await fake.waitForFrames(guildId, 30);
    await fake.waitForSpeaking(guildId, false);
    const frames = fake.frames(guildId);
    t.ok(contiguous(frames.slice(0, 15)));
    t.ok(contiguous(frames.slice(15, 30)));
    const [last, next] = frames.slice(14, 16);
    if (last === undefined || next === undefined) throw new Error('frames are missing');
    const samples = (next.timestamp - last.timestamp) >>> 0;
    t.equal(samples % 960, 0, 'whole frames');
    t.ok(
      Math.abs(samples / 48 - (next.at - last.at)) < 120,
      `${samples / 48} ms against ${next.at - last.at} ms`,
    );
    t.equal((next.sequence - last.sequence) & 0xffff, 1, 'the sequence has no gap');
    t.same(fake.report(guildId)?.speakingFlags, [1, 0, 1, 0]);
  });

  t.test('flush gives back what was not sent, and it is not told', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(100_000);
    await player.when(() => player.sentAt.length === 20);
    const back = player.pause();
    t.ok(back > 0);
    await fake.waitForSilence(guildId);
    await fake.waitForSpeaking(guildId, false);
    t.equal(player.sentAt.length, player.pushed);
    const { pushed } = player;
    t.same(numbersOf(fake.frames(guildId)), upTo(pushed));
    player.play(5);
    await fake.waitForFrames(guildId, pushed + 5 + 5 + 5);
    t.same(numbersOf(fake.frames(guildId)), upTo(pushed + 5), 'and the next push goes on');
  });

  t.test('an empty queue is told as missed, once per slot', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    await player.when(() => player.ready === 1);
    player.push(Buffer.from([0xfc, 1]), 0);
    await player.when(() => player.missed === 5);
    t.equal(player.sentAt.length, 1);
    t.equal(fake.count(player.server.guildId), 1, 'nothing is sent instead');
    player.connection.finish();
    await fake.waitForSpeaking(player.server.guildId, false);
    t.ok(player.missed <= 6, 'and not any more after finish()');
  });
}
