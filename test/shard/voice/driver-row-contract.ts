// What every voice driver writes into the player's row: part of the contract in driver-contract.ts. The position is
// that of frames which left, and no frame counts that did not.

import type { Test } from 'tap';
import { TestRow } from '../../support/player-row.js';
import { numberedFrame, VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, driverSetting } from './driver-setting.js';
import type { DriverMaker } from './driver-setting.js';

const FRAME_MS = 20;

export function rowContract(t: Test, make: DriverMaker): void {
  t.test('every frame that left is in the row, silence is not', CEILING, async (t) => {
    const { fake, driver } = await driverSetting(t, make);
    const row = new TestRow();
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, row.place);
    const began = performance.now();
    player.play(50);
    await player.when(() => player.sentAt.length === 50);
    await fake.waitForSpeaking(player.server.guildId, false);
    t.equal(row.word('sent'), 50);
    t.equal(row.bucketed, 50, 'each in one bucket of lateness');
    t.equal(row.positionMs, 50 * FRAME_MS);
    t.ok(row.at >= began && row.at <= performance.now(), `left at ${String(row.at)}`);
    t.equal(row.word('emptied'), 0, 'and the end was said');
  });

  t.test('the position follows the frames that left, as they leave', CEILING, async (t) => {
    const { fake, driver } = await driverSetting(t, make);
    const row = new TestRow();
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, row.place);
    player.play(60);
    let least = 0;
    while (player.sentAt.length < 60) {
      const told = player.sentAt.length;
      await player.when(() => player.sentAt.length > told);
      // The row is ahead of what is told, never behind it, and never ahead of what was pushed.
      const { positionMs } = row;
      if (positionMs < player.sentAt.length * FRAME_MS || positionMs > player.pushed * FRAME_MS) {
        t.fail(`${String(positionMs)} ms after ${String(player.sentAt.length)} frames`);
      }
      if (positionMs < least) t.fail(`from ${String(least)} back to ${String(positionMs)} ms`);
      least = positionMs;
    }
    t.equal(row.positionMs, 60 * FRAME_MS);
  });

  t.test('frames that were taken back leave no trace in the row', CEILING, async (t) => {
    const { fake, driver } = await driverSetting(t, make);
    const row = new TestRow();
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, row.place);
    const { guildId } = player.server;
    player.play(100_000);
    await player.when(() => player.sentAt.length === 10);
    // A seek: what is queued is taken back, and what follows is of another place and another tag.
    row.begin(2, 60_000);
    player.tag = 2;
    t.ok(player.pause() > 0);
    t.equal(row.positionMs, 60_000, 'nothing of before moves it');
    await fake.waitForSilence(guildId);
    await fake.waitForSpeaking(guildId, false);
    t.equal(row.positionMs, 60_000, 'nor does the silence behind it');
    t.equal(row.word('sent'), player.pushed);
    player.tag = 2;
    player.push(numberedFrame(5), 60_000 / FRAME_MS);
    await player.when(() => player.sentAt.length === player.pushed + 1);
    t.equal(row.positionMs, 60_020);
    t.equal(row.word('sent'), player.pushed + 1);
    t.equal(row.bucketed, row.word('sent'));
  });

  t.test('a slot without a frame is emptied, unless the end was said', CEILING, async (t) => {
    const { fake, driver } = await driverSetting(t, make);
    const row = new TestRow();
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, row.place);
    await player.when(() => player.ready === 1);
    player.push(numberedFrame(0), 0);
    await player.when(() => player.missed === 5);
    const emptied = row.word('emptied');
    t.ok(emptied >= 5, `${String(emptied)} slots`);
    player.connection.finish();
    await fake.waitForSpeaking(player.server.guildId, false);
    t.ok(row.word('emptied') <= emptied + 3, 'and not any more after finish()');
    t.equal(row.word('sent'), 1);
  });

  t.test('a row that was given to another placement is left alone', CEILING, async (t) => {
    const { fake, driver } = await driverSetting(t, make);
    const row = new TestRow();
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, {
      ...row.place,
      epoch: row.place.epoch - 1,
    });
    player.play(20);
    await player.when(() => player.sentAt.length === 20);
    await fake.waitForSpeaking(player.server.guildId, false);
    t.same([row.word('sent'), row.bucketed, row.word('maxLate'), row.positionMs], [0, 0, 0, 0]);
  });
}
