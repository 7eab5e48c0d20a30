// The adapter of the DAVE library: everything that it refuses comes back as a value, and what the library itself
// would get wrong without a word is refused here.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { DaveGroup, prepareDave } from '../../../src/shard/voice/dave.js';
import {
  ExternalSender,
  appendPayload,
  revokePayload,
  type Proposal,
} from '../../support/external-sender.js';
import { parseCommitWelcome, parseKeyPackage, uint64, welcomeFor } from '../../support/mls.js';

const CHANNEL = '200000000000000001';
const GROUP_ID = uint64(BigInt(CHANNEL));
const [BOT, ANN, BEN] = ['99', '11', '12'] as const;
const LIMIT = { timeout: 20_000 };

class Table {
  readonly sender = new ExternalSender();

  member(userId: string): DaveGroup {
    const group = DaveGroup.create(userId, CHANNEL)!;
    group.setExternalSender(this.sender.payload);
    return group;
  }

  add(group: DaveGroup, epoch = 0n): Proposal {
    return this.sender.proposeAdd(GROUP_ID, epoch, parseKeyPackage(Buffer.from(group.keyPackage()!)));
  }
}

/** Op 28 in two, the welcome for that member only. */
function split(op28: Uint8Array, add?: Proposal): { commit: Buffer; welcome: Buffer | null } {
  const { commit, welcome } = parseCommitWelcome(Buffer.from(op28));
  if (welcome === null || add?.change.kind !== 'add') return { commit, welcome };
  return { commit, welcome: welcomeFor(welcome, add.change.keyPackage.ref) };
}

t.test('two members found a group and understand each other', LIMIT, async (t) => {
  await prepareDave();
  const table = new Table();
  const [bot, ann] = [table.member(BOT), table.member(ANN)];
  t.ok(bot.pending);
  t.notOk(bot.ready);
  t.equal(bot.encryptOpus(Buffer.alloc(20)), null, 'no keys yet');
  const add = table.add(ann);
  const op28 = bot.processProposals(appendPayload([add]), [ANN])!;
  t.notOk(bot.pending);
  const { commit, welcome } = split(op28, add);
  t.ok(bot.processCommit(commit));
  t.ok(ann.processWelcome(welcome!));
  t.ok(bot.ready && ann.ready);
  const whole = randomBytes(200);
  const view = new Uint8Array(whole.buffer, whole.byteOffset + 50, 80);
  const frame = bot.encryptOpus(view)!;
  t.equal(frame.length, 80 + 12, 'a view of bytes is taken for what it shows');
  t.not(Buffer.compare(frame.subarray(0, 80), view), 0);
  t.notOk(bot.processCommit(commit), 'the same commit leads nowhere twice');
  const next = bot.encryptOpus(view)!;
  t.equal(next[80 + 8], 2, 'and the nonce goes on');
});

t.test('what is refused comes back as false or null', LIMIT, async (t) => {
  const table = new Table();
  for (const id of ['', 'x', '-1', '18446744073709551616']) t.equal(DaveGroup.create(id, CHANNEL), null);
  t.equal(DaveGroup.create(BOT, 'x'), null);
  const bare = DaveGroup.create(BOT, CHANNEL)!;
  t.equal(bare.processProposals(Buffer.from([0, 0]), []), null, 'without a group');
  t.notOk(bare.processCommit(randomBytes(60)));
  t.notOk(bare.processWelcome(randomBytes(60)));
  t.notOk(bare.setExternalSender(randomBytes(60)));
  const [bot, ann] = [table.member(BOT), table.member(ANN)];
  t.equal(bot.processProposals(appendPayload([table.add(ann)]), []), null, 'somebody whom nobody has named');
  t.equal(bot.processProposals(appendPayload([table.add(ann, 4n)]), [ANN]), null, 'another epoch');
  t.equal(bot.processProposals(Buffer.from([7, 0]), [ANN]), null, 'neither added nor taken back');
  t.equal(bot.processProposals(Buffer.alloc(0), [ANN]), null);
  t.equal(bot.processProposals(appendPayload([table.add(ann)]), ['no number']), null);
  bot.close();
  for (const answer of [
    bot.reinit(),
    bot.ready,
    bot.processCommit(randomBytes(9)),
    bot.processWelcome(randomBytes(9)),
  ]) {
    t.equal(answer, false);
  }
  for (const answer of [
    bot.keyPackage(),
    bot.encryptOpus(randomBytes(9)),
    bot.processProposals(Buffer.from([0, 0]), []),
  ]) {
    t.equal(answer, null, 'after the end');
  }
  bot.close();
});

