// What may go wrong between a DAVE session and its voice server: messages early, twice, stale, damaged or far too many,
// commits and welcomes that cannot be followed, groups that do not come about (discord-voice.md §2.2).
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { DaveGroup } from '../../../src/shard/voice/dave.js';
import { VOICE } from '../../../src/shared/limits.js';
import { BOT, opusFrame, until } from '../../support/dave-bot.js';
import { CHANNEL, DaveCall, reads } from '../../support/dave-call.js';
import { appendPayload, ExternalSender } from '../../support/external-sender.js';
import { parseCommitWelcome, parseKeyPackage, uint16, uint64 } from '../../support/mls.js';
import { strangerKeyPackage } from '../../support/voice-listener.js';

const [ANN, BEN] = ['11', '12'] as const;
const LIMIT = { timeout: 30_000 };

t.test('the external sender may come before op 4, twice, and anew', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot, delivery } = call;
  bot.join(true);
  bot.deliverBinary(25, delivery.externalSender);
  await call.settled(0);
  t.equal(bot.ignored, 0);
  bot.deliverBinary(25, new ExternalSender().payload);
  bot.deliverBinary(25, delivery.externalSender);
  const ann = call.join(ANN);
  await call.settled(1);
  reads(t, bot, [ann]);
  t.equal(bot.ignored, 0);
  const other = new ExternalSender();
  bot.deliverBinary(25, other.payload);
  await until('it has been looked at', () => bot.queue.waiting() === 0);
  t.equal(bot.ignored, 1, 'inside a group none is taken');
  reads(t, bot, [ann]);
  bot.session.json(24, { protocol_version: 1, epoch: 1 });
  await until('a new key package is out', () => bot.queue.waiting() === 0);
  const stranger = parseKeyPackage(strangerKeyPackage(delivery));
  bot.session.usersConnected([stranger.userId]);
  bot.deliverBinary(27, appendPayload([other.proposeAdd(uint64(BigInt(CHANNEL)), 0n, stranger)]));
  const commits = bot.sentWith(28).length;
  await until('it has been looked at', () => bot.queue.waiting() === 0);
  t.equal(bot.sentWith(28).length, commits + 1, 'but it was kept for the next group');
});

t.test('a damaged external sender takes the place of no other, however early it comes', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  const { externalSender } = call.delivery;
  const spoilt = Buffer.concat([externalSender, Buffer.alloc(1)]);
  bot.session.binary(25, spoilt);
  bot.join(true);
  bot.session.binary(25, spoilt);
  bot.session.binary(25, randomBytes(71));
  bot.session.binary(25, Buffer.concat([externalSender, Buffer.alloc(VOICE.maxExternalSender)]));
  const ann = call.join(ANN);
  await call.settled(1);
  reads(t, bot, [ann]);
  t.equal(bot.ignored, 3, 'a newer one has taken the place of the first');
});

t.test('a group that does not come about is asked for again, ever more seldom', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  bot.session.describe(1);
  bot.session.usersConnected([ANN]);
  const after = async (ms: number): Promise<number> => {
    bot.time.advance(ms);
    await until('the queue is empty', () => bot.queue.waiting() === 0);
    return bot.sentWith(26).length;
  };
  t.equal(await after(VOICE.daveRenewFirst - 1), 1);
  t.equal(await after(1), 2);
  t.equal(await after(2 * VOICE.daveRenewFirst - 1), 2);
  t.equal(await after(1), 3);
  bot.session.userLeft(ANN);
  t.equal(await after(10 * VOICE.daveRenewLast), 3, 'alone there is nothing to ask for');
  t.same(bot.sentWith(31), [], 'nothing was announced that could be called invalid');
  bot.session.close();
  t.equal(bot.time.pending, 0);
});

t.test('a version that was never offered leaves nobody with plain frames', LIMIT, async (t) => {
  const { bot } = new DaveCall(t);
  bot.session.usersConnected([ANN]);
  bot.session.describe(2);
  t.equal(bot.session.frameWay, 'hold');
  t.equal(bot.ignored, 1);
});

