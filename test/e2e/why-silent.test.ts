// Links that break for real, and what the server says when it is asked why the player is silent: with a fake voice server,
// an origin that stands still, and threads that hang. And what becomes of a track's quality when its source stalls.
import t, { type Test } from 'tap';
import type { ConfigValues } from '../../src/shared/config.js';
import { FakeVoiceServer } from '../support/fake-voice.js';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { Origin } from '../support/origin.js';
import { startInProcess, type PumiceInProcess } from '../support/pumice-in-process.js';
import { makeFault, SENDER_FAULT } from '../support/shard-faults.js';
import { tone } from '../support/signal.js';
import { UdpFault } from '../support/udp-fault.js';

/** Copied for each test: tap keeps the state of a test in the object it is given. */
const LIMIT = { timeout: 60_000, buffered: true };
/** Milliseconds to wait for an answer that has to come about. */
const SOON = 20_000;
const BETWEEN_QUESTIONS = 50;
const SECONDS = 60;

interface WhySilent {
  readonly silent: boolean;
  readonly brokenLink: string | null;
  readonly explanation: string;
  readonly links: readonly {
    readonly name: string;
    readonly ok: boolean | null;
    readonly [fact: string]: unknown;
  }[];
}

interface Report {
  readonly reason: string | null;
  readonly frames: Readonly<Record<string, number>>;
}

interface Quality {
  readonly current: Report | null;
  readonly ended: readonly Report[];
}

class Scene {
  readonly node: PumiceInProcess;
  readonly voice: FakeVoiceServer;
  readonly origin: Origin;
  readonly client: NodeClient;
  readonly track: string;

  private constructor(parts: Pick<Scene, 'node' | 'voice' | 'origin' | 'client' | 'track'>) {
    this.node = parts.node;
    this.voice = parts.voice;
    this.origin = parts.origin;
    this.client = parts.client;
    this.track = parts.track;
  }

  static async start(t: Pick<Test, 'teardown'>, config: Partial<ConfigValues> = {}): Promise<Scene> {
    const voice = await FakeVoiceServer.start();
    const origin = await Origin.start();
    const song = oggOpus(tone(SECONDS));
    origin.file('/song.opus', { body: song, contentType: 'audio/ogg' });
    const stallAt = Array.from({ length: 50 }, () => 40_000);
    origin.file('/stalls.opus', { body: song, contentType: 'audio/ogg', stallAt });
    const node = await startInProcess({ ca: voice.certificate.cert, shards: 1, config });
    const client = await NodeClient.connect(node.port);
    t.teardown(async () => {
      client.close();
      await node.close();
      await origin.close();
      await voice.close();
    });
    const track = await client.load(origin.url('/song.opus'));
    return new Scene({ node, voice, origin, client, track });
  }

  path(guild: string, question: string): string {
    return `/pumice/v1/sessions/${this.client.session}/players/${guild}/${question}`;
  }

  ask(guild: string): Promise<WhySilent> {
    return this.client.must('GET', this.path(guild, 'why-silent')) as unknown as Promise<WhySilent>;
  }

  /** Asks until that link is said to be broken; rejects with the last answer. */
  broken(guild: string, link: string | null, what = /./): Promise<WhySilent> {
    return until(
      () => this.ask(guild),
      ({ brokenLink, explanation }) => brokenLink === link && what.test(explanation),
    );
  }

  /** Asks for the quality of its tracks until it is so. */
  quality(guild: string, fits: (quality: Quality) => boolean): Promise<Quality> {
    const path = this.path(guild, 'quality');
    return until(() => this.client.must('GET', path) as unknown as Promise<Quality>, fits);
  }

  /** A player that is heard, with a listener if its call is to be encrypted end to end. */
  async heard(guild: string, listener = false): Promise<void> {
    const { client, voice, track } = this;
    if (listener) voice.addListener(guild);
    await client.join(guild, voice.endpoint);
    if (listener) await voice.waitForDave(guild);
    await client.play(guild, track);
    await voice.waitForFrames(guild, voice.count(guild) + 25);
  }
}

