// The DAVE protocol of one voice session against the delivery service: how groups come about, change and end, and in
// which way frames may leave meanwhile (discord-voice.md §2.2). Faults are in dave-faults.test.ts.
import t from 'tap';
import { VOICE } from '../../../src/shared/limits.js';
import { DaveCall, reads } from '../../support/dave-call.js';
import { opusFrame, until } from '../../support/dave-bot.js';

const [ANN, BEN, CAT] = ['11', '12', '13'] as const;
const LIMIT = { timeout: 30_000 };
const SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe);

t.test('alone frames leave plain; with the first listener they wait, then are sealed', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  t.equal(bot.session.frameWay, 'hold', 'before op 4 nothing leaves');
  bot.join();
  t.equal(bot.session.frameWay, 'plain');
  await call.settled(0);
  t.equal(bot.sentWith(26).length, 1);
  const ann = call.join(ANN);
  t.equal(bot.session.frameWay, 'hold', 'from the very moment at which somebody is there');
  t.equal(bot.session.encrypt(opusFrame()), null);
  await call.settled(1);
  reads(t, bot, [ann]);
  t.same(bot.ways, ['plain', 'hold', 'sealed'], 'each change is told once');
  t.same(bot.sentWith(23).at(-1)?.d, { transition_id: 1 });
  t.equal(bot.ignored, 0);
  t.same(bot.refused, []);
});

t.test('a bot that comes into a call with a group is welcomed into it', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await until('they have a group', () => call.delivery.settled);
  call.bot.join();
  t.equal(call.bot.session.frameWay, 'hold');
  await call.settled(2);
  reads(t, call.bot, [ann, ben]);
  t.equal(call.bot.sentWith(28).length, 0);
});

t.test('joins and leaves: who is there reads, who is gone does not', LIMIT, async (t) => {
  const call = new DaveCall(t);
  call.bot.join();
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await until('they are one group', () => call.delivery.settled && call.bot.session.frameWay === 'sealed');
  reads(t, call.bot, [ann, ben]);
  const { epoch } = call.delivery.report();
  ann.leave();
  await call.settled(epoch + 1);
  reads(t, call.bot, [ben], [ann]);
  const cat = call.join(CAT);
  await call.settled(epoch + 2);
  reads(t, call.bot, [ben, cat], [ann]);
  t.same(call.bot.ways.slice(-1), ['sealed'], 'a new epoch voids nothing that is sealed ahead');
  t.equal(call.bot.ways.filter((way) => way === 'sealed').length, 1);
});

t.test('the last listener leaves: plain again, and nothing with the old keys', LIMIT, async (t) => {
  const call = new DaveCall(t);
  call.bot.join();
  const ann = call.join(ANN);
  await call.settled(1);
  ann.leave();
  t.equal(call.bot.session.frameWay, 'plain', 'at once, not when its turn has come');
  t.equal(call.bot.session.encrypt(opusFrame()), null);
  await call.settled(0);
  const ben = call.join(BEN);
  await call.settled(1);
  reads(t, call.bot, [ben], [ann]);
  t.same(call.bot.ways, ['plain', 'hold', 'sealed', 'plain', 'hold', 'sealed']);
});

t.test('a burst of joins and leaves ends in one group', LIMIT, async (t) => {
  const call = new DaveCall(t);
  call.bot.join();
  const all = Array.from({ length: 5 }, (_, n) => call.join(String(100 + n)));
  const gone = all.splice(0, 2);
  await until('two are a group', () => call.bot.session.frameWay === 'sealed');
  for (const listener of gone) listener.leave();
  await until('all are one', () => call.delivery.settled && call.bot.queue.waiting() === 0);
  reads(t, call.bot, all, gone);
  t.same(call.bot.sentWith(31), []);
});

t.test('silence is never encrypted, and passes at any time', LIMIT, async (t) => {
  const call = new DaveCall(t);
  t.equal(call.bot.session.encrypt(SILENCE), SILENCE);
  call.bot.join();
  call.join(ANN);
  t.equal(call.bot.session.encrypt(SILENCE), SILENCE);
  await call.settled(1);
  t.equal(call.bot.session.encrypt(SILENCE), SILENCE);
});

t.test('frames are held for a while and then withheld, never plain', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  bot.session.usersConnected([ANN]);
  t.equal(bot.session.frameWay, 'hold');
  bot.session.describe(1);
  bot.time.advance(2_999);
  t.equal(bot.session.frameWay, 'hold');
  bot.time.advance(1);
  t.equal(bot.session.frameWay, 'withheld');
  bot.session.usersConnected([BEN]);
  t.equal(bot.session.frameWay, 'withheld', 'another one does not begin it anew');
  bot.session.userLeft(ANN);
  bot.session.userLeft(BEN);
  t.equal(bot.session.frameWay, 'plain');
  bot.session.usersConnected([ANN]);
  t.equal(bot.session.frameWay, 'hold', 'a new wait is a new wait');
  t.same(bot.ways, ['plain', 'hold'], 'from hold to withheld nothing has to be sealed again');
});

