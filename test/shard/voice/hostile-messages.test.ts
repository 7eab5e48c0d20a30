// Whatever a voice gateway says (reliability.md cases 36 and 38): the parsers of our own driver answer with what is
// sound or with null, the DAVE session stays within its ceilings and never sends plain into a call with others, and
// a live connection of either driver bears any message. Property tests, bounded.

import fc from 'fast-check';
import t from 'tap';
import { isIPv4 } from 'node:net';
import { VOICE } from '../../../src/shared/limits.js';
import { closeRule, resumeDelay } from '../../../src/shard/voice/close-rules.js';
import { isExternalSender, keyPackageRef } from '../../../src/shard/voice/dave-payloads.js';
import { readEpoch, readExecution, readTransition } from '../../../src/shard/voice/dave-payloads.js';
import { DaveQueue } from '../../../src/shard/voice/dave-queue.js';
import { DaveSession } from '../../../src/shard/voice/dave-session.js';
import { readDescription, readGreeting, readHello } from '../../../src/shard/voice/voice-payloads.js';
import { readUser, readUsers } from '../../../src/shard/voice/voice-payloads.js';
import { ManualClock } from '../../support/manual-clock.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { DRIVERS } from './driver-makers.js';
import { QUICK, driverSetting } from './driver-setting.js';

const LIMIT = { timeout: 60_000 };
const RUNS = { numRuns: 300 };

/** Any JSON, as it comes out of JSON.parse: with __proto__ as a name like any other. */
const anyJson = fc.json().map((text) => JSON.parse(text) as unknown);
const number = fc.oneof(
  fc.integer({ min: -1, max: 70_000 }),
  fc.double(),
  fc.constantFrom(2 ** 32, 2 ** 32 - 1, 2 ** 53, -0, 1e308),
);
const near = <T>(sound: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: sound }, number, fc.string(), anyJson);

/** Objects with the right names and now and then the right values: pure noise never gets past the first check. */
const payload = fc.oneof(
  anyJson,
  fc.record(
    {
      ssrc: near(fc.nat()),
      ip: near(fc.ipV4()),
      port: near(fc.integer({ min: 1, max: 65_535 })),
      modes: near(fc.array(near(fc.string()), { maxLength: 40 })),
      mode: near(fc.string()),
      secret_key: near(fc.array(near(fc.nat(255)), { minLength: 31, maxLength: 33 })),
      heartbeat_interval: near(fc.double()),
      user_ids: near(fc.array(near(fc.string()))),
      user_id: near(fc.string()),
      dave_protocol_version: near(fc.integer({ min: 0, max: 2 })),
      protocol_version: near(fc.integer({ min: 0, max: 1 })),
      transition_id: near(fc.integer({ min: 0, max: 65_535 })),
      epoch: near(fc.integer({ min: 0, max: 3 })),
    },
    { requiredKeys: [] },
  ),
);

const isWhole = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= most;

t.test('what a reader gives is sound, and everything else is null', LIMIT, async () => {
  fc.assert(
    fc.property(payload, (d) => {
      const greeting = readGreeting(d);
      const description = readDescription(d);
      const hello = readHello(d);
      const users = readUsers(d);
      const user = readUser(d);
      const transition = readTransition(d);
      const execution = readExecution(d);
      const epoch = readEpoch(d);
      return (
        (greeting === null ||
          (isWhole(greeting.ssrc, 2 ** 32 - 1) &&
            isIPv4(greeting.address) &&
            isWhole(greeting.port - 1, 65_534) &&
            greeting.modes.length <= 32 &&
            greeting.modes.every((mode) => typeof mode === 'string'))) &&
        (description === null ||
          (typeof description.mode === 'string' &&
            description.key.length === 32 &&
            isWhole(description.daveVersion, 65_535))) &&
        (hello === null || (hello > 0 && hello < Infinity)) &&
        (users === null || (users.length <= 10_000 && users.every((id) => typeof id === 'string'))) &&
        (user === null || typeof user === 'string') &&
        (transition === null || (isWhole(transition.version, 1) && isWhole(transition.id, 65_535))) &&
        (execution === null || isWhole(execution, 65_535)) &&
        (epoch === null || (isWhole(epoch.version, 1) && isWhole(epoch.epoch - 1, Number.MAX_SAFE_INTEGER)))
      );
    }),
    RUNS,
  );
});

t.test('a list that is longer than a call can be is none', LIMIT, async (t) => {
  t.equal(readUsers({ user_ids: new Array<string>(10_001).fill('1') }), null);
  t.equal(readGreeting({ ssrc: 1, ip: '127.0.0.1', port: 1, modes: new Array<string>(33).fill('x') }), null);
  t.equal(readDescription({ mode: 'x', secret_key: new Array<number>(1_000_000).fill(0) }), null);
});

