// The faults of single messages to one bot, without anything on the wire: what comes, in which order, how often
// (discord-voice.md §2.4).
import t, { type Test } from 'tap';
import { VoiceChannel } from './voice-channel.js';
import { VoiceLine } from './voice-line.js';
import { DEFAULT_OPTIONS, type VoiceFaults } from './voice-options.js';

const LIMIT = { timeout: 10_000 };
const APPEND = Buffer.from([0, 7]);
const REVOKE = Buffer.from([1, 7]);
const COMMIT = Buffer.from([0, 1, 9]);
const DAMAGED = Buffer.from([0, 1, 9 ^ 0xff]);

function line(t: Pick<Test, 'teardown'>, faults: VoiceFaults) {
  const options = { ...DEFAULT_OPTIONS, certificate: { key: '', cert: '' } };
  const channel = new VoiceChannel('1', options, () => {});
  const sent: [number, unknown][] = [];
  const arrived: (() => void)[] = [];
  const send = (op: number, d: unknown): void => {
    sent.push([op, d]);
    for (const resolve of arrived.splice(0)) resolve();
  };
  const subject = new VoiceLine({ faults, channel, sendJson: send, sendBinary: send });
  t.teardown(() => {
    subject.close();
    channel.close();
  });
  /** The next message. */
  const next = () => new Promise<void>((resolve) => arrived.push(resolve));
  return { subject, channel, sent, next, ops: () => sent.map(([op]) => op) };
}

t.test('without faults everything passes as it is', LIMIT, (t) => {
  const { subject, sent } = line(t, {});
  subject.json(11, 1);
  subject.json(22, 2);
  for (const op of [25, 27, 29, 30]) subject.binary(op, COMMIT);
  t.same(sent, [[11, 1], [22, 2], ...[25, 27, 29, 30].map((op) => [op, COMMIT])]);
  t.end();
});

t.test('the first commit and the first welcome can be damaged, not the second ones', LIMIT, (t) => {
  const { subject, sent } = line(t, { corruptCommit: true, corruptWelcome: true });
  for (const op of [29, 30, 29, 30]) subject.binary(op, COMMIT);
  t.same(sent, [
    [29, DAMAGED],
    [30, DAMAGED],
    [29, COMMIT],
    [30, COMMIT],
  ]);
  t.same(COMMIT, Buffer.from([0, 1, 9]), 'what others are sent is left alone');
  t.end();
});

t.test('every commit can come twice, welcomes never do', LIMIT, (t) => {
  const { subject, ops } = line(t, { commitTwice: true });
  for (const op of [29, 30, 29]) subject.binary(op, COMMIT);
  t.same(ops(), [29, 29, 30, 29, 29]);
  t.end();
});

t.test('op 25 comes behind the first op 27 that proposes', LIMIT, (t) => {
  const { subject, sent, channel } = line(t, { externalSender: 'behind-proposals' });
  for (const payload of [REVOKE, APPEND, APPEND]) subject.binary(27, payload);
  t.same(sent, [
    [27, REVOKE],
    [27, APPEND],
    [25, channel.delivery.externalSender],
    [27, APPEND],
  ]);
  t.end();
});

t.test('op 11 comes behind the op 27 that adds its users', LIMIT, (t) => {
  const { subject, ops } = line(t, { unknownUserProposals: true });
  subject.json(11, 1);
  subject.json(18, 2);
  subject.binary(27, APPEND);
  t.same(ops(), [18, 27, 11]);
  t.end();
});

t.test('what the first op 27 proposes is revoked once the turn is over', LIMIT, async (t) => {
  const { subject, channel } = line(t, { revokesProposals: true });
  let revoked = 0;
  channel.delivery.revoke = () => {
    revoked++;
  };
  subject.binary(27, APPEND);
  t.equal(revoked, 0, 'the delivery is not called back at once');
  await Promise.resolve();
  subject.binary(27, APPEND);
  await Promise.resolve();
  t.equal(revoked, 1);
});

t.test('op 22 is late, never comes, or is followed by proposals of a stale epoch', LIMIT, async (t) => {
  const late = line(t, { executeDelayMs: 20, staleProposals: true });
  late.subject.json(22, { transition_id: 1 });
  t.same(late.sent, []);
  await late.next();
  t.same(late.ops(), [22, 27]);
  const never = line(t, { executeDelayMs: null });
  never.subject.json(22, { transition_id: 1 });
  t.same(never.sent, []);
  const closed = line(t, { executeDelayMs: 1 });
  closed.subject.json(22, { transition_id: 1 });
  closed.subject.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(closed.sent, [], 'a session that has ended is sent nothing');
});
