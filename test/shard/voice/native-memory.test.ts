// What a connection of our own driver keeps once it stands: nothing of how it was made, and nothing for frames
// that nobody plays. Counts objects of this thread, so the fake voice server runs in a process of its own.

import { ClientRequest, IncomingMessage } from 'node:http';
import { createSecureContext } from 'node:tls';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { systemClock } from '../../../src/shared/clock.js';
import { DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import { slabFor } from '../../../src/shared/ring-plan.js';
import { createSender } from '../../../src/shard/sender/create-sender.js';
import type { VoiceDriver } from '../../../src/shard/voice/driver.js';
import { createNativeDriver } from '../../../src/shard/voice/native-driver.js';
import { SenderRings } from '../../../src/shard/voice/sender-rings.js';
import { NO_TAG } from '../../../src/shared/sent-row.js';
import { FrameMode } from '../../../src/shard/voice/driver.js';
import { OutQueue } from '../../../src/shard/voice/out-queue.js';
import { FakeVoiceProcess } from '../../support/fake-voice-process.js';
import { loopbackGuard } from '../../support/loopback-guard.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';

const CEILING = { timeout: 30_000 };
const FIRST = 5;
const MORE = 20;

type Class = Parameters<typeof queryObjects>[0];

/** A timer of the platform: the clock's own are closures over one. */
function timerClass(): Class {
  const timer = setTimeout(() => undefined, 0);
  clearTimeout(timer);
  return timer.constructor;
}

/** Objects of a class, after a full collection. */
function alive(of: Class): number {
  const found: unknown = queryObjects(of, { format: 'count' });
  return Number(found);
}

async function connect(fake: FakeVoiceProcess, driver: VoiceDriver, count: number): Promise<VoicePlayer[]> {
  const players: VoicePlayer[] = [];
  for (let n = 0; n < count; n++) {
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    await player.when(() => player.ready > 0 || player.closes.length > 0);
    players.push(player);
  }
  return players;
}

t.test('connections share one secure context and keep nothing of their making', CEILING, async (t) => {
  const fake = await FakeVoiceProcess.start();
  const slab = slabFor(400, FIRST + MORE);
  const sender = createSender(systemClock, new Float64Array(DRIVER_WORDS));
  const rings = new SenderRings(slab, (listener) => sender.loop.attach(slab, listener));
  const driver = createNativeDriver({
    clock: systemClock,
    guard: loopbackGuard,
    ca: fake.certificate.cert,
    leadMs: 400,
    rings: () => rings,
    detach: () => {
      sender.close();
    },
  });
  t.teardown(async () => {
    driver.close();
    await fake.stop();
  });
  await driver.prepare();
  const timers = timerClass();
  const context = createSecureContext().constructor;
  const count = (): Record<string, number> => ({
    SecureContext: alive(context),
    ClientRequest: alive(ClientRequest),
    IncomingMessage: alive(IncomingMessage),
    AbortController: alive(AbortController),
    Timeout: alive(timers),
  });
  // The last connection may still be on its way out. A heartbeat's timer, and the one by which the socket's
  // making was limited, stay.
  const allowed: Record<string, number> = { Timeout: 2 * MORE + 5 };

  const players = await connect(fake, driver, FIRST);
  const before = count();
  players.push(...(await connect(fake, driver, MORE)));
  const after = count();
  t.ok(
    players.every((player) => player.ready === 1),
    'all are connected',
  );
  for (const [name, number] of Object.entries(after)) {
    const more = number - (before[name] ?? 0);
    t.ok(more <= (allowed[name] ?? 2), `${name}: ${String(more)} more`);
  }
});

t.test('a queue has room from its first entry until its last silence has left', CEILING, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => {
    // Buffers are freed beside the collection that has found them.
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const QUEUES = 2_000;
  const base = held();
  const queues = Array.from({ length: QUEUES }, () => new OutQueue());
  // A queue with room has at least one byte for each of its entries.
  t.ok(held() - base < QUEUES * 10, 'none without an entry');
  for (const queue of queues) {
    queue.push(Uint8Array.of(), 0, NO_TAG, FrameMode.passthrough);
    queue.pushSilence(Uint8Array.of(), true);
  }
  t.ok(held() - base > QUEUES * 100, 'with one');
  for (const queue of queues) {
    queue.shift();
    queue.shift();
  }
  t.ok(held() - base < QUEUES * 10, 'none behind the last silence');
  t.ok(queues.every((queue) => queue.count === 0 && queue.frame(0) === null && !queue.full));
});
