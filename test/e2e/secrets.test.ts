// Claims about secrets, on the real server at its most talkative: whatever a client sends and however it fails,
// the password, voice tokens and voice session ids stand nowhere in what the server prints (reliability.md, promise
// 10), and neither in its errors nor in its metrics.
import t from 'tap';
import { FakeVoiceServer } from '../support/fake-voice.js';
import { NodeClient } from '../support/node-client.js';
import { PumiceProcess, TEST_PASSWORD } from '../support/pumice-process.js';

const TOKEN = 'tok-cc1f53f0a9';
const VOICE_SESSION = 'ses-77d0b1e2c4';

t.test('no secret is printed, and every request has its line', { timeout: 60_000 }, async (t) => {
  const voice = await FakeVoiceServer.start();
  t.teardown(() => voice.close());
  const server = await PumiceProcess.start({
    ca: voice.certificate.cert,
    config: {
      'logging.level.root': 'TRACE',
      'logging.request.includeClientInfo': true,
      'logging.request.includeHeaders': true,
      'logging.request.beforeRequest': true,
    },
  });
  t.teardown(() => server.stop());
  const client = await NodeClient.connect(server.port);
  const join = { token: TOKEN, endpoint: voice.endpoint, sessionId: VOICE_SESSION, channelId: '1' };
  const answers: unknown[] = [];
  const ask = async (method: string, path: string, body?: unknown, headers = {}): Promise<number> => {
    const answer = await client.ask(method, path, body, headers);
    if (answer.status >= 400) answers.push(answer.body);
    return answer.status;
  };
  t.equal(await ask('PATCH', client.player('1'), { voice: join }), 200);
  // The voice server refuses, the endpoint is not allowed, the body is broken, a key is missing, the path is wrong.
  voice.script({ closeAt: { moment: 'identify', code: 4004 } }, { guildId: '2', times: 5 });
  t.equal(await ask('PATCH', client.player('2'), { voice: join }), 500);
  t.equal(await ask('PATCH', client.player('3'), { voice: { ...join, endpoint: 'elsewhere.example' } }), 400);
  t.equal(
    await ask('PATCH', client.player('3'), `{"voice":{"token":"${TOKEN}","sessionId":"${VOICE_SESSION}"`),
    400,
  );
  t.equal(await ask('PATCH', client.player('3'), { voice: { ...join, channelId: undefined } }), 400);
  t.equal(await ask('PATCH', '/v4/sessions/none/players/1?trace', { voice: join }), 404);
  t.equal(await ask('GET', '/v4/info', undefined, { Authorization: `${TEST_PASSWORD} or not` }), 403);
  const metrics = await client.text('/metrics');
  await ask('DELETE', client.player('1'));
  client.close();
  await server.stop();
  const everything = `${server.lines.join('\n')}\n${metrics}\n${JSON.stringify(answers)}`;
  for (const secret of [TOKEN, VOICE_SESSION, TEST_PASSWORD]) t.notOk(everything.includes(secret), secret);
  const requests = server.lines.filter((line) => line.includes('"logger":"pumice.request"'));
  t.match(requests[0], /"message":"GET \/v4\/websocket, client=127\.0\.0\.1, headers=\[.*authorization:/);
  t.match(
    requests.filter((line) => line.includes('PATCH')),
    [
      /">> PATCH \S+\/players\/1, client=.*payload={.*token.*\*\*\*/,
      /"PATCH \S+\/players\/1, .*"status":200/,
    ],
  );
});