t.test('every close code has a rule, and every wait an end', LIMIT, async () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer(), fc.double()),
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (code, attempt, random) => {
        const wait = resumeDelay(attempt, VOICE.resumeFirstDelay, random);
        const rules = ['end', 'resume', 'resumeOnce', 'identify'];
        return rules.includes(closeRule(code)) && wait > 0 && wait <= 1.25 * VOICE.resumeLastDelay;
      },
    ),
    RUNS,
  );
});

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  // Begins as the real ones do: transition id, version and wire format, sizes that promise more than there is.
  fc
    .tuple(
      fc.constantFrom(
        '40410400',
        '00',
        '01',
        '0001',
        '00010001',
        '0000000100',
        '0001000140',
        '00010002bfffffff',
      ),
      fc.uint8Array({ maxLength: 200 }),
    )
    .map(([head, tail]) => Buffer.concat([Buffer.from(head, 'hex'), tail])),
);

t.test('no bytes make an external sender or a reference of a key package fail', LIMIT, async () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const taken = isExternalSender(bytes);
      return keyPackageRef(bytes).length === 32 && (!taken || bytes.length >= 69);
    }),
    RUNS,
  );
});

type Said =
  { readonly op: number; readonly bytes: Uint8Array } | { readonly op: number; readonly d: unknown };

const said: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ op: fc.constantFrom(25, 27, 29, 30, 0, 255), bytes: anyBytes }),
  fc.record({ op: fc.constantFrom(21, 22, 24, 23, -1), d: payload }),
);

t.test('a DAVE session bears any messages, within its ceilings and never plain', LIMIT, async () => {
  fc.assert(
    fc.property(fc.array(said, { maxLength: 60 }), fc.boolean(), (messages, described) => {
      const clock = new ManualClock();
      const queue = new DaveQueue(clock);
      let sent = 0;
      const session = new DaveSession({
        clock,
        queue,
        userId: '100000000000000001',
        channelId: '7',
        holdMs: 3_000,
        out: {
          sendBinary: () => sent++,
          sendJson: () => sent++,
          changed: () => undefined,
          ignored: () => undefined,
        },
      });
      session.usersConnected(['12']);
      if (described) session.describe(1);
      let sound = true;
      let version = described ? 1 : -1;
      for (const message of messages) {
        if ('bytes' in message) session.binary(message.op, message.bytes);
        else {
          session.json(message.op, message.d);
          // Version 0 is the server's to say; from then on plain is what it asks for.
          const next = message.op === 21 ? readTransition(message.d) : readEpoch(message.d);
          if (message.op !== 22 && next?.version === 0) version = 0;
        }
        if (version === 1 && session.frameWay === 'plain') sound = false;
      }
      sound &&= queue.waiting() <= VOICE.maxDaveWaiting;
      clock.runSoon();
      sound &&= queue.waiting() === 0;
      // Every message is worth two answers at the most: ready or invalid, and a key package.
      sound &&= sent <= 2 * messages.length + 2;
      session.close();
      clock.runSoon();
      return sound && clock.pending === 0;
    }),
    { numRuns: 150 },
  );
});

for (const [name, make] of DRIVERS) {
  t.test(`${name}: a live connection bears any message of the gateway`, LIMIT, async (t) => {
    const { fake, driver } = await driverSetting(
      t,
      make,
      {},
      { times: { ...QUICK, connectDeadline: 2_000 } },
    );
    const messages = fc.sample(fc.tuple(fc.integer({ min: -1, max: 40 }), payload, anyBytes), {
      numRuns: 200,
      seed: 38,
    });
    const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
    const { guildId } = player.server;
    player.play(100_000);
    await player.when(() => player.sentAt.length >= 5);
    const session = await fake.sessionOf(guildId);
    for (const [op, d, bytes] of messages) {
      session.sendJson(op, d);
      session.sendBinary(op & 0xff, Buffer.from(bytes));
    }
    // A group that such messages have broken lets nothing through: its frames are given up in their time.
    const done = (): number => player.sentAt.length + player.givenUp.length;
    const before = done();
    await player.when(() => done() >= before + 20 || player.closes.length > 0);
    // An answer that a server cannot bear may end this connection; the next one must be as good as new.
    t.ok(player.closes.length <= 1);
    const next = new VoicePlayer(driver, voiceServer(fake.endpoint));
    next.play(10);
    await next.when(() => next.sentAt.length === 10);
    t.same(next.closes, []);
  });
}