t.test('a proposal taken back leaves nothing to commit', LIMIT, async (t) => {
  const table = new Table();
  const [bot, ann] = [table.member(BOT), table.member(ANN)];
  const add = table.add(ann);
  const { commit } = split(bot.processProposals(appendPayload([add]), [ANN])!);
  t.same(bot.processProposals(revokePayload([add]), [ANN]), new Uint8Array(0));
  t.ok(bot.pending);
  t.notOk(bot.processCommit(commit), 'nor is the commit that was made of it followed any more');
});

t.test('a damaged external sender leaves the pending group as it was', LIMIT, async (t) => {
  const table = new Table();
  const [bot, ann] = [table.member(BOT), table.member(ANN)];
  t.notOk(bot.setExternalSender(randomBytes(71)));
  const add = table.add(ann);
  const { commit, welcome } = split(bot.processProposals(appendPayload([add]), [ANN])!, add);
  t.ok(bot.processCommit(commit) && ann.processWelcome(welcome!));
  t.notOk(bot.setExternalSender(table.sender.payload), 'inside a group none is taken');
  t.ok(bot.ready, 'and the group goes on');
});

t.test(
  'an earlier commit of ours, or another founder’s, is not mistaken for the last one',
  LIMIT,
  async (t) => {
    const table = new Table();
    const [bot, ann, ben] = [table.member(BOT), table.member(ANN), table.member(BEN)];
    const [addAnn, addBen, addBot] = [table.add(ann), table.add(ben), table.add(bot)];
    const first = split(bot.processProposals(appendPayload([addAnn]), [ANN])!);
    const second = split(bot.processProposals(appendPayload([addBen]), [ANN, BEN])!);
    const foreign = split(ann.processProposals(appendPayload([addBot]), [BOT])!);
    t.notOk(bot.processCommit(first.commit));
    t.notOk(bot.processCommit(foreign.commit));
    t.notOk(bot.ready, 'nothing has been followed');
    t.ok(bot.processCommit(second.commit), 'the last one is');
  },
);

t.test(
  'a commit of ours that the library has dropped is refused: it would begin the nonces anew',
  LIMIT,
  async (t) => {
    const table = new Table();
    const [bot, ann, ben] = [table.member(BOT), table.member(ANN), table.member(BEN)];
    const add = table.add(ann);
    t.ok(bot.processCommit(split(bot.processProposals(appendPayload([add]), [ANN])!).commit));
    const frame = bot.encryptOpus(Buffer.alloc(40))!;
    const { commit } = split(bot.processProposals(appendPayload([table.add(ben, 1n)]), [ANN, BEN])!);
    // Nobody can commit to being removed, which is found out when the last commit is already gone.
    t.equal(
      bot.processProposals(appendPayload([table.sender.proposeRemove(GROUP_ID, 1n, 0)]), [ANN, BEN]),
      null,
    );
    t.notOk(bot.processCommit(commit));
    t.ok(bot.reinit());
    t.equal(bot.encryptOpus(Buffer.alloc(40)), null);
    t.equal(frame.length, 52);
  },
);

t.test('a new beginning forgets the group and keeps the external sender', LIMIT, async (t) => {
  const table = new Table();
  const [bot, ann] = [table.member(BOT), table.member(ANN)];
  const add = table.add(ann);
  t.ok(bot.processCommit(split(bot.processProposals(appendPayload([add]), [ANN])!).commit));
  const before = bot.keyPackage();
  t.ok(bot.reinit());
  t.notOk(bot.ready);
  t.ok(bot.pending);
  t.notSame(bot.keyPackage(), before);
  t.ok(bot.processProposals(appendPayload([table.add(table.member(ANN))]), [ANN]));
});

t.test('no bytes whatever make a call throw', LIMIT, async (t) => {
  const table = new Table();
  const [bot, ann] = [table.member(BOT), table.member(ANN)];
  const add = table.add(ann);
  const op27 = appendPayload([add]);
  const { commit, welcome } = split(bot.processProposals(op27, [ANN])!, add);
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.constantFrom(op27, commit, welcome!, table.sender.payload), fc.nat(), fc.nat(255))
      .map(([bytes, at, value]) => {
        const copy = Uint8Array.from(bytes);
        copy[at % copy.length] = value;
        return copy;
      }),
  );
  const names = ['setExternalSender', 'processCommit', 'processWelcome', 'processProposals'] as const;
  const property = fc.property(
    fc.array(fc.tuple(fc.constantFrom(...names), damaged), { maxLength: 4 }),
    (calls) => {
      const group = table.member(BOT);
      for (const [name, bytes] of calls) group[name](bytes, [ANN]);
      group.encryptOpus(Buffer.alloc(30));
      group.close();
    },
  );
  const bounds = { numRuns: 200, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false };
  t.doesNotThrow(() => fc.assert(property, bounds));
});
