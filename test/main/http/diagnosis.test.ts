// Claims about the two questions that can be asked of a player under /pumice/v1, over real HTTP with a fake fleet: who may
// ask, what is answered of whom, and that a shard which does not answer is an answer.
import t from 'tap';
import { ServerError } from '../../../src/shared/errors.js';
import { DIAGNOSIS } from '../../../src/shared/limits.js';
import { soundInspection } from '../../support/inspections.js';
import { MP3_TOKEN, settle, VOICE } from '../../support/main-node.js';
import { ask, Client, send, start } from '../../support/running-server.js';

const CEILING = { timeout: 20_000 };

interface WhySilent {
  readonly silent: boolean;
  readonly brokenLink: string | null;
  readonly explanation: string;
  readonly links: readonly { readonly name: string; readonly ok: boolean | null }[];
}

async function playing(test: Parameters<typeof start>[0]) {
  const running = await start(test);
  const { origin, fleet } = running;
  const client = new Client(origin);
  test.teardown(() => {
    client.socket.terminate();
  });
  const session = await client.session();
  const patched = await send(origin, 'PATCH', `/v4/sessions/${session}/players/7`, {
    voice: VOICE,
    track: { encoded: MP3_TOKEN },
  });
  if (patched.status !== 200) throw new Error(patched.text);
  const path = (question: string, guild = '7'): string =>
    `/pumice/v1/sessions/${session}/players/${guild}/${question}`;
  return {
    ...running,
    session,
    path,
    inspections: () => fleet.sent.filter(({ command }) => command.op === 'inspect').length,
    whySilent: async (): Promise<WhySilent> => {
      const { status, text } = await ask(origin, path('why-silent'));
      if (status !== 200) throw new Error(text);
      return JSON.parse(text) as WhySilent;
    },
  };
}

t.test('both are told to who knows password, session and player only', CEILING, async (t) => {
  const { origin, path, session, inspections } = await playing(t);
  for (const question of ['quality', 'why-silent']) {
    t.equal((await fetch(`${origin}${path(question)}`)).status, 401);
    t.equal((await ask(origin, path(question), { headers: { Authorization: 'wrong' } })).status, 403);
    t.equal(inspections(), 0);
    const unknown = await ask(origin, path(question, '8'));
    t.match(JSON.parse(unknown.text), {
      status: 404,
      error: 'Not Found',
      message: 'Player not found',
      path: path(question, '8'),
    });
    const elsewhere = await ask(origin, path(question).replace(session, 'nobody'));
    t.match(JSON.parse(elsewhere.text), { status: 404, message: 'Session not found' });
    t.equal((await ask(origin, path(question, 'seven'))).status, 400);
    t.equal((await ask(origin, path(question), { method: 'POST' })).status, 405);
  }
});

t.test('quality tells of the track that is on and of those that have ended', CEILING, async (t) => {
  const { origin, path, clock, fleet, session } = await playing(t);
  clock.advance(2_000);
  fleet.end(`${session}:7`, 'finished');
  await send(origin, 'PATCH', `/v4/sessions/${session}/players/7`, { track: { encoded: MP3_TOKEN } });
  const answer = await ask(origin, path('quality'));
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('content-type'), 'application/json');
  t.match(JSON.parse(answer.text), {
    current: { endedAt: null, reason: null, frames: { expected: 0 } },
    ended: [
      { reason: 'finished', playedMs: 2_000, frames: { expected: 100, sent: 0, nulled: 0, deficit: 100 } },
    ],
  });
  await ask(origin, `/v4/sessions/${session}/players/7`, { method: 'DELETE' });
  t.equal((await ask(origin, path('quality'))).status, 404, 'gone with the player');
});

t.test('why-silent walks all links of a player that is heard', CEILING, async (t) => {
  const { whySilent } = await playing(t);
  const { silent, brokenLink, explanation, links } = await whySilent();
  t.match(
    { silent, brokenLink, explanation },
    { silent: false, brokenLink: null, explanation: /^Datagrams leave/ },
  );
  t.strictSame(
    links.map(({ name, ok }) => `${name} ${String(ok)}`),
    [
      'player',
      'shard',
      'source',
      'window',
      'decode',
      'queue',
      'voice',
      'dave',
      'speaking',
      'ring',
      'sender',
    ].map((name) => `${name} true`),
  );
  t.strictSame(links[0], {
    name: 'player',
    ok: true,
    track: true,
    coming: false,
    paused: false,
    volume: 100,
    filterVolume: 1,
    positionMs: 0,
    endTimeMs: null,
    lastEnd: null,
  });
});