async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
  const end = performance.now() + SOON;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (performance.now() > end) throw new Error(`not within ${String(SOON)} ms: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_QUESTIONS));
  }
}

function link({ links }: WhySilent, name: string): Record<string, unknown> {
  return links.find((each) => each.name === name) ?? {};
}

const scene = await Scene.start(t);
const { client, voice, origin, track } = scene;

t.test('what goes wrong with one player', { jobs: 4, timeout: 110_000 }, (t) => {
  t.test('a player that is heard, end to end encrypted, has no broken link', { ...LIMIT }, async (t) => {
    const guild = '370000000000000001';
    await scene.heard(guild, true);
    const answer = await scene.broken(guild, null);
    t.equal(answer.silent, false);
    t.ok(answer.links.every(({ ok }) => ok === true));
    t.match(link(answer, 'player'), { track: true, paused: false, volume: 100 });
    t.match(link(answer, 'source'), { error: null, seeking: false });
    t.match(link(answer, 'decode'), { mode: 'passthrough', anyFrame: true });
    t.match(link(answer, 'voice'), { driver: 'native', step: 'ready', connected: true });
    t.match(link(answer, 'dave'), { version: 1, frames: 'sealed', group: 'ready', others: 1 });
    t.equal(link(answer, 'speaking')['told'], true);
    t.equal(link(answer, 'ring')['open'], true);
    t.match(link(answer, 'sender'), { threads: 1, addressKnown: true });
    const secrets = [`token-${guild}`, `session-${guild}`, voice.endpoint, client.session, '127.0.0.1'];
    for (const secret of secrets) t.notOk(JSON.stringify(answer).includes(secret), secret);
  });

  t.test('what the client itself has ordered is the first link', { ...LIMIT }, async (t) => {
    const guild = '370000000000000002';
    await client.join(guild, voice.endpoint);
    t.match(await scene.ask(guild), { brokenLink: 'player', explanation: 'No track is loaded.' });
    await client.play(guild, track);
    await scene.broken(guild, null);
    await client.patch(guild, { paused: true });
    t.match(await scene.ask(guild), { brokenLink: 'player', explanation: 'The player is paused.' });
    await client.patch(guild, { paused: false, volume: 0 });
    t.match(await scene.ask(guild), { brokenLink: 'player', explanation: /volume/ });
    await client.patch(guild, { volume: 100 });
    await scene.broken(guild, null);
    await client.patch(guild, { track: { encoded: null } });
    t.match(await scene.ask(guild), { brokenLink: 'player', explanation: /has ended \(stopped\)/ });
  });

  t.test('a source that stands still is named, and its slots count as nulled', { ...LIMIT }, async (t) => {
    const guild = '370000000000000003';
    await client.join(guild, voice.endpoint);
    await client.play(guild, await client.load(origin.url('/stalls.opus')));
    await scene.broken(guild, null);
    const answer = await scene.broken(guild, 'source', /nothing for/);
    t.match(link(answer, 'source'), { state: 'reading', error: null });
    t.match(link(answer, 'queue'), { ok: null, frames: 0, starving: true });
    t.match(link(answer, 'voice'), { ok: null, step: 'ready' });
    await scene.quality(guild, ({ current }) => (current?.frames['nulled'] ?? 0) > 10);
    await client.patch(guild, { track: { encoded: null } });
    const { current, ended } = await scene.quality(guild, () => true);
    t.equal(current, null);
    const { reason, frames } = ended[0] ?? {};
    t.equal(reason, 'stopped');
    const { expected = NaN, sent = NaN, nulled = NaN, deficit = NaN } = frames ?? {};
    t.equal(expected, sent + nulled + deficit);
    t.ok(sent > 50 && nulled > 10, `${String(sent)} sent, ${String(nulled)} nulled`);
  });

  t.test('a source that is being opened is named', { ...LIMIT }, async (t) => {
    const guild = '370000000000000004';
    const gone = await client.load(origin.url('/song.opus'));
    t.equal(gone, track);
    origin.file('/once.opus', { body: oggOpus(tone(5)), contentType: 'audio/ogg' });
    const once = await client.load(origin.url('/once.opus'));
    origin.silent('/once.opus');
    await client.join(guild, voice.endpoint);
    await client.play(guild, once);
    await scene.broken(guild, 'source', /being opened/);
    await client.waitForEvent(guild, 'TrackEndEvent');
    await scene.broken(guild, 'player', /has ended \(loadFailed\)/);
  });

  t.test('a voice connection is named with what it waits for', { ...LIMIT }, async (t) => {
    const guild = '370000000000000005';
    await client.play(guild, track);
    await scene.broken(guild, 'voice', /given no voice data/);
    voice.script({ noReady: true }, { guildId: guild });
    const joining = client.join(guild, voice.endpoint);
    const answer = await scene.broken(guild, 'voice', /introduction/);
    t.match(link(answer, 'voice'), { given: true, step: 'greeting', connected: false });
    t.match(link(answer, 'ring'), { ok: null });
    await joining;
    t.match(await client.waitForEvent(guild, 'WebSocketClosedEvent'), { code: 1_006 });
    t.match(link(await scene.broken(guild, 'voice', /ended with 1006/), 'voice'), { lastClose: 1_006 });

    voice.script({ dropDiscovery: 100 }, { guildId: guild });
    const again = client.ask('PATCH', client.player(guild), {
      voice: { token: 'x', endpoint: voice.endpoint, sessionId: 'x', channelId: guild },
    });
    await scene.broken(guild, 'voice', /over UDP/);
    await client.must('DELETE', client.player(guild));
    await again;
  });

  t.test('a voice connection that was closed is named with its code', { ...LIMIT }, async (t) => {
    const guild = '370000000000000006';
    await scene.heard(guild);
    voice.act(guild, { kind: 'close', code: 4_014 });
    await client.waitForEvent(guild, 'WebSocketClosedEvent');
    const answer = await scene.broken(guild, 'voice', /ended with 4014/);
    t.match(link(answer, 'source'), { ok: true });
    t.match(link(answer, 'voice'), { ok: false, step: null, lastClose: 4_014 });
  });

  t.test('an encryption group that never comes about is named', { ...LIMIT }, async (t) => {
    const guild = '370000000000000007';
    voice.addListener(guild);
    voice.script({ externalSender: 'none' }, { guildId: guild, times: 5 });
    await client.join(guild, voice.endpoint);
    await client.play(guild, track);
    const held = await scene.broken(guild, 'dave', /frames wait/);
    t.match(link(held, 'dave'), { version: 1, frames: 'hold', group: 'forming', others: 1 });
    t.match(link(held, 'queue'), { ok: true });
    await scene.broken(guild, 'dave', /given up/);
    voice.dropListener(guild);
    await scene.broken(guild, null);
  });

  t.test(
    'a datagram that is lost on its way cannot be seen, and the answer says so',
    { ...LIMIT },
    async (t) => {
      const guild = '370000000000000008';
      const relay = await UdpFault.start({ port: voice.udpPort });
      t.teardown(() => relay.close());
      voice.script({ readyAddress: { ip: '127.0.0.1', port: relay.port } }, { guildId: guild });
      await scene.heard(guild);
      relay.set({ dropPercent: 100, way: 'out' });
      const dropped = relay.counts.dropped;
      const answer = await scene.broken(guild, null);
      t.match(answer, { silent: false, explanation: /cannot be seen from here/ });
      while (relay.counts.dropped < dropped + 50) await new Promise((resolve) => setTimeout(resolve, 20));
      t.match(await scene.ask(guild), { silent: false });
    },
  );
  t.end();
});

t.test('a shard that hangs is named, and main answers in its place', { ...LIMIT }, async (t) => {
  const guild = '370000000000000011';
  await scene.heard(guild);
  makeFault({ shard: 0, fault: 'spin', ms: 1_700 });
  const answer = await scene.broken(guild, 'shard', /has not answered within 1,000 ms/);
  t.match(link(answer, 'player'), { ok: true, track: true });
  t.match(link(answer, 'shard'), { up: true, restarts: 0, failure: 'PUM_COMMAND_DEADLINE' });
  t.ok(Number(link(answer, 'shard')['pulseAgeMs']) > 0, 'its pulse was seen to stand still');
  t.strictSame(link(answer, 'ring'), { name: 'ring', ok: null });
  await scene.broken(guild, null);
});

t.test('a sender that hangs is named while the ring is full', { ...LIMIT }, async (t) => {
  const guild = '370000000000000012';
  await scene.heard(guild);
  makeFault({ shard: SENDER_FAULT, fault: 'spin', ms: 3_000 });
  const answer = await scene.broken(guild, 'sender', /packets lie in the send ring/);
  t.match(link(answer, 'shard'), { ok: true, pulseAgeMs: Number });
  t.ok(Number(link(answer, 'ring')['queued']) > 0);
  t.ok(Number(link(answer, 'sender')['lastDatagramAgeMs']) >= 500);
  await scene.broken(guild, null);
});

t.test('the other driver answers the same question', { ...LIMIT }, async (t) => {
  const other = await Scene.start(t, { 'pumice.voice.driver': 'discordjs' });
  const guild = '370000000000000021';
  await other.heard(guild, true);
  const answer = await other.broken(guild, null);
  t.match(link(answer, 'voice'), { driver: 'discordjs', step: 'ready', connected: true });
  t.match(link(answer, 'dave'), { version: 1, frames: 'sealed', others: 1 });
  t.match(link(answer, 'sender'), { threads: 0 }, 'it sends from the shard');
  await other.client.patch(guild, { paused: true });
  t.match(await other.ask(guild), { brokenLink: 'player' });
  const silent = '370000000000000022';
  other.voice.script({ noReady: true }, { guildId: silent });
  await other.client.play(silent, other.track);
  const joining = other.client.ask('PATCH', other.client.player(silent), {
    voice: { token: 'x', endpoint: other.voice.endpoint, sessionId: 'x', channelId: silent },
  });
  await other.broken(silent, 'voice', /not ready yet/);
  await other.client.must('DELETE', other.client.player(silent));
  await joining;
});
