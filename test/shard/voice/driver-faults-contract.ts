// The part of the voice driver contract that is about faults: messages out of order, stale, damaged or missing,
// heartbeats and resumes that are not answered, a stall of the thread. What is counted is the same for all drivers.

import type { Test } from 'tap';
import { DRIVER, DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import type { VoiceDriver } from '../../../src/shard/voice/driver.js';
import { Op } from '../../../src/shard/voice/voice-payloads.js';
import type { FakeVoiceServer } from '../../support/fake-voice.js';
import { TestRow } from '../../support/player-row.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, QUICK, contiguous, driverSetting, numbersOf, pause, upTo } from './driver-setting.js';
import type { DriverMaker, FakeOptions } from './driver-setting.js';

interface Setting {
  readonly fake: FakeVoiceServer;
  readonly driver: VoiceDriver;
  readonly counters: Float64Array;
}

/** Plays with one listener until the group stands, lets `fault` happen, and looks whether it still stands. */
async function survives(t: Test, { fake, driver }: Setting, fault: (guildId: string) => void): Promise<void> {
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(100_000);
  await player.when(() => player.ready === 1);
  fake.addListener(guildId);
  await fake.waitForDave(guildId);
  fault(guildId);
  fake.addListener(guildId);
  await fake.waitForDave(guildId);
  const before = fake.count(guildId);
  await fake.waitForFrames(guildId, before + 20);
  t.ok(
    fake
      .frames(guildId)
      .slice(before + 5)
      .every(({ dave, opus }) => dave && opus !== null),
    'the frames after it can be decrypted',
  );
  t.equal(fake.reports(guildId).length, 1);
  t.same(player.closes, []);
}

export function faultsContract(t: Test, make: DriverMaker): void {
  const setting = async (
    t: Test,
    options: FakeOptions = {},
    times: Partial<typeof QUICK> = {},
  ): Promise<Setting> => {
    const counters = new Float64Array(DRIVER_WORDS);
    const changes = { counters, times: { ...QUICK, ...times } };
    return { ...(await driverSetting(t, make, options, changes)), counters };
  };

  t.test('proposals of a stale epoch are ignored', CEILING, async (t) => {
    const made = await setting(t);
    await survives(t, made, (guildId) => made.fake.act(guildId, { kind: 'stale-proposals' }));
    t.ok((made.counters[DRIVER.ignored] ?? 0) > 0, 'and counted');
  });

  t.test('a second external sender in a group is ignored', CEILING, async (t) => {
    const made = await setting(t);
    await survives(t, made, (guildId) => made.fake.act(guildId, { kind: 'external-sender' }));
  });

  t.test('proposals for a user who was never announced are ignored', CEILING, async (t) => {
    const made = await setting(t);
    await survives(t, made, (guildId) => made.fake.act(guildId, { kind: 'unknown-user-proposals' }));
    t.ok((made.counters[DRIVER.ignored] ?? 0) > 0, 'and counted');
  });

  t.test('an external sender before the session description is kept', CEILING, async (t) => {
    const made = await setting(t, { faults: { externalSender: 'before-description' } });
    await survives(t, made, () => undefined);
  });

  t.test('a damaged welcome is answered and recovered from', CEILING, async (t) => {
    const made = await setting(t, { faults: { corruptWelcome: true } });
    await survives(t, made, () => undefined);
  });

  t.test('messages that are no voice messages are ignored', CEILING, async (t) => {
    const { fake, driver, counters } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(30);
    await player.when(() => player.ready === 1);
    for (const op of [2, 4, 5, 8, 9, 11, 13, 21, 22, 24, 99]) {
      for (const d of [null, 7, {}, { user_ids: 7 }, { transition_id: 'x', protocol_version: {} }]) {
        fake.act(guildId, { kind: 'send', op, d });
      }
    }
    await fake.waitForFrames(guildId, 35);
    t.ok((counters[DRIVER.ignored] ?? 0) > 0);
    t.same(player.closes, []);
    t.same(numbersOf(fake.frames(guildId)), upTo(30));
  });

  t.test('frames are withheld while the group of others never gets ready', CEILING, async (t) => {
    const { fake, driver, counters } = await setting(
      t,
      { faults: { externalSender: 'none' } },
      { daveHold: 200 },
    );
    const server = voiceServer(fake.endpoint);
    fake.addListener(server.guildId);
    const row = new TestRow();
    const player = new VoicePlayer(driver, server, () => true, row.place);
    player.play(20);
    await player.when(() => player.givenUp.length === 20);
    t.same(new Set(player.givenUp), new Set(['ring']), 'each is told as given up');
    t.same([player.sentAt.length, player.missed, row.word('sent'), row.positionMs], [0, 0, 0, 0]);
    t.equal(counters[DRIVER.withheld], 20, 'the clock runs on after the wait and the frames are counted');
    t.ok((counters[DRIVER.held] ?? 0) >= 8, 'the wait was in slots of 20 ms');
    t.same(
      fake.frames(server.guildId).filter(({ silence }) => !silence),
      [],
      'nothing went out plain',
    );
  });

  t.test('a gateway that stops acknowledging heartbeats is resumed', CEILING, async (t) => {
    const { fake, driver, counters } = await setting(t, { heartbeatMs: 60, heartbeatTimeoutMs: 60_000 });
    fake.script({ noHeartbeatAck: true });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(40);
    await fake.waitForResume(guildId);
    await fake.waitForFrames(guildId, 45);
    t.equal(counters[DRIVER.resumes], 1);
    t.ok(contiguous(fake.frames(guildId)));
    t.ok(player.connection.ping >= 0);
  });

  t.test('a resume that is never answered is tried again', CEILING, async (t) => {
    const { fake, driver, counters } = await setting(t, {}, { connectDeadline: 300 });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    await player.when(() => player.ready === 1);
    fake.script({ noResumed: true }, { guildId });
    fake.act(guildId, { kind: 'drop' });
    await player.when(() => player.ready === 2);
    t.equal(counters[DRIVER.resumes], 2);
    t.same(player.closes, []);
  });

  t.test('messages sent again before Resumed are not lost', CEILING, async (t) => {
    const { fake, driver } = await setting(t, { resumeOrder: 'buffered-first' }, { resumeFirstDelay: 150 });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(100_000);
    // Speaking follows the key package, which must not be lost with the connection.
    await fake.waitForSpeaking(guildId, true);
    fake.act(guildId, { kind: 'drop' });
    fake.addListener(guildId);
    await player.when(() => player.ready === 2);
    await fake.waitForDave(guildId);
    const before = fake.count(guildId);
    await fake.waitForFrames(guildId, before + 20);
    t.ok(
      fake
        .frames(guildId)
        .slice(before + 5)
        .every(({ dave, opus }) => dave && opus !== null),
    );
  });

  t.test('the numbering of messages may start at 0 and wrap', CEILING, async (t) => {
    // The last message before the cut has number 0, once as the first of all and once after a wrap. A server that
    // keeps nothing lets only those resume who have acknowledged it.
    for (const [firstSeq, more] of [
      [0, 0],
      [65_534, 2],
    ] as const) {
      const { fake, driver, counters } = await setting(t, { firstSeq, resumeBuffer: 0 });
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      const { guildId } = player.server;
      player.play(100_000);
      await fake.waitForSpeaking(guildId, true);
      for (let n = 0; n < more; n++) fake.act(guildId, { kind: 'send', op: Op.heartbeat, d: null });
      while ((fake.report(guildId)?.heartbeats ?? 0) < 1 + more) await pause(1);
      fake.act(guildId, { kind: 'drop' });
      await player.when(() => player.ready === 2 || player.closes.length > 0);
      t.same(player.closes, []);
      t.equal(counters[DRIVER.resumes], 1);
    }
  });

  t.test('a server without a mode in common is told by name', CEILING, async (t) => {
    // The fake offers whatever it is told to.
    const { fake, driver } = await setting(t, { modes: ['xsalsa20_poly1305' as 'aead_aes256_gcm_rtpsize'] });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    t.match(await player.closed(), { code: 4016, byRemote: false, beforeReady: true, reason: /xsalsa20/ });
  });

  t.test('the pacer counts what left and how late', CEILING, async (t) => {
    const { fake, driver, counters } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    player.play(20);
    await fake.waitForFrames(player.server.guildId, 25);
    await fake.waitForSpeaking(player.server.guildId, false);
    t.equal(counters[DRIVER.sent], 20);
    t.equal(counters[DRIVER.silence], 5);
    const buckets = counters.subarray(DRIVER.late, DRIVER.held);
    t.equal(
      buckets.reduce((sum, n) => sum + n, 0),
      25,
    );
    t.equal(counters[DRIVER.identifies], 1);
  });

  t.test(
    'a stall of the whole thread is followed by three frames at the most, and none is lost',
    CEILING,
    async (t) => {
      const { fake, driver, counters } = await setting(t);
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      const { guildId } = player.server;
      player.play(40);
      await player.when(() => player.sentAt.length === 10);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      await fake.waitForFrames(guildId, 45);
      const frames = fake.frames(guildId);
      t.same(numbersOf(frames), upTo(40));
      t.ok(contiguous(frames), 'late, not lost: the timestamps go on');
      // By the sender's times: the fake server stood still as well, and heard the frame before the stall after it.
      const { sentAt } = player;
      t.ok(sentAt.every((at, n) => n < 3 || at - (sentAt[n - 3] ?? 0) > 5));
      t.ok((counters[DRIVER.skipped] ?? 0) >= 10, 'the slots of the stall are given up and counted');
    },
  );

  t.test('a connection superseded while it was dialled says nothing to the server', CEILING, async (t) => {
    const { fake, driver, counters } = await setting(t);
    let asked = 0;
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => asked++ === 0);
    while (asked < 2) await pause(1);
    const next = new VoicePlayer(driver, voiceServer(fake.endpoint));
    await next.when(() => next.ready === 1);
    t.same([player.ready, player.closes, fake.reports(player.server.guildId)], [0, [], []]);
    t.equal(counters[DRIVER.identifies], 1);
  });
}
