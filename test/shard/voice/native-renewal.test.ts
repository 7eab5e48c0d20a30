// A key that has sealed nearly as many packets as it may: our own driver exchanges the session for one with another
// key and nobody is told; and numbers that run over (reliability.md case 6). Speaks to a fake voice server on
// loopback, with the sender in this thread.

import t, { type Test } from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { DRIVER, DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import { slabFor } from '../../../src/shared/ring-plan.js';
import { RingWriter } from '../../../src/shared/send-ring.js';
import { createSender } from '../../../src/shard/sender/create-sender.js';
import type { VoiceDriver } from '../../../src/shard/voice/driver.js';
import { createNativeDriver, type NativeDriverOptions } from '../../../src/shard/voice/native-driver.js';
import { SenderRings } from '../../../src/shard/voice/sender-rings.js';
import { FakeVoiceServer } from '../../support/fake-voice.js';
import { loopbackGuard } from '../../support/loopback-guard.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, QUICK, contiguous, numbersOf, upTo } from './driver-setting.js';

const RENEW_AFTER = 100;

interface Setting {
  readonly fake: FakeVoiceServer;
  readonly driver: VoiceDriver;
  readonly counters: Float64Array;
  /** Nonces that were taken under the newest key. */
  readonly nonces: () => number;
}

async function setting(t: Test, options: Partial<NativeDriverOptions>): Promise<Setting> {
  const fake = await FakeVoiceServer.start();
  const counters = new Float64Array(DRIVER_WORDS);
  const slab = slabFor(400, 16);
  const sender = createSender(systemClock, counters);
  const rings = new SenderRings(slab, (listener) => sender.loop.attach(slab, listener));
  let newest = 0;
  const driver = createNativeDriver({
    clock: systemClock,
    guard: loopbackGuard,
    ca: fake.certificate.cert,
    times: QUICK,
    counters,
    leadMs: 400,
    rings: () => rings,
    detach: () => sender.close(),
    ...options,
  });
  const { lease } = rings;
  rings.lease = (owner) => {
    const leased = lease.call(rings, owner);
    newest = leased.ring.index;
    return leased;
  };
  t.teardown(async () => {
    driver.close();
    await fake.close();
  });
  await driver.prepare();
  return { fake, driver, counters, nonces: () => new RingWriter(slab, newest).nonces };
}

for (const [listeners, name] of [
  [0, 'alone in its call'],
  [1, 'end-to-end encrypted'],
] as const) {
  t.test(`a key that is worn is exchanged and every frame is heard once, ${name}`, CEILING, async (t) => {
    const { fake, driver, counters, nonces } = await setting(t, { renewAfter: RENEW_AFTER });
    const server = voiceServer(fake.endpoint);
    const { guildId } = server;
    for (let n = 0; n < listeners; n++) fake.addListener(guildId);
    const player = new VoicePlayer(driver, server);
    player.play(RENEW_AFTER + 50);
    await fake.waitForIdentify(guildId, 2);
    await player.when(() => player.sentAt.length === player.pushed && player.pushed === RENEW_AFTER + 50);
    await fake.waitForSpeaking(guildId, false);
    const frames = fake.frames(guildId);
    t.same(numbersOf(frames), upTo(RENEW_AFTER + 50));
    const heard = frames.filter(({ silence }) => !silence);
    t.ok(heard.every(({ dave, opus }) => dave === listeners > 0 && opus !== null));
    const reports = fake.reports(guildId);
    t.equal(reports.length, 2);
    t.equal(counters[DRIVER.identifies], 2);
    for (const report of reports) {
      t.match(report, { nonceReuses: 0, duplicates: 0, reordered: 0, undecrypted: 0, plainWhileActive: 0 });
      t.match(report, { missing: 0, violations: [] });
      t.ok(contiguous(frames.filter(({ session }) => session === report.id)), 'contiguous in its session');
    }
    t.ok(
      nonces() >= (reports[1]?.packets ?? NaN) && nonces() < RENEW_AFTER,
      'counted from 0 under the new key',
    );
    t.same(player.closes, [], 'nobody is told');
    t.equal(player.ready, 2);
    t.ok(player.connection.connected);
  });
}

t.test('a pause while the key is exchanged gives every frame back', CEILING, async (t) => {
  const { fake, driver } = await setting(t, { renewAfter: RENEW_AFTER });
  const server = voiceServer(fake.endpoint);
  const { guildId } = server;
  let asked = 0;
  let back = -1;
  const player: VoicePlayer = new VoicePlayer(driver, server, () => {
    // Asked before each dialling and each Identify: the old session is gone, and there is no new one yet.
    if (++asked === 4) back = player.pause();
    return true;
  });
  player.play(100_000);
  await player.when(() => player.ready === 2);
  t.ok(back > 0, `${String(back)} frames taken back`);
  t.equal(player.sentAt.length, player.pushed, 'the others have left');
  const before = player.pushed;
  player.play(50);
  await player.when(() => player.sentAt.length === before + 50);
  await fake.waitForSpeaking(guildId, false);
  t.same(numbersOf(fake.frames(guildId)), upTo(before + 50));
});

t.test('a key is exchanged again and again while the player plays on', CEILING, async (t) => {
  const { fake, driver } = await setting(t, { renewAfter: 40 });
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(150);
  await player.when(() => player.sentAt.length === 150);
  await fake.waitForSpeaking(guildId, false);
  t.same(numbersOf(fake.frames(guildId)), upTo(150));
  t.ok(fake.reports(guildId).length > 3);
  t.ok(fake.reports(guildId).every(({ nonceReuses }) => nonceReuses === 0));
  t.same(player.closes, []);
});

t.test('frames that a lost session has not sent go on in the one that follows it', CEILING, async (t) => {
  const { fake, driver } = await setting(t, {});
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(150);
  await player.when(() => player.sentAt.length > 40);
  // A code that means our own fault: identified afresh (decision D8).
  fake.act(guildId, { kind: 'close', code: 4005 });
  await player.when(() => player.sentAt.length === 150);
  await fake.waitForSpeaking(guildId, false);
  const heard = numbersOf(fake.frames(guildId));
  t.equal(fake.reports(guildId).length, 2);
  t.same(
    heard,
    [...new Set(heard)].sort((a, b) => a - b),
    'none twice, in order',
  );
  t.ok(heard.length > 140 && heard.at(-1) === 149, `${String(heard.length)} of 150 heard`);
  t.same(player.closes, []);
});

t.test('a key that cannot be exchanged ends the connection with its code', CEILING, async (t) => {
  const { fake, driver } = await setting(t, { renewAfter: RENEW_AFTER });
  let asked = 0;
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => {
    if (++asked === 3) fake.script({ closeAt: { moment: 'identify', code: 4004 } });
    return true;
  });
  player.play(100_000);
  t.match(await player.closed(), { code: 4004, beforeReady: false });
});

t.test('sequence and timestamp run over without a hole', CEILING, async (t) => {
  // The first sequence is 65,535, and the timestamp runs over at the 45th frame.
  const { fake, driver } = await setting(t, { random: () => 0.99999 });
  const server = voiceServer(fake.endpoint);
  fake.addListener(server.guildId);
  const player = new VoicePlayer(driver, server);
  player.play(100);
  await fake.waitForFrames(server.guildId, 105);
  const frames = fake.frames(server.guildId);
  const first = frames[0];
  const last = frames.at(-1);
  t.ok((first?.sequence ?? 0) > (last?.sequence ?? NaN), 'the sequence has run over');
  t.ok((first?.timestamp ?? 0) > (last?.timestamp ?? NaN), 'so has the timestamp');
  t.same(numbersOf(frames), upTo(100));
  t.ok(contiguous(frames));
  t.match(fake.report(server.guildId), { missing: 0, duplicates: 0, timestampFaults: 0, violations: [] });
});
