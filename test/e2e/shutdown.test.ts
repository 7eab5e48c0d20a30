// SIGTERM with players playing: refused, silenced, closed, gone; and a second one that does not wait
// (reliability.md cases 13 and 14).
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { oggOpus } from '../support/fixtures.js';
import { NodeClient } from '../support/node-client.js';
import { tone } from '../support/signal.js';
import { stage } from '../support/stage.js';

const LIMIT = { timeout: 60_000 };

const guilds = Array.from({ length: 10 }, (_, n) => String(320_000_000_000_000_000n + BigInt(n)));

t.test(
  'SIGTERM ends ten playing players with silence, sockets with 1001 and the process with 0',
  LIMIT,
  async (t) => {
    const house = await stage(t);
    const { server, voice, origin } = house;
    origin.file('/a.opus', { body: oggOpus(tone(30)), contentType: 'audio/ogg' });
    const client = await NodeClient.connect(server.port);
    const track = await client.load(origin.url('/a.opus'));
    for (const guild of guilds) {
      await client.join(guild, voice.endpoint);
      await client.play(guild, track);
    }
    await Promise.all(guilds.map((guild) => voice.waitForFrames(guild, 25)));
    const closed = once(client.socket, 'close');
    const began = performance.now();
    const exit = server.stop();
    const [code] = (await closed) as [number];
    t.equal(code, 1_001);
    t.equal(await exit, 0);
    t.ok(performance.now() - began < 25_000);
    for (const guild of guilds) {
      t.equal(
        client.events(guild).filter((event) => event.startsWith('TrackEndEvent')).length,
        1,
        'ended once',
      );
      t.match(await voice.waitForClose(guild), { code: 1_000, by: 'client' });
      t.match(voice.report(guild), { missing: 0, violationCount: 0, silenceFrames: 5 });
    }
    const refused = connect(server.port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    t.equal(error.code, 'ECONNREFUSED', 'the port is free');
  },
);

t.test('while it drains it takes nothing new, and a second SIGTERM ends it at once', LIMIT, async (t) => {
  const { server, origin } = await stage(t);
  const client = await NodeClient.connect(server.port);
  t.teardown(() => {
    client.close();
  });
  const ready = '/pumice/v1/health/ready';
  t.equal((await client.ask('GET', ready)).status, 200);
  // A load under way, which the drain waits for: as long as the grace lasts, if nobody is in a hurry.
  origin.silent('/silent');
  const load = client.load(origin.url('/silent')).catch(() => 'cut off');
  while (origin.requestsFor('/silent').length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  process.kill(server.pid, 'SIGTERM');
  const told = performance.now();
  let answer = await client.ask('GET', ready);
  while (answer.status === 200 && performance.now() - told < 5_000) answer = await client.ask('GET', ready);
  t.match(answer, { status: 503, body: { status: 'not ready', state: 'draining' } });
  const refused = await client.ask('PATCH', client.player('1'), { volume: 50 });
  t.match(refused, { status: 503, body: { message: String } });
  t.equal((await client.ask('GET', '/pumice/v1/health/live')).status, 200, 'it lives while it drains');

  const began = performance.now();
  t.equal(await server.stop('SIGTERM'), 0);
  t.ok(performance.now() - began < 6_000, `${(performance.now() - began).toFixed(0)} ms`);
  t.ok(server.lines.some((line) => line.includes('SIGTERM again')));
  t.equal(await load, 'cut off');
});
