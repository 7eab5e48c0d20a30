// The fake voice server in its own process does what the one in this process does, and does not outlive its
// parent.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ArrivalGrid } from './arrival-grid.js';
import { AES_GCM } from './fake-voice.js';
import { FakeVoiceProcess } from './fake-voice-process.js';
import { GUILD, PlainVoiceClient } from './plain-voice-client.js';
import { SILENCE_FRAME } from './rtp-packet.js';

const LIMIT = { timeout: 30_000 };
const CHILD = fileURLToPath(new URL('./fake-voice-child.js', import.meta.url));

t.test('a stream sent to the other process is counted, waited for and written there', LIMIT, async (t) => {
  const voice = await FakeVoiceProcess.start({ modes: [AES_GCM] });
  t.teardown(() => voice.stop());
  const folder = await mkdtemp(join(tmpdir(), 'pumice-voice-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const client = await PlainVoiceClient.open(voice);
  const stream = await client.connect(AES_GCM);
  t.equal(await voice.sessionOf(GUILD), 's1');
  await voice.waitForSpeaking(GUILD, true);
  for (let n = 0; n < 10; n++) client.datagram(client.sealed(stream, n, SILENCE_FRAME));
  t.equal(await voice.waitForFrames(GUILD, 10), 10);
  await voice.waitForSilence(GUILD);
  t.match(await voice.report(GUILD), { packets: 10, silenceFrames: 10, violations: [] });
  t.match(await voice.totals(), { sessions: 1, open: 1, packets: 10 });
  t.same(await voice.report('nobody'), null);

  const path = join(folder, 'a.ogg');
  t.match(await voice.writeOgg(GUILD, path), { packets: 10, inserted: 0 });
  t.equal((await readFile(path)).toString('latin1', 0, 4), 'OggS');

  await voice.addListener(GUILD, '5');
  t.same((await client.receive(11)).d, { user_ids: ['5'] });
  await voice.dropListener(GUILD);
  t.same((await client.receive(13)).d, { user_id: '5' });
  await voice.act(GUILD, { kind: 'close', code: 4014 });
  t.same(await voice.waitForClose(GUILD), { code: 4014, reason: 'Disconnected', by: 'server' });
});

t.test('its ports can have threads, and the lateness of two of them merges', LIMIT, async (t) => {
  const options = { modes: [AES_GCM], udpThreads: 2, openEvery: 5, keepFrames: 0 } as const;
  const voices = await Promise.all([FakeVoiceProcess.start(options), FakeVoiceProcess.start(options)]);
  t.teardown(() => Promise.all(voices.map((voice) => voice.stop())));
  const merged = new ArrivalGrid();
  for (const voice of voices) {
    const client = await PlainVoiceClient.open(voice);
    const stream = await client.connect(AES_GCM);
    await voice.waitForSpeaking(GUILD, true);
    for (let n = 0; n < 10; n++) client.datagram(client.sealed(stream, n, SILENCE_FRAME));
    t.equal(await voice.waitForFrames(GUILD, 10), 10);
    t.match(await voice.totals(), { packets: 10, opened: 2, lateness: { frames: 10 } });
    merged.takeHistogram(await voice.latenessHistogram());
    const port = await voice.changeUdpPort();
    t.not(port, voice.udpPort);
    client.datagram(client.sealed(stream, 10, SILENCE_FRAME), port);
    t.equal(await voice.waitForFrames(GUILD, 11), 11);
    await client.close();
  }
  t.equal(merged.summary().frames, 20);
});

t.test('what fails in the child fails here, in its words', LIMIT, async (t) => {
  const voice = await FakeVoiceProcess.start();
  t.teardown(() => voice.stop());
  await t.rejects(voice.act(GUILD, { kind: 'drop' }), { message: /has no open connection/ });
  await t.rejects(voice.waitForFrames(GUILD, 1, 20), { message: /1 frames of guild/ });
});

t.test('calls that are open when the child dies are rejected, and later ones too', LIMIT, async (t) => {
  const voice = await FakeVoiceProcess.start();
  const waiting = voice.waitForSilence(GUILD);
  process.kill(voice.pid, 'SIGKILL');
  await t.rejects(waiting, { message: /has ended \(SIGKILL\)/ });
  await t.rejects(voice.totals(), { message: /has ended/ });
  await voice.stop();
});

t.test('options that make no server are an error at the start', LIMIT, async (t) => {
  const certificate = { key: 'none', cert: 'none' };
  await t.rejects(FakeVoiceProcess.start({ certificate }), { message: /did not start/ });
});

t.test('the child ends when its parent goes', LIMIT, async (t) => {
  const child = fork(CHILD, ['{}'], { serialization: 'advanced' });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'message');
  const exited = once(child, 'exit');
  child.disconnect(); // What the child sees of a parent that died.
  t.same(await exited, [0, null]);
});
