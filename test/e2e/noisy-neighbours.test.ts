// Neighbours that take the processor away (reliability.md case 4, its short form): garbage for the main thread, and
// processes that spin on every core. The audio may be late, never lost; nothing disconnects, nobody is told, and
// when it is quiet again the frames come at their pace. Judged by counts; the exact lateness is for the bench.
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import t, { type Test } from 'tap';
import { FakeVoiceProcess } from '../support/fake-voice-process.js';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { Origin } from '../support/origin.js';
import { PumiceProcess, TEST_PASSWORD } from '../support/pumice-process.js';
import { tone } from '../support/signal.js';

const LIMIT = { timeout: 90_000 };
const PLAYERS = 6;
const NOISE_MS = 4_000;
/** Of the frames of that time; other tests run beside this one, so some may be late beyond its end. */
const GARBAGE_SHARE = 0.9;

interface House {
  readonly voice: FakeVoiceProcess;
  readonly server: PumiceProcess;
  readonly client: NodeClient;
  readonly guilds: readonly string[];
}

async function playing(t: Test): Promise<House> {
  const voice = await FakeVoiceProcess.start();
  const origin = await Origin.start();
  origin.file('/a.opus', { body: oggOpus(tone(60)), contentType: 'audio/ogg' });
  const server = await PumiceProcess.start({ ca: voice.certificate.cert });
  const client = await NodeClient.connect(server.port);
  t.teardown(async () => {
    client.close();
    await server.stop();
    await origin.close();
    await voice.stop();
  });
  const track = await client.load(origin.url('/a.opus'));
  const guilds = Array.from({ length: PLAYERS }, (_, n) => String(380_000_000_000_000_000n + BigInt(n)));
  for (const guild of guilds) {
    await voice.addListener(guild);
    await client.join(guild, voice.endpoint);
    await voice.waitForDave(guild);
    await client.play(guild, track);
    await voice.waitForFrames(guild, 50);
  }
  return { voice, server, client, guilds };
}

/** Frames of each player, and of the milliseconds, while `noise` lasts. */
async function during(house: House, noise: () => Promise<void>): Promise<{ frames: number[]; ms: number }> {
  const { voice, guilds } = house;
  await voice.resetCounters();
  const began = performance.now();
  await noise();
  const frames = await Promise.all(guilds.map((guild) => voice.count(guild)));
  return { frames, ms: performance.now() - began };
}

async function unharmed(t: Test, { voice, client, guilds }: House): Promise<void> {
  await Promise.all(
    guilds.map(async (guild) => voice.waitForFrames(guild, (await voice.count(guild)) + 100, 20_000)),
  );
  for (const guild of guilds) {
    const report = await voice.report(guild);
    t.match(report, { missing: 0, nonceReuses: 0, violations: [], resumes: 0, open: true });
    t.same(client.events(guild), ['TrackStartEvent']);
  }
}

t.test('garbage for the main thread is not heard', LIMIT, async (t) => {
  const house = await playing(t);
  const { server, client } = house;
  const garbage = `{"filters":{"equalizer":[${'{"band":0,"gain":"x"},'.repeat(40_000)}`;
  const path = `${server.origin}${client.player(house.guilds[0] ?? '')}`;
  const headers = { Authorization: TEST_PASSWORD, 'Content-Type': 'application/json' };
  let refused = 0;
  const { frames, ms } = await during(house, async () => {
    const until = performance.now() + NOISE_MS;
    const lane = async (): Promise<void> => {
      while (performance.now() < until) {
        const answer = await fetch(path, { method: 'PATCH', headers, body: garbage });
        await answer.arrayBuffer();
        if (answer.status === 400) refused++;
      }
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
  });
  t.ok(refused > 20, `${String(refused)} bodies of ${String(garbage.length)} bytes refused`);
  const due = ms / 20;
  for (const count of frames) t.ok(count >= GARBAGE_SHARE * due - 9, `${String(count)} of ${due.toFixed(0)}`);
  await unharmed(t, house);
});

t.test('processes that spin on every core make it late at the worst', LIMIT, async (t) => {
  const house = await playing(t);
  const { frames, ms } = await during(house, async () => {
    const script = `const until = Date.now() + ${String(NOISE_MS)}; while (Date.now() < until) Math.random();`;
    const spinners = cpus().map(() => spawn(process.execPath, ['-e', script], { stdio: 'ignore' }));
    t.teardown(() => {
      for (const spinner of spinners) spinner.kill('SIGKILL');
    });
    await Promise.all(spinners.map((spinner) => new Promise((resolve) => spinner.once('exit', resolve))));
  });
  // Half of the processor is the least that a fair scheduler leaves, and a tenth of that would do.
  const due = ms / 20;
  for (const count of frames) t.ok(count >= due / 2, `${String(count)} of ${due.toFixed(0)}`);
  await unharmed(t, house);
  const asked = await house.client.ask('GET', '/v4/stats');
  t.equal(asked.status, 200);
});