t.test(
  'what the client itself has ordered is a broken link, and so is what the shard says',
  CEILING,
  async (t) => {
    const { origin, fleet, session, whySilent } = await playing(t);
    const patch = (body: unknown) => send(origin, 'PATCH', `/v4/sessions/${session}/players/7`, body);
    const broken = async (): Promise<string> => {
      const { brokenLink, explanation } = await whySilent();
      return `${String(brokenLink)}: ${explanation}`;
    };
    await patch({ paused: true });
    t.match(await broken(), /^player: .*paused/);
    await patch({ paused: false, volume: 0 });
    t.match(await broken(), /^player: The volume/);
    await patch({ volume: 100, filters: { volume: 0 } });
    t.match(await broken(), /^player: The volume filter/);
    await patch({ filters: {} });
    fleet.inspection = soundInspection({ dave: { frames: 'hold', group: 'forming', others: 2 } });
    t.match(await broken(), /^dave: .* 2 others/);
    fleet.inspection = soundInspection({ noVoice: true, lastClose: 4_014 });
    t.match(await broken(), /^voice: .*4014/);
    fleet.end(`${session}:7`, 'loadFailed');
    t.match(await broken(), /^player: .*\(loadFailed\)/);
  },
);

t.test(
  'a shard that does not answer in time is the broken link, and main answers by itself',
  CEILING,
  async (t) => {
    const { clock, fleet, inspections, whySilent } = await playing(t);
    fleet.failNext.set('inspect', [
      new ServerError('PUM_COMMAND_DEADLINE', { ms: DIAGNOSIS.inspectDeadline }),
    ]);
    const answer = await whySilent();
    t.match(answer, { silent: true, brokenLink: 'shard', explanation: /within 1,000 ms/ });
    t.strictSame(answer.links[2], { name: 'source', ok: null });
    t.equal(answer.links.length, 11);

    fleet.hold();
    const before = inspections();
    const waiting = [whySilent(), whySilent(), whySilent()];
    while (inspections() === before) await settle();
    t.equal(clock.pending > 0, true);
    fleet.die(0);
    fleet.open();
    for (const report of await Promise.all(waiting))
      t.match(report, { brokenLink: 'shard', explanation: /has ended/ });
    fleet.revive(0);
    await settle();
    t.equal((await whySilent()).brokenLink, null, 'taken over');
  },
);

t.test('questions that come together are asked once', CEILING, async (t) => {
  const { fleet, inspections, whySilent } = await playing(t);
  fleet.hold();
  const waiting = Array.from({ length: 20 }, whySilent);
  while (inspections() === 0) await settle();
  fleet.open();
  for (const { silent } of await Promise.all(waiting)) t.equal(silent, false);
  t.ok(inspections() < 20, `${String(inspections())} questions`);
  const before = inspections();
  await whySilent();
  t.equal(inspections(), before + 1, 'a later one anew');
});

t.test('nothing that a client keeps secret is in the answers', CEILING, async (t) => {
  const { origin, path, fleet } = await playing(t);
  const texts: string[] = [];
  for (const inspection of [soundInspection(), soundInspection({ noVoice: true, lastClose: 4_006 })]) {
    fleet.inspection = inspection;
    for (const question of ['quality', 'why-silent']) texts.push((await ask(origin, path(question))).text);
  }
  for (const secret of [VOICE.token, VOICE.sessionId, VOICE.endpoint, VOICE.channelId]) {
    t.notOk(
      texts.some((text) => text.includes(secret)),
      secret,
    );
  }
});

t.test('a player that is removed while its shard is asked is not answered for', CEILING, async (t) => {
  const { origin, path, fleet, inspections, session } = await playing(t);
  fleet.hold();
  const asked = ask(origin, path('why-silent'));
  while (inspections() === 0) await settle();
  const removed = ask(origin, `/v4/sessions/${session}/players/7`, { method: 'DELETE' });
  while (!fleet.sent.some(({ command }) => command.op === 'destroy')) await settle();
  fleet.open();
  t.equal((await removed).status, 204);
  t.match(JSON.parse((await asked).text), { status: 404, message: 'Player not found' });
});
