// The secrets of the voice path (reliability.md, promise 10), on the real server at its most talkative, with either
// driver: while a voice server connects, resumes, refuses, talks nonsense and drops, neither tokens nor session ids
// nor transport keys stand in what the server prints, answers as an error, tells its client or counts.
import t from 'tap';
import { FakeVoiceServer } from '../support/fake-voice.js';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { Origin } from '../support/origin.js';
import { PumiceProcess, TEST_PASSWORD } from '../support/pumice-process.js';
import { tone } from '../support/signal.js';

const GUILD = '420000000000000001';
const REFUSED = '420000000000000002';
const SECRETS = {
  token: 'tok-5c0de8f11b2a',
  sessionId: 'ses-e91aa2047d3c',
};

/** A key in the forms in which something could print it: a part is enough, so no form is missed by a line's end. */
function spellings(key: Uint8Array): string[] {
  const bytes = Buffer.from(key.subarray(0, 8));
  return [
    bytes.toString('hex'),
    bytes.toString('base64').slice(0, 10),
    [...bytes].join(','),
    [...bytes].join(', '),
  ];
}

for (const driver of ['native', 'discordjs']) {
  t.test(`${driver}: no secret of a voice connection is printed or told`, { timeout: 60_000 }, async (t) => {
    const voice = await FakeVoiceServer.start();
    const origin = await Origin.start();
    origin.file('/a.opus', { body: oggOpus(tone(20)), contentType: 'audio/ogg' });
    const server = await PumiceProcess.start({
      ca: voice.certificate.cert,
      config: {
        'pumice.voice.driver': driver,
        'pumice.debug.traces': true,
        'logging.level.root': 'TRACE',
        'logging.request.includeClientInfo': true,
        'logging.request.includeHeaders': true,
        'logging.request.includeQueryString': true,
        'logging.request.includePayload': true,
        'logging.request.beforeRequest': true,
      },
      // Warnings of the platform come with their stacks.
      execArgv: ['--trace-warnings', '--trace-uncaught'],
    });
    t.teardown(async () => {
      await server.stop();
      await origin.close();
      await voice.close();
    });
    const client = await NodeClient.connect(server.port);
    const join = { ...SECRETS, endpoint: voice.endpoint, channelId: '1' };
    const answers: unknown[] = [];
    const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
      const answer = await client.ask(method, path, body);
      // What a client asks to be given back of its own voice data is no secret to it.
      if (answer.status >= 400 || path.startsWith('/pumice/')) answers.push(answer.body);
      return answer.status;
    };
    const keys: Uint8Array[] = [];
    const more = async (frames: number): Promise<void> => {
      await voice.waitForFrames(GUILD, voice.count(GUILD) + frames);
      const { key } = await voice.sessionOf(GUILD);
      if (key !== null) keys.push(key);
    };

    // One call: joined, played, dropped and resumed, begun anew, and talked nonsense to.
    voice.addListener(GUILD);
    const track = await client.load(origin.url('/a.opus'));
    t.equal(await ask('PATCH', client.player(GUILD), { voice: join, track: { encoded: track } }), 200);
    await more(20);
    voice.act(GUILD, { kind: 'drop' });
    await voice.waitForResume(GUILD);
    await more(20);
    voice.act(GUILD, { kind: 'junk', kinds: ['text', 'shape', 'binary', 'body'] });
    voice.act(GUILD, { kind: 'close', code: 4020 });
    await voice.waitForIdentify(GUILD, 2);
    await more(20);
    const paths = ['why-silent', 'quality'].map(
      (what) => `/pumice/v1/sessions/${client.session}/players/${GUILD}/${what}`,
    );
    for (const path of [...paths, '/pumice/v1/health/ready']) await ask('GET', path);

    // Another that never comes about: refused with each way of being told why.
    for (const faults of [
      { closeAt: { moment: 'identify' as const, code: 4_004 } },
      { readyModes: ['xsalsa20_poly1305'] },
      { readyAddress: { ip: '10.0.0.1' } },
      { describedMode: 'plain' },
    ]) {
      voice.script(faults, { guildId: REFUSED, times: 2 });
      const status = await ask('PATCH', client.player(REFUSED), { voice: join });
      t.ok(status === 500 || status === 200, String(status));
    }
    t.equal(
      await ask('PATCH', `${client.player(REFUSED)}?trace=true`, { voice: { ...join, token: 7 } }),
      400,
    );
    const text = JSON.stringify({ voice: join }).slice(0, -2);
    t.equal(await ask('PATCH', `${client.player(REFUSED)}?trace=true`, text), 400);

    const metrics = await client.text('/metrics');
    voice.act(GUILD, { kind: 'close', code: 4014, reason: 'the call is over' });
    await client.waitForEvent(GUILD, 'WebSocketClosedEvent');
    client.close();
    await server.stop();
    const printed = server.lines.join('\n');
    const everything = [printed, metrics, JSON.stringify(answers), JSON.stringify(client.messages)].join(
      '\n',
    );
    for (const [name, secret] of Object.entries({ ...SECRETS, password: TEST_PASSWORD })) {
      t.notOk(everything.includes(secret), name);
    }
    t.ok(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size === 2, 'two keys were in use');
    for (const key of keys) {
      for (const spelling of spellings(key)) t.notOk(everything.includes(spelling), 'a transport key');
    }
    t.ok(printed.includes('players/'), 'the log did speak');
  });
}
