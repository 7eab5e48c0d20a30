// DAVE off the straight path with an untouched @discordjs/voice as the bot: who wins the commit race, a welcome
// that is damaged, a version that goes down and up, op 22 late (discord-voice.md §2.2, §2.4).
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { DiscordjsPeer } from './discordjs-peer.js';
import { FakeVoiceServer } from './fake-voice.js';
import type { FakeVoiceOptions } from './fake-voice.js';

const GUILD = '300000000000000001';
const BOT = '100000000000000001';
const LIMIT = { timeout: 40_000 };

async function call(t: Pick<Test, 'teardown'>, options: Partial<FakeVoiceOptions> = {}) {
  const voice = await FakeVoiceServer.start(options);
  t.teardown(() => voice.close());
  const { cert: ca } = voice.certificate;
  const { endpoint } = voice;
  const ids = { guildId: GUILD, channelId: GUILD, userId: BOT };
  const peer = await DiscordjsPeer.connect({ ca, endpoint, ...ids });
  t.teardown(() => peer.close());

  /** Whether some frames arrive as they were, with or without DAVE. */
  const heard = async (dave: boolean): Promise<boolean> => {
    const before = voice.count(GUILD);
    const sent = Array.from({ length: 5 }, () => Buffer.concat([Buffer.from([0xfc]), randomBytes(60)]));
    await peer.play(sent);
    const frames = await voice.waitForFrames(GUILD, before + 5);
    return frames.slice(before).every((frame, n) => frame.dave === dave && frame.opus?.equals(sent[n]!));
  };
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await holds()); tries++) {
      if (tries === 500) throw new Error('it has not come about');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { voice, peer, heard, until };
}

t.test('the bot wins the race when the listeners do not commit', LIMIT, async (t) => {
  const { voice, heard } = await call(t, { listenerCommits: false });
  for (let n = 1; n <= 2; n++) {
    voice.addListener(GUILD);
    await voice.waitForDave(GUILD);
  }
  t.ok(await heard(true));
  const { dave } = voice.report(GUILD)!;
  t.same(dave.commits, [BOT, BOT]);
  t.same(dave.badCommits, []);
});

t.test('a damaged welcome is answered with op 31, and the bot is brought back', LIMIT, async (t) => {
  const { voice, heard, until } = await call(t, { faults: { corruptWelcome: true, losesRace: true } });
  voice.addListener(GUILD);
  await until(() => voice.report(GUILD)?.dave.invalid === 1);
  await voice.waitForDave(GUILD);
  t.ok(await heard(true));
  t.match(voice.report(GUILD), { dave: { transitionTimeouts: 0, epoch: 2 }, undecrypted: 0 });
});

t.test('a damaged commit is answered with op 31, and the bot is brought back', LIMIT, async (t) => {
  const { voice, heard, until } = await call(t, { faults: { corruptCommit: true } });
  voice.addListener(GUILD);
  await voice.waitForDave(GUILD);
  const listener = voice.addListener(GUILD);
  await until(() => voice.report(GUILD)?.dave.invalid === 1);
  await voice.waitForDave(GUILD);
  t.ok(await heard(true));
  t.equal(voice.report(GUILD)?.dave.transitionTimeouts, 0);
  t.same(listener.complaints, []);
});

t.test('proposals can be taken back and made again before the bot has answered', LIMIT, async (t) => {
  const { voice, peer, heard } = await call(t, {
    listenerCommits: false,
    faults: { revokesProposals: true },
  });
  voice.addListener(GUILD);
  await voice.waitForDave(GUILD);
  t.ok((await peer.state()).ready);
  t.ok(await heard(true));
  const { dave } = voice.report(GUILD)!;
  t.match(dave, { commits: [BOT], badCommits: [], lateCommits: 1 });
});

t.test('an op 27 ahead of op 25 ends that library, and is sent as asked', LIMIT, async (t) => {
  const { voice, peer } = await call(t, { faults: { externalSender: 'behind-proposals' } });
  voice.addListener(GUILD);
  t.match(await voice.waitForClose(GUILD), { code: 1006, by: 'client' });
  await t.rejects(peer.state());
});

t.test('op 29 can come twice: that library takes the second one for a damaged one', LIMIT, async (t) => {
  const { voice, heard, until } = await call(t);
  voice.addListener(GUILD);
  await voice.waitForDave(GUILD);
  voice.act(GUILD, { kind: 'faults', faults: { commitTwice: true } });
  voice.addListener(GUILD);
  await until(() => voice.report(GUILD)?.dave.invalid === 1);
  await voice.waitForDave(GUILD);
  t.ok(await heard(true));
});

t.test('the version goes down to plain frames and up to a new group', LIMIT, async (t) => {
  const { voice, peer, heard, until } = await call(t);
  const listener = voice.addListener(GUILD);
  await voice.waitForDave(GUILD);
  t.ok(await heard(true));
  voice.act(GUILD, { kind: 'downgrade' });
  await until(async () => (await peer.state()).transitions.length === 2);
  t.ok(await heard(false), 'after op 22 frames are plain');
  voice.act(GUILD, { kind: 'upgrade' });
  await voice.waitForDave(GUILD);
  await until(async () => (await peer.state()).ready);
  t.ok(await heard(true));
  t.same(listener.complaints, []);
  t.same(voice.report(GUILD)?.violations, []);
});

t.test('op 22 can be late', LIMIT, async (t) => {
  const { voice, peer, until } = await call(t, { faults: { executeDelayMs: 300 } });
  voice.addListener(GUILD);
  await voice.waitForDave(GUILD);
  t.same((await peer.state()).transitions, []);
  await until(async () => (await peer.state()).transitions.length === 1);
});

t.test(
  'an op 27 of a stale epoch or for a stranger ends that library, and is sent as asked',
  LIMIT,
  async (t) => {
    for (const kind of ['stale-proposals', 'unknown-user-proposals'] as const) {
      const { voice, peer } = await call(t);
      voice.addListener(GUILD);
      await voice.waitForDave(GUILD);
      voice.act(GUILD, { kind });
      // Its process dies of it: the reason why Pumice has a guard of its own (§3.7 gap 1).
      t.match(await voice.waitForClose(GUILD), { code: 1006, by: 'client' });
      await t.rejects(peer.state(), kind);
    }
  },
);
