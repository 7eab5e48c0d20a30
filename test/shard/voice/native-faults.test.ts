// What only our own driver promises: a queue as long as its lead that can be taken back, stalls that are not heard,
// UDP that loses and damages (reliability.md case 39), damaged discovery, calls whose members come and go while
// frames lie sealed ahead. Speaks to a fake voice server on loopback; the sender runs in a thread of its own.

import { Worker, MessageChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { DRIVER } from '../../../src/shared/driver-words.js';
import { slabFor } from '../../../src/shared/ring-plan.js';
import { SENDER_WORDS } from '../../../src/shared/sender-task.js';
import { SenderPort } from '../../../src/shard/sender/sender-port.js';
import type { VoiceDriver } from '../../../src/shard/voice/driver.js';
import { createNativeDriver } from '../../../src/shard/voice/native-driver.js';
import { SenderRings } from '../../../src/shard/voice/sender-rings.js';
import { FakeVoiceServer } from '../../support/fake-voice.js';
import { loopbackGuard } from '../../support/loopback-guard.js';
import { UdpFault } from '../../support/udp-fault.js';
import { TestRow } from '../../support/player-row.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CEILING, QUICK, contiguous, numbersOf, upTo, type FakeOptions } from './driver-setting.js';

const LEAD = 20;

interface Setting {
  readonly fake: FakeVoiceServer;
  readonly driver: VoiceDriver;
  /** Of the sender. */
  readonly counters: Float64Array;
}

async function setting(t: Test, options: FakeOptions = {}): Promise<Setting> {
  const fake = await FakeVoiceServer.start(options);
  const counters = new Float64Array(new SharedArrayBuffer(SENDER_WORDS * 8));
  const worker = new Worker(new URL('../../../src/shard/sender/entry.js', import.meta.url), {
    workerData: { index: 0, counters: counters.buffer },
  });
  const slab = slabFor(LEAD * 20, 16);
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ op: 'attach', port: port1, slab }, [port1]);
  let port: SenderPort | null = null;
  const rings = new SenderRings(slab, (listener) => (port = new SenderPort(port2, listener)));
  const driver = createNativeDriver({
    clock: systemClock,
    guard: loopbackGuard,
    ca: fake.certificate.cert,
    times: QUICK,
    leadMs: LEAD * 20,
    rings: () => rings,
    detach: () => port?.disconnect(),
  });
  t.teardown(async () => {
    driver.close();
    await worker.terminate();
    await fake.close();
  });
  await driver.prepare();
  return { fake, driver, counters };
}

