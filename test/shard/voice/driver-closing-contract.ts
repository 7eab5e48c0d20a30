// The part of the voice driver contract that is about ends: local and remote closes, resumes, fresh
// sessions (decision D8), superseded connections, and connections beside each other.

import type { Test } from 'tap';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, QUICK, contiguous, driverSetting, numbersOf, pause, upTo } from './driver-setting.js';
import type { DriverMaker, DriverSetting, FakeOptions } from './driver-setting.js';

const TERMINAL = [1000, 4004, 4006, 4011, 4014, 4017, 4021, 4022];

export function closingContract(t: Test, make: DriverMaker): void {
  const setting = (
    t: Test,
    options: FakeOptions = {},
    changes: Partial<DriverSetting> = {},
  ): ReturnType<typeof driverSetting> => driverSetting(t, make, options, changes);

  t.test('a local close ends with 1000 and without a word', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    player.play(100_000);
    await player.when(() => player.sentAt.length === 10);
    player.close();
    player.close();
    const told = player.sentAt.length;
    t.match(await fake.waitForClose(player.server.guildId), { code: 1000, by: 'client' });
    t.equal(player.connection.room(), 0);
    t.equal(player.connection.connected, false);
    await pause(60);
    t.same([player.closes.length, player.sentAt.length, player.missed], [0, told, 0]);
  });

  t.test('a close before the connection is ready is silent as well', CEILING, async (t) => {
    const { fake, driver } = await setting(t, {}, { maxConnections: 1 });
    const early = new VoicePlayer(driver, voiceServer(fake.endpoint));
    early.close();
    const next = new VoicePlayer(driver, voiceServer(fake.endpoint));
    next.play(5);
    await next.when(() => next.sentAt.length === 5);
    t.same([early.ready, early.closes.length], [0, 0]);
  });

  t.test(
    'each final close code is told once, with its reason, and nothing is tried again',
    CEILING,
    async (t) => {
      const { fake, driver } = await setting(t);
      const players = TERMINAL.map(() => new VoicePlayer(driver, voiceServer(fake.endpoint)));
      for (const [n, code] of TERMINAL.entries()) {
        const player = players[n];
        if (player === undefined) continue;
        await player.when(() => player.ready === 1);
        fake.act(player.server.guildId, { kind: 'close', code, reason: `because of ${code}` });
        const expected = { code, reason: `because of ${code}`, byRemote: true, beforeReady: false };
        t.same(await player.closed(), expected);
        t.equal(player.connection.connected, false);
      }
      await pause(100);
      for (const player of players) {
        t.equal(player.closes.length, 1);
        t.equal(fake.reports(player.server.guildId).length, 1);
        t.equal(fake.report(player.server.guildId)?.resumes, 0);
      }
    },
  );

  for (const cut of ['a dropped connection', 'close code 4015', 'close code 1001'] as const) {
    t.test(`${cut} is resumed and the frames go on meanwhile`, CEILING, async (t) => {
      const { fake, driver } = await setting(t);
      const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
      const { guildId } = player.server;
      player.play(60);
      await fake.waitForFrames(guildId, 15);
      const code = Number(/\d+/.exec(cut)?.[0]);
      fake.act(guildId, Number.isNaN(code) ? { kind: 'drop' } : { kind: 'close', code });
      await fake.waitForResume(guildId);
      await player.when(() => player.ready === 2);
      await fake.waitForFrames(guildId, 65);
      const frames = fake.frames(guildId);
      t.same(numbersOf(frames), upTo(60));
      t.ok(contiguous(frames));
      t.equal(fake.reports(guildId).length, 1, 'the session is the same');
      t.same(player.closes, []);
      await fake.waitForSpeaking(guildId, false);
      t.same(fake.report(guildId)?.speakingFlags, [1, 1, 0], 'speaking is told again after the resume');
      t.same(fake.report(guildId)?.violations, []);
    });
  }

  t.test('a refused resume ends the connection with its code', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    await player.when(() => player.ready === 1);
    fake.script({ refuseResume: true }, { guildId: player.server.guildId });
    fake.act(player.server.guildId, { kind: 'drop' });
    t.match(await player.closed(), { code: 4006, byRemote: true, beforeReady: false });
    t.equal(player.closes.length, 1);
  });

  t.test('a connection that drops again while it resumes is resumed again', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    await player.when(() => player.ready === 1);
    fake.script({ closeAt: { moment: 'resume', code: 4015 } }, { guildId, times: 2 });
    fake.act(guildId, { kind: 'drop' });
    await player.when(() => player.ready === 2);
    player.play(5);
    await fake.waitForFrames(guildId, 10);
    t.same(player.closes, []);
  });

  t.test('4009 is resumed once', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    await player.when(() => player.ready === 1);
    fake.act(guildId, { kind: 'close', code: 4009 });
    await player.when(() => player.ready === 2);
    fake.act(guildId, { kind: 'close', code: 4009, reason: 'again' });
    t.same(await player.closed(), { code: 4009, reason: 'again', byRemote: true, beforeReady: false });
  });

  t.test('a code that means our own fault gets one fresh Identify', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(100_000);
    await fake.waitForFrames(guildId, 10);
    fake.act(guildId, { kind: 'close', code: 4020 });
    await fake.waitForIdentify(guildId, 2);
    await player.when(() => player.ready === 2);
    const before = player.sentAt.length;
    await player.when(() => player.sentAt.length === before + 10);
    t.ok(contiguous(fake.frames(guildId).filter(({ session }) => session === fake.report(guildId)?.id)));
    fake.act(guildId, { kind: 'close', code: 4020 });
    t.match(await player.closed(), { code: 4020, byRemote: true, beforeReady: false });
    t.equal(fake.reports(guildId).length, 2);
  });

  t.test('five failed tries to resume are the end', CEILING, async (t) => {
    const { fake, driver } = await setting(t, {}, { times: { ...QUICK, resumeFirstDelay: 5 } });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    await player.when(() => player.ready === 1);
    fake.script({ closeAt: { moment: 'resume', code: 4015, reason: 'still down' } }, { guildId, times: 99 });
    fake.act(guildId, { kind: 'drop' });
    t.match(await player.closed(), { code: 4015, reason: 'still down', byRemote: true });
    t.equal(fake.report(guildId)?.resumes, 5, 'the server let it resume each time, and cut it again');
  });

  t.test('connections live and end apart from each other', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const [one, two] = [
      new VoicePlayer(driver, voiceServer(fake.endpoint)),
      new VoicePlayer(driver, voiceServer(fake.endpoint)),
    ];
    one.play(100_000);
    two.play(60);
    await two.when(() => two.sentAt.length === 20);
    fake.act(one.server.guildId, { kind: 'close', code: 4014 });
    await one.closed();
    await fake.waitForFrames(two.server.guildId, 65);
    t.same(numbersOf(fake.frames(two.server.guildId)), upTo(60));
    t.same(two.closes, []);
  });

  t.test('the ceiling of connections is a coded error', CEILING, async (t) => {
    const { fake, driver } = await setting(t, {}, { maxConnections: 1 });
    const first = new VoicePlayer(driver, voiceServer(fake.endpoint));
    t.throws(() => new VoicePlayer(driver, voiceServer(fake.endpoint)), { code: 'PUM_VOICE_FULL' });
    first.close();
    t.doesNotThrow(() => new VoicePlayer(driver, voiceServer(fake.endpoint)));
  });

  t.test('a connection that is superseded ends without a word', CEILING, async (t) => {
    const { fake, driver } = await setting(t, {}, { maxConnections: 1 });
    let asked = 0;
    const before = new VoicePlayer(driver, voiceServer(fake.endpoint), () => {
      asked++;
      return false;
    });
    while (asked === 0) await pause(1);
    let may = true;
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => may);
    await player.when(() => player.ready === 1);
    may = false;
    fake.act(player.server.guildId, { kind: 'drop' });
    while (player.connection.connected) await pause(1);
    t.same([before.ready, before.closes, player.ready, player.closes], [0, [], 1, []]);
    t.same(fake.reports(before.server.guildId), [], 'no Identify was sent');
    t.equal(fake.report(player.server.guildId)?.resumes, 0, 'no Resume was sent');
  });

  t.test('closing the driver ends every connection', CEILING, async (t) => {
    const { fake, driver } = await setting(t);
    const players = [1, 2, 3].map(() => new VoicePlayer(driver, voiceServer(fake.endpoint)));
    for (const player of players) await player.when(() => player.ready === 1);
    driver.close();
    for (const player of players) {
      t.match(await fake.waitForClose(player.server.guildId), { code: 1000, by: 'client' });
      t.same(player.closes, []);
    }
  });
}
