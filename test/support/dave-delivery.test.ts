// The delivery service of a call with real DAVE sessions as its members and nothing on the wire: groups that form,
// change, dissolve and recover, and what it refuses (discord-voice.md §2.2, §2.4).
import { DAVESession } from '@snazzah/davey';
import { randomBytes } from 'node:crypto';
import { once, EventEmitter } from 'node:events';
import t, { type Test } from 'tap';
import { DaveDelivery } from './dave-delivery.js';
import type { DaveMember } from './dave-member.js';
import { ExternalSender, appendPayload } from './external-sender.js';
import { MlsReader, parseKeyPackage, uint16, uint64, vector } from './mls.js';
import { VoiceListener, strangerKeyPackage } from './voice-listener.js';

const CHANNEL = '200000000000000001';
const [ANN, BEN, CAT, BOT] = ['11', '12', '13', '99'] as const;
const LIMIT = { timeout: 20_000 };

class Call {
  readonly delivery: DaveDelivery;
  readonly #changes = new EventEmitter();

  constructor(t: Pick<Test, 'teardown'>, timeoutMs = 2_000) {
    this.delivery = new DaveDelivery(CHANNEL, 1, timeoutMs, () => this.#changes.emit('change'));
    t.teardown(() => this.delivery.close());
  }

  join(userId: string, commits = true): VoiceListener {
    const listener = new VoiceListener(userId, this.delivery, { commits, commitDelayMs: 0 });
    listener.join();
    return listener;
  }

  async until(holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    while (!holds()) await once(this.#changes, 'change', { signal });
  }

  async settled(epoch: number): Promise<void> {
    await this.until(() => this.delivery.settled && this.delivery.report().epoch === epoch);
  }
}

const APPEND = 0;
const REVOKE = 1;

/** The kinds of all op 27 from now on, as they come. */
function spyOn(listener: VoiceListener): number[] {
  const kinds: number[] = [];
  const deliver = listener.deliverBinary.bind(listener);
  listener.deliverBinary = (op, payload) => {
    if (op === 27) kinds.push(payload.readUInt8(0));
    deliver(op, payload);
  };
  return kinds;
}

/** A member that only writes down what it is given. */
class Scribe implements DaveMember {
  readonly userId: string;
  readonly json: { op: number; d: unknown }[] = [];
  readonly binary: { op: number; payload: Buffer }[] = [];

  constructor(userId: string) {
    this.userId = userId;
  }

  deliverJson(op: number, d: unknown): void {
    this.json.push({ op, d });
  }

  deliverBinary(op: number, payload: Buffer): void {
    this.binary.push({ op, payload });
  }

  ops(): number[] {
    return [...this.json, ...this.binary].map(({ op }) => op);
  }
}

function agree(t: Pick<Test, 'equal' | 'not'>, epoch: number, ...members: readonly VoiceListener[]): void {
  for (const member of members) t.equal(member.epoch, epoch, `${member.userId} is in epoch ${epoch}`);
  t.equal(new Set(members.map((member) => member.privacyCode)).size, 1, 'with one privacy code');
  t.not(members[0]?.privacyCode, '');
}

t.test('a group forms, grows, shrinks and dissolves', LIMIT, async (t) => {
  const call = new Call(t);
  const ann = call.join(ANN);
  await call.settled(0);
  t.equal(ann.ready, false, 'alone there is none');
  const ben = call.join(BEN);
  await call.settled(1);
  agree(t, 1, ann, ben);
  const cat = call.join(CAT);
  await call.settled(2);
  agree(t, 2, ann, ben, cat);
  ann.leave();
  await call.settled(3);
  agree(t, 3, ben, cat);
  t.same(
    call.delivery
      .report()
      .leaves.filter((leaf) => leaf !== null)
      .sort(),
    [BEN, CAT],
  );
  const again = call.join(ANN);
  await call.settled(4);
  agree(t, 4, again, ben, cat);
  t.notOk(call.delivery.report().leaves.includes(null), 'the newcomer sits on the blank leaf');
  again.leave();
  ben.leave();
  await call.settled(0);
  t.equal(cat.ready, false);
  const { badCommits, transitionTimeouts, invalid, executed } = call.delivery.report();
  t.same([badCommits, transitionTimeouts, invalid], [[], 0, 0]);
  t.equal(executed.at(-1), 0, 'by a sole-member reset');
  for (const member of [ann, ben, cat, again]) t.same(member.complaints, []);
});

t.test('many who come at once end up in one group', LIMIT, async (t) => {
  const call = new Call(t);
  const all = Array.from({ length: 6 }, (_, n) => call.join(String(100 + n)));
  await call.until(() => call.delivery.settled && call.delivery.report().leaves.length === 6);
  agree(t, call.delivery.report().epoch, ...all);
  for (const member of all) t.same(member.complaints, []);
});

t.test('what one member encrypts the others decrypt, and nobody else', LIMIT, async (t) => {
  const call = new Call(t);
  const ann = call.join(ANN);
  const outsider = new VoiceListener('98', call.delivery, { commits: true, commitDelayMs: 0 });
  const bot = new DAVESession(1, BOT, CHANNEL);
  const voice = new Scribe(BOT);
  call.delivery.enter(voice);
  call.delivery.begin(BOT);
  bot.setExternalSender(call.delivery.externalSender);
  call.delivery.keyPackage(BOT, bot.getSerializedKeyPackage());
  await call.until(() => voice.ops().includes(30));
  const welcome = voice.binary.find(({ op }) => op === 30)!.payload;
  bot.processWelcome(welcome.subarray(2));
  call.delivery.ready(BOT, welcome.readUInt16BE(0));
  await call.settled(1);
  t.ok(voice.ops().includes(22));
  const opus = Buffer.concat([Buffer.from([0xfc]), randomBytes(80)]);
  const frame = bot.encryptOpus(opus);
  t.same(outsider.decrypt(BOT, frame), null);
  t.same(ann.decrypt(BOT, frame), opus);
  t.equal(ann.decrypt(BOT, frame), null, 'and only once');
});

t.test('op 22 comes without the op 23 of a member that says nothing', LIMIT, async (t) => {
  const call = new Call(t, 50);
  const ann = call.join(ANN);
  const mute = new Scribe(BOT);
  call.delivery.enter(mute);
  call.delivery.begin(BOT);
  const session = new DAVESession(1, BOT, CHANNEL);
  session.setExternalSender(call.delivery.externalSender);
  call.delivery.keyPackage(BOT, session.getSerializedKeyPackage());
  await call.until(() => call.delivery.report().transitionTimeouts === 1);
  t.match(call.delivery.report(), { executed: [1], epoch: 1, commits: [ANN] });
  t.ok(mute.ops().includes(22));
  t.same(ann.complaints, []);
});

t.test('a member that answers with op 31 is taken out and in again in one commit', LIMIT, async (t) => {
  const call = new Call(t);
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await call.settled(1);
  const damaged = Buffer.concat([uint16(7), randomBytes(40)]);
  ben.deliverBinary(30, damaged);
  t.match(ben.complaints, [/ops 29 and 30/]);
  await call.until(() => call.delivery.report().invalid === 1);
  t.equal(call.delivery.settled, false, 'until then nothing is settled');
  await call.settled(2);
  agree(t, 2, ann, ben);
  t.match(call.delivery.report(), { invalid: 1, badCommits: [], commits: [/./, ANN] });
});

t.test(
  'proposals that are taken back are proposed again, and what was made of them is late',
  LIMIT,
  async (t) => {
    const call = new Call(t);
    const [ann, ben] = [call.join(ANN), call.join(BEN)];
    const scribe = new Scribe(BOT);
    call.delivery.enter(scribe);
    await call.until(() => call.delivery.report().members.length === 3);
    call.delivery.revoke();
    t.same(scribe.binary, [], 'nothing is proposed yet, so nothing is taken back');
    call.delivery.leave(BOT);

    for (const [epoch, change] of [
      [1, () => {}],
      [2, () => void call.join(CAT)],
      [3, () => ben.leave()],
    ] as const) {
      const spy = spyOn(ann);
      const late = call.delivery.report().lateCommits;
      change();
      await call.until(() => spy.includes(APPEND));
      call.delivery.revoke();
      await call.settled(epoch);
      t.same(spy.slice(0, 3), [APPEND, REVOKE, APPEND]);
      t.ok(call.delivery.report().lateCommits > late, 'a commit of the first proposals was not taken');
      t.equal(call.delivery.report().badCommits.length, 0);
    }
    t.same(ann.complaints, []);
    t.equal(ann.ready, true);
  },
);

t.test('whoever leaves before the group has formed is taken back', LIMIT, async (t) => {
  const call = new Call(t);
  const ann = call.join(ANN, false);
  const ben = call.join(BEN, false);
  await call.until(() => call.delivery.report().members.length === 2);
  ben.leave();
  const cat = call.join(CAT, true);
  await call.settled(1);
  agree(t, 1, ann, cat);
  t.same(call.delivery.report().leaves.sort(), [ANN, CAT]);
});

t.test('whoever leaves while it is being added is removed next', LIMIT, async (t) => {
  const call = new Call(t);
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await call.settled(1);
  const late = new Scribe(BOT);
  const session = new DAVESession(1, BOT, CHANNEL);
  session.setExternalSender(call.delivery.externalSender);
  call.delivery.enter(late);
  call.delivery.begin(BOT);
  call.delivery.keyPackage(BOT, session.getSerializedKeyPackage()); // Op 27 is out now.
  call.delivery.leave(BOT);
  await call.until(() => call.delivery.settled && call.delivery.report().epoch >= 3);
  agree(t, 3, ann, ben);
  t.notOk(call.delivery.report().leaves.includes(BOT));
});

t.test('the last of the group may go while another one is still joining', LIMIT, async (t) => {
  const call = new Call(t);
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await call.settled(1);
  const cat = call.join(CAT);
  ann.leave();
  ben.leave();
  await call.settled(0);
  const dan = call.join('14');
  await call.settled(1);
  agree(t, 1, cat, dan);
});

t.test('a downgrade is announced, answered and executed; an upgrade makes a new group', LIMIT, async (t) => {
  const call = new Call(t);
  const [ann, ben] = [call.join(ANN), call.join(BEN)];
  await call.settled(1);
  call.delivery.downgrade();
  t.equal(call.delivery.version, 1, 'not before op 23');
  await call.until(() => call.delivery.version === 0);
  t.equal(call.delivery.report().transitionTimeouts, 0);
  call.delivery.upgrade();
  await call.settled(1);
  t.equal(call.delivery.version, 1);
  agree(t, 1, ann, ben);
});

t.test('commits of another epoch, with other proposals or of strangers are not taken', LIMIT, async (t) => {
  const call = new Call(t);
  call.join(ANN, false);
  const scribe = new Scribe(BOT);
  const session = new DAVESession(1, BOT, CHANNEL);
  session.setExternalSender(call.delivery.externalSender);
  call.delivery.enter(scribe);
  call.delivery.begin(BOT);
  call.delivery.keyPackage(BOT, session.getSerializedKeyPackage());
  await call.until(() => scribe.ops().includes(27));
  const [proposals] = scribe.binary.filter(({ op }) => op === 27);
  const { commit, welcome } = session.processProposals(0, proposals!.payload.subarray(1), [ANN]);
  t.ok(commit && welcome);

  call.delivery.commit(BOT, randomBytes(100));
  call.delivery.commit(BOT, commit!);
  call.delivery.commit(ANN, Buffer.concat([commit!, welcome!]));
  t.match(call.delivery.report(), { epoch: 0, commits: [], badCommits: { length: 3 } });
  call.delivery.commit(BOT, Buffer.concat([commit!, welcome!]));
  t.match(call.delivery.report(), { epoch: 1, commits: [BOT], lateCommits: 0, leaves: [BOT, ANN] });
  call.delivery.commit(BOT, Buffer.concat([commit!, welcome!]));
  t.match(call.delivery.report(), { epoch: 1, commits: [BOT], lateCommits: 1 });
});

t.test('key packages are checked, bare or wrapped', LIMIT, async (t) => {
  const call = new Call(t);
  const bytes = strangerKeyPackage(call.delivery);
  const parsed = parseKeyPackage(bytes);
  t.equal(parsed.userId, '999999999999999999');
  t.equal(parseKeyPackage(Buffer.concat([uint16(1), uint16(5), bytes])).ref, parsed.ref);
  const damaged = Buffer.from(bytes);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
  t.throws(() => parseKeyPackage(damaged));
  t.throws(() => parseKeyPackage(Buffer.concat([bytes, Buffer.alloc(1)])), {
    message: /behind the key package/,
  });
  t.throws(() => parseKeyPackage(bytes.subarray(0, 50)), { message: /too short/ });
  call.delivery.enter(new Scribe(BOT));
  t.throws(() => call.delivery.keyPackage(BOT, bytes), { message: /of another user/ });
});

t.test('the external sender and the vectors have the sizes the format says', LIMIT, async (t) => {
  const sender = new ExternalSender();
  t.equal(sender.payload.length, 71);
  t.equal(sender.payload.subarray(0, 3).toString('hex'), '404104');
  t.equal(sender.payload.subarray(-4).toString('hex'), '00010100');
  for (const size of [0, 63, 64, 16_383, 16_384]) {
    const bytes = randomBytes(size);
    const written = vector(bytes);
    t.equal(written.length - size, size < 64 ? 1 : size < 16_384 ? 2 : 4);
    const reader = new MlsReader(written);
    t.ok(reader.vector().equals(bytes) && reader.done);
  }
  const add = sender.proposeRemove(uint64(1n), 4n, 2);
  t.equal(appendPayload([add])[0], 0);
});