/** Nothing else of this thread runs meanwhile. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

t.test('a stall of the shard that is shorter than the lead is not heard', CEILING, async (t) => {
  const { fake, driver, counters } = await setting(t);
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(100);
  await player.when(() => player.sentAt.length === 20);
  for (let n = 0; n < 3; n++) {
    stall(200);
    const sent = player.sentAt.length;
    await player.when(() => player.sentAt.length > sent);
  }
  await fake.waitForFrames(guildId, 105);
  await fake.waitForSpeaking(guildId, false);
  t.equal(counters[DRIVER.missed], 0, 'the ring was never empty');
  t.same(numbersOf(fake.frames(guildId)), upTo(100));
  t.ok(contiguous(fake.frames(guildId)));
  t.same(fake.report(guildId)?.violations, []);
});

t.test('the row says how far the track lies sealed, until that is taken back', CEILING, async (t) => {
  const { fake, driver } = await setting(t);
  const row = new TestRow();
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint), () => true, row.place);
  player.play(100_000);
  await player.when(() => player.sentAt.length === 20);
  t.equal(row.sealedMs, player.pushed * 20, 'all that was pushed');
  t.ok(row.sealedMs - row.positionMs >= LEAD * 10, `${String(row.sealedMs - row.positionMs)} ms ahead`);
  player.pause();
  t.equal(row.sealedMs, 0, 'a pause takes it back');
  await fake.waitForSilence(player.server.guildId);
  t.equal(row.sealedMs, 0, 'silence is none of the track');
  player.play(5);
  t.equal(row.sealedMs, player.pushed * 20);
  row.begin(2, 60_000);
  t.equal(row.sealedMs, 0, 'what was sealed before a seek is not of the track as it is now');
  player.close();
  row.begin(1, 0);
  t.equal(row.sealedMs, 0, 'nor is anything after the end of the connection');
});

t.test('a pause acts at once though the queue is long, and nothing is lost', CEILING, async (t) => {
  const { fake, driver } = await setting(t);
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(100_000);
  for (let round = 0; round < 5; round++) {
    await player.when(() => player.sentAt.length >= 10 * (round + 1));
    const back = player.pause();
    t.ok(back >= LEAD / 2, `${String(back)} frames taken back`);
    const { pushed } = player;
    await fake.waitForSilence(guildId);
    await fake.waitForSpeaking(guildId, false);
    t.same(numbersOf(fake.frames(guildId)), upTo(pushed));
    player.play(100_000);
  }
  const report = fake.report(guildId);
  t.match(report, { missing: 0, nonceReuses: 0, violations: [] });
});

t.test('loss, duplicates and a blackout leave the pacing as it is', { timeout: 30_000 }, async (t) => {
  const { fake, driver, counters } = await setting(t);
  const relay = await UdpFault.start({ port: fake.udpPort, seed: 7 });
  t.teardown(() => relay.close());
  fake.script({ readyAddress: { ip: '127.0.0.1', port: relay.port } }, { times: 1 });
  relay.set({ dropPercent: 20, duplicatePercent: 5 });
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(200);
  await player.when(() => player.sentAt.length >= 50);
  relay.blackout(1_000);
  await player.when(() => player.sentAt.length >= 150);
  relay.set({});
  await player.when(() => player.sentAt.length === 200);
  t.equal(player.missed, 0);
  t.equal(counters[DRIVER.sent] ?? 0, 200, 'all of them left');
  t.same(player.closes, []);
  t.ok(relay.counts.dropped > 20 && relay.counts.duplicated > 0);
  const lasted = (player.sentAt.at(-1) ?? NaN) - (player.sentAt[0] ?? NaN);
  t.ok(lasted > 3_900, `${String(lasted)} ms for 200 frames`);
  t.ok((fake.report(guildId)?.packets ?? 0) > 60);
});

for (const kind of ['short', 'wrong-type', 'wrong-ssrc', 'no-address', 'other-port'] as const) {
  t.test(`a discovery answer that is ${kind} is not believed, and asked for again`, CEILING, async (t) => {
    const { fake, driver } = await setting(t, { faults: { badDiscovery: { kind, times: 1 } } });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    player.play(5);
    await fake.waitForFrames(player.server.guildId, 10);
    t.ok((fake.report(player.server.guildId)?.discoveries ?? 0) >= 2);
  });
}

t.test('datagrams from strangers are ignored', CEILING, async (t) => {
  const { fake, driver } = await setting(t);
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(50);
  await player.when(() => player.sentAt.length === 5);
  fake.act(guildId, { kind: 'udp-junk', count: 200 });
  await fake.waitForFrames(guildId, 55);
  t.same(numbersOf(fake.frames(guildId)), upTo(50));
});

t.test('members who come and go while frames lie sealed ahead hear what is theirs', CEILING, async (t) => {
  const { fake, driver } = await setting(t);
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  const { guildId } = player.server;
  player.play(100_000);
  await fake.waitForFrames(guildId, 20);
  // Alone, it sends plain; the first listener makes it encrypted, the last one to leave plain again.
  for (let round = 0; round < 3; round++) {
    fake.addListener(guildId);
    await fake.waitForDave(guildId);
    fake.addListener(guildId);
    await fake.waitForDave(guildId);
    const settled = fake.count(guildId);
    await fake.waitForFrames(guildId, settled + 30);
    const heard = fake.frames(guildId).slice(settled + 10, settled + 30);
    t.ok(
      heard.every(({ dave, opus }) => dave && opus !== null),
      'encrypted and decrypted',
    );
    fake.dropListener(guildId);
    fake.dropListener(guildId);
    const left = fake.count(guildId);
    await fake.waitForFrames(guildId, left + 20);
  }
  const report = fake.report(guildId);
  t.match(report, { missing: 0, nonceReuses: 0, plainWhileActive: 0, timestampFaults: 0 });
  t.same(player.closes, []);
});

t.test('what members say is not asked for, and harms nothing until that is heard', CEILING, async (t) => {
  const { fake, driver } = await setting(t, { memberRate: 200, chatter: true });
  const server = voiceServer(fake.endpoint);
  fake.addListener(server.guildId);
  const player = new VoicePlayer(driver, server);
  player.play(50);
  await fake.waitForFrames(server.guildId, 55);
  t.same(numbersOf(fake.frames(server.guildId)), upTo(50));
  t.match(fake.report(server.guildId)?.sinkWants, { any: 0 });
});