t.test('version 0: plain whoever is there; the external sender is kept for an upgrade', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  bot.session.usersConnected([ANN]);
  bot.session.binary(25, call.delivery.externalSender);
  bot.session.describe(0);
  t.equal(bot.session.frameWay, 'plain');
  await until('it has been looked at', () => bot.queue.waiting() === 0);
  t.same(bot.sent, []);
  bot.session.json(24, { protocol_version: 1, epoch: 1 });
  t.equal(bot.session.frameWay, 'hold');
  await until('a key package is out', () => bot.sentWith(26).length === 1);
});

t.test(
  'a downgrade is answered, sealed until it is executed, plain from then on; then up again',
  LIMIT,
  async (t) => {
    const call = new DaveCall(t);
    const { bot } = call;
    bot.join();
    const ann = call.join(ANN);
    await call.settled(1);
    call.delivery.downgrade();
    const announced = bot.sentWith(23).at(-1)?.d;
    t.same(announced, { transition_id: 2 });
    reads(t, bot, [ann]);
    await until('it is executed', () => call.delivery.version === 0);
    t.equal(bot.session.frameWay, 'plain');
    t.equal(call.delivery.report().transitionTimeouts, 0);
    call.delivery.upgrade();
    t.equal(bot.session.frameWay, 'hold');
    await call.settled(1);
    reads(t, bot, [ann]);
    t.same(bot.ways.slice(2), ['sealed', 'plain', 'hold', 'sealed']);
    t.equal(bot.ignored, 0);
  },
);

t.test('transitions: several open at once, number 0 at once, unknown ones not at all', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot } = call;
  const { session } = bot;
  bot.join();
  const ann = call.join(ANN);
  await call.settled(1);
  session.json(21, { protocol_version: 0, transition_id: 50 });
  session.json(21, { protocol_version: 1, transition_id: 51 });
  session.json(21, { protocol_version: 0, transition_id: 52 });
  t.same(
    bot.sentWith(23).map(({ d }) => d),
    [1, 50, 51, 52].map((id) => ({ transition_id: id })),
  );
  session.json(22, { transition_id: 53 });
  t.equal(bot.ignored, 1);
  reads(t, bot, [ann]);
  session.json(22, { transition_id: 50 });
  t.equal(session.frameWay, 'plain');
  session.json(22, { transition_id: 50 });
  t.equal(bot.ignored, 2, 'once is enough');
  session.json(22, { transition_id: 51 });
  reads(t, bot, [ann]);
  session.json(22, { transition_id: 52 });
  t.equal(session.frameWay, 'plain');
  session.json(21, { protocol_version: 1, transition_id: 0 });
  reads(t, bot, [ann]);
  t.equal(bot.sentWith(23).length, 4, 'number 0 is not answered');
  for (let id = 1; id <= VOICE.maxDaveTransitions + 1; id++) {
    session.json(21, { protocol_version: 0, transition_id: 100 + id });
  }
  session.json(22, { transition_id: 101 });
  t.equal(bot.ignored, 3, 'the oldest of too many is forgotten');
  reads(t, bot, [ann]);
});

t.test('op 24 voids a downgrade that was announced before it', LIMIT, async (t) => {
  const { bot } = new DaveCall(t);
  bot.session.describe(1);
  bot.session.usersConnected([ANN]);
  bot.session.json(21, { protocol_version: 0, transition_id: 7 });
  bot.session.json(24, { protocol_version: 1, epoch: 1 });
  bot.session.json(22, { transition_id: 7 });
  t.equal(bot.session.frameWay, 'hold');
  t.equal(bot.ignored, 1);
  bot.session.json(24, { protocol_version: 1, epoch: 2 });
  t.equal(bot.ignored, 1, 'a later epoch is no news');
  bot.session.json(24, { protocol_version: 0, epoch: 1 });
  t.equal(bot.session.frameWay, 'plain');
});

t.test('a revoked proposal and the same under another name', LIMIT, async (t) => {
  const call = new DaveCall(t);
  const { bot, delivery } = call;
  bot.join();
  await call.settled(0);
  const ann = call.join(ANN, false);
  await until('the bot has committed', () => bot.received.some(({ op }) => op === 27));
  delivery.revoke();
  await call.settled(1);
  reads(t, bot, [ann]);
  t.same(bot.sentWith(31), []);
});