t.test('stale, unknown and damaged messages are counted, and the group goes on', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot, delivery } = call;
  bot.session.binary(27, delivery.staleProposals());
  bot.session.binary(30, randomBytes(80));
  await until('they have been looked at', () => bot.queue.waiting() === 0);
  t.equal(bot.ignored, 2, 'before there is anything');
  bot.join();
  const ann = call.join(ANN);
  await call.settled(1);
  const junk: readonly [number, Buffer][] = [
    [27, delivery.staleProposals()],
    [27, delivery.strangerProposals(strangerKeyPackage(delivery))],
    [27, randomBytes(40)],
    [27, Buffer.alloc(0)],
    [29, Buffer.from([1])],
    [30, Buffer.from([0, 9])],
    [28, randomBytes(10)],
    [99, randomBytes(10)],
  ];
  for (const [op, payload] of junk) bot.session.binary(op, payload);
  await until('they have been looked at', () => bot.queue.waiting() === 0);
  t.equal(bot.ignored, 2 + junk.length);
  const wrong = [null, 7, 'x', [], {}, { transition_id: 1 }, { protocol_version: 0, transition_id: 65_536 }];
  const more = [
    { protocol_version: 2, transition_id: 1 },
    { protocol_version: 1, transition_id: '1' },
  ];
  for (const d of [...wrong, ...more]) bot.session.json(21, d);
  for (const d of [null, {}, { transition_id: -1 }, { transition_id: 1.5 }]) bot.session.json(22, d);
  for (const d of [null, {}, { protocol_version: 1 }, { protocol_version: 1, epoch: 0 }])
    bot.session.json(24, d);
  bot.session.json(23, { transition_id: 1 });
  t.equal(bot.ignored, 2 + junk.length + 9 + 4 + 4 + 1);
  bot.session.usersConnected(['no number', BOT, '99999999999999999999']);
  t.equal(bot.ignored, 2 + junk.length + 20);
  reads(t, bot, [ann]);
  const ben = call.join(BEN);
  await call.settled(2);
  reads(t, bot, [ann, ben]);
  t.same(bot.sentWith(31), []);
});

t.test('a commit or welcome said twice is followed once', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  call.join(ANN, false);
  bot.join();
  await call.settled(1);
  const last = bot.received.findLast(({ op }) => op === 29 || op === 30)!;
  bot.session.binary(last.op, last.payload);
  await until('it has been looked at', () => bot.queue.waiting() === 0);
  t.equal(bot.ignored, 1);
  t.same(bot.sentWith(31), []);
  t.equal(bot.session.frameWay, 'sealed');
});

t.test('a commit that cannot be followed: op 31, new keys, in again', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  bot.join();
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await until('they are one group', () => call.delivery.settled && bot.session.frameWay === 'sealed');
  const { epoch } = call.delivery.report();
  bot.session.binary(29, Buffer.concat([uint16(4_000), randomBytes(300)]));
  await until('op 31 is out', () => bot.sentWith(31).length === 1);
  t.equal(bot.session.frameWay, 'hold', 'nothing more with the old keys');
  t.same(bot.sentWith(31)[0]?.d, { transition_id: 4_000 });
  await call.settled(epoch + 1);
  reads(t, bot, [ann, ben]);
  t.equal(call.delivery.report().invalid, 1);
  t.equal(bot.sentWith(26).length, 2);
});

t.test(
  'welcomes that cannot be followed: the second new beginning waits, a good one makes good',
  LIMIT,
  async (t) => {
    const call = new DaveCall(t, 200);
    const { bot } = call;
    bot.join();
    const ann = call.join(ANN);
    await call.settled(1);
    const spoilt = (): void => {
      bot.session.binary(30, Buffer.concat([uint16(4_000), randomBytes(100)]));
    };
    spoilt();
    spoilt();
    await until('op 31 is out', () => bot.sentWith(31).length === 1);
    t.equal(bot.sentWith(26).length, 1);
    spoilt();
    await until('op 31 is out again', () => bot.sentWith(31).length === 2);
    await until('all is quiet', () => bot.queue.waiting() === 0);
    t.equal(bot.session.frameWay, 'hold');
    const before = bot.sentWith(26).length;
    bot.time.advance(VOICE.daveRetryFirst);
    await until('a key package is out', () => bot.sentWith(26).length === before + 1);
    await until('they are one group', () => call.delivery.settled && bot.session.frameWay === 'sealed');
    reads(t, bot, [ann]);
    spoilt();
    await until('op 31 is out once more', () => bot.sentWith(31).length === 3);
    await until('at once', () => bot.sentWith(26).length === before + 2);
  },
);

t.test(
  'a commit for a group that has yet to take us in is none of ours, unless it stays at that',
  LIMIT,
  async (t) => {
    const call = new DaveCall(t);
    const { bot } = call;
    bot.join();
    await call.settled(0);
    bot.session.usersConnected([ANN]);
    bot.session.binary(29, Buffer.concat([uint16(12), randomBytes(300)]));
    await until('it has been looked at', () => bot.queue.waiting() === 0);
    t.equal(bot.ignored, 1);
    t.same(bot.sentWith(31), []);
    bot.time.advance(VOICE.daveRenewFirst);
    t.same(bot.sentWith(31).at(-1)?.d, { transition_id: 12 }, 'then the server is told');
    await until('and has a new key package', () => bot.sentWith(26).length === 2);
  },
);

t.test('a flood is cut off, and what was cut off is begun anew', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  bot.join();
  const ann = call.join(ANN);
  await call.settled(1);
  for (let n = 0; n < 2 * VOICE.maxDaveWaiting; n++) bot.session.binary(27, Buffer.from([0, 0]));
  t.equal(bot.queue.waiting(), VOICE.maxDaveWaiting);
  t.equal(bot.ignored, VOICE.maxDaveWaiting);
  bot.session.binary(29, Buffer.concat([uint16(77), randomBytes(300)]));
  t.same(bot.sentWith(31).at(-1)?.d, { transition_id: 77 });
  t.equal(bot.queue.waiting(), 1, 'nothing but the new beginning');
  await call.settled(2);
  reads(t, bot, [ann]);
});

t.test('after the end nothing is said, sealed or waited for', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  bot.join();
  call.join(ANN);
  await call.settled(1);
  const said = bot.sent.length;
  const ways = bot.ways.length;
  bot.session.binary(27, call.delivery.staleProposals());
  bot.session.close();
  bot.session.close();
  t.equal(bot.queue.waiting(), 0);
  for (const op of [25, 27, 29, 30]) bot.session.binary(op, randomBytes(50));
  for (const op of [21, 22, 24]) bot.session.json(op, { protocol_version: 1, transition_id: 1, epoch: 1 });
  bot.session.usersConnected([BEN]);
  bot.session.userLeft(ANN);
  bot.session.describe(1);
  bot.time.advance(100_000);
  t.equal(bot.queue.waiting(), 0);
  t.equal(bot.time.pending, 0);
  t.equal(bot.session.frameWay, 'hold');
  t.equal(bot.session.encrypt(opusFrame()), null);
  t.equal(bot.sent.length, said);
  t.equal(bot.ways.length, ways);
});

t.test('a welcome that a newer key package has outrun is let go by', LIMIT, async (t) => {
  const { bot } = new DaveCall(t);
  const { session } = bot;
  const sender = new ExternalSender();
  const looked = (): Promise<void> => until('all is looked at', () => bot.queue.waiting() === 0);
  session.binary(25, sender.payload);
  session.describe(1);
  session.usersConnected([ANN]);
  await looked();
  session.json(24, { protocol_version: 1, epoch: 1 });
  await looked();
  const welcomes = bot.sentWith(26).map(({ payload }) => {
    const ann = DaveGroup.create(ANN, CHANNEL)!;
    ann.setExternalSender(sender.payload);
    const add = sender.proposeAdd(uint64(BigInt(CHANNEL)), 0n, parseKeyPackage(payload!));
    return parseCommitWelcome(Buffer.from(ann.processProposals(appendPayload([add]), [BOT])!)).welcome!;
  });
  t.equal(welcomes.length, 2);
  session.binary(30, Buffer.concat([uint16(5), welcomes[0]!]));
  await looked();
  t.equal(bot.ignored, 1);
  t.equal(session.frameWay, 'hold');
  session.binary(30, Buffer.concat([uint16(6), welcomes[1]!]));
  await looked();
  t.equal(session.frameWay, 'sealed');
  t.same(
    bot.sent.filter(({ op }) => op !== 26).map(({ op, d }) => [op, d]),
    [[23, { transition_id: 6 }]],
    'the first was not said to be invalid',
  );
});
