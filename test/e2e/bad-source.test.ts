// What origins and files do wrong: every load ends in time with a code, every track ends with its events, a dropped
// connection is not heard, and the server is as before afterwards.
import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { fixture, FIXTURE_NAMES, oggOpus, type FixtureName } from '../support/fixtures.js';
import { NodeClient, type RestAnswer } from '../support/node-client.js';
import { packetsOf, soundOf } from '../support/opus-packets.js';
import { seededBytes } from '../support/seeded.js';
import { sweep } from '../support/signal.js';
import { stage } from '../support/stage.js';

/** The server answers within 10.2 s; this process, busy with origin and signals beside it, may notice later. */
const IN_TIME_MS = 12_000;
const AT_A_TIME = 6;
const HTML = Buffer.from(
  `<!doctype html><title>Not found</title>${'<p>Nothing to hear here.</p>'.repeat(500)}`,
);

const house = await stage(t);
const { origin } = house;
const node = await NodeClient.connect(house.server.port);
t.teardown(() => {
  node.close();
});
const song = oggOpus(sweep(6));

const DAMAGE: Readonly<Record<string, (whole: Buffer, at: number) => Buffer>> = {
  'cut in the middle': (whole) => whole.subarray(0, whole.length >> 1),
  'cut in its head': (whole) => whole.subarray(0, 60),
  'noise behind its head': (whole, at) =>
    Buffer.concat([whole.subarray(0, whole.length >> 2), seededBytes((whole.length * 3) >> 2, at)]),
  'a hole of zeros': (whole) => Buffer.from(whole).fill(0, whole.length >> 1, (whole.length * 3) >> 2),
};

// In a test of their own, so that the last one comes after all of them.
t.test('what an origin does wrong', { jobs: 3, timeout: 55_000 }, (t) => {
  t.test(
    'a URL that yields no track is an error with its code, in time',
    { timeout: 30_000, buffered: true },
    async (t) => {
      const wav = { contentType: 'audio/wav' };
      origin.file('/page.mp3', { body: HTML, contentType: 'text/html; charset=utf-8' });
      origin.file('/page-as-audio.mp3', { body: HTML, contentType: 'audio/mpeg' });
      origin.file('/empty.mp3', { body: new Uint8Array(0) });
      origin.file('/drip.wav', { body: fixture('wav', 2).bytes, ...wav, drip: { bytes: 1, everyMs: 900 } });
      origin.file('/stall.wav', { body: fixture('wav', 2).bytes, ...wav, stallAt: often(10) });
      origin.file('/dies.wav', { body: fixture('wav', 2).bytes, ...wav, dieAt: often(0) });
      origin.silent('/silent.mp3');
      origin.endless('/zeros.mp3');
      for (const code of [401, 403, 404, 410, 429, 500, 503])
        origin.status(`/status-${String(code)}.mp3`, code);
      for (let n = 0; n < 9; n++) origin.redirect(`/hop-${String(n)}`, `/hop-${String(n + 1)}`);
      origin.redirect('/circle', '/circle', 301);
      origin.redirect('/to-private', 'http://10.0.0.1/song.mp3', 307);
      origin.redirect('/to-metadata', 'http://169.254.169.254/latest', 302);
      origin.redirect('/to-loopback', `http://127.0.0.2:${String(origin.port)}/song.opus`);
      origin.redirect('/to-file', 'file:///etc/passwd');
      origin.redirect('/to-nothing', '');
      origin.handle('/headers.mp3', (_request, response) => {
        response.writeHead(200, { 'x-long': 'x'.repeat(64 * 1024) }).end();
      });
      origin.handle('/nonsense.mp3', ({ socket }) => socket.end('NONSENSE\r\n\r\n'));

      const ROWS: readonly (readonly [string, RegExp])[] = [
        [`http://127.0.0.1:${String(await closedPort())}/song.mp3`, /PUM_SOURCE_CONNECT/],
        ['http://nowhere.invalid/song.mp3', /PUM_SOURCE_RESOLVE/],
        [origin.url('/page.mp3'), /PUM_FORMAT_UNKNOWN/],
        [origin.url('/page-as-audio.mp3'), /PUM_FORMAT_UNKNOWN/],
        [origin.url('/empty.mp3'), /PUM_FORMAT_UNKNOWN/],
        [origin.url('/drip.wav'), /PUM_LOAD_DEADLINE/],
        [origin.url('/stall.wav'), /PUM_(SOURCE_TIMEOUT|LOAD_DEADLINE)/],
        [origin.url('/dies.wav'), /PUM_(SOURCE_BROKEN|LOAD_DEADLINE)/],
        [origin.url('/silent.mp3'), /PUM_SOURCE_TIMEOUT/],
        [origin.url('/zeros.mp3'), /PUM_FORMAT_UNKNOWN/],
        ...[401, 403, 404, 410, 429, 500, 503].map(
          (code) => [origin.url(`/status-${String(code)}.mp3`), /PUM_SOURCE_(STATUS|NOT_FOUND)/] as const,
        ),
        [origin.url('/hop-0'), /PUM_SOURCE_REDIRECTS/],
        [origin.url('/circle'), /PUM_SOURCE_REDIRECTS/],
        [origin.url('/to-private'), /PUM_SOURCE_REFUSED/],
        [origin.url('/to-metadata'), /PUM_SOURCE_REFUSED/],
        [origin.url('/to-loopback'), /PUM_SOURCE_REFUSED/],
        [origin.url('/to-file'), /PUM_SOURCE_(URL|REFUSED)/],
        [origin.url('/to-nothing'), /PUM_SOURCE_/],
        [origin.url('/headers.mp3'), /PUM_SOURCE_BROKEN/],
        [origin.url('/nonsense.mp3'), /PUM_SOURCE_(BROKEN|CONNECT)/],
      ];
      await Promise.all(
        ROWS.flatMap(([identifier, code], at) => [
          load(identifier).then((answer) => {
            const body = answer.body as { loadType: string };
            t.match(body, { loadType: /^(error|empty)$/ }, identifier);
            if (body.loadType === 'error') t.match(JSON.stringify(body), code, identifier);
            else t.match(identifier, /status-4/, `${identifier}: nothing there`);
            inTime(t, answer, identifier);
          }),
          patchIdentifier(`34000000000000${String(1_000 + at)}`, identifier).then((answer) => {
            t.ok(answer.status >= 400, `${identifier} by PATCH: ${String(answer.status)}`);
            t.match(JSON.stringify(answer.body), /PUM_(SOURCE|FORMAT|LOAD)_/, identifier);
            inTime(t, answer, identifier);
          }),
        ]),
      );
    },
  );

  t.test('noise is no track, whatever it calls itself', { timeout: 30_000, buffered: true }, async (t) => {
    const types = [...new Set(FIXTURE_NAMES.map((name) => fixture(name, 2).contentType)), 'text/plain'];
    const urls = types.flatMap((contentType, at) =>
      [1, 1_000, 200_000].map((length) => {
        const path = `/noise-${String(at)}-${String(length)}`;
        origin.file(path, { body: seededBytes(length, at * 7 + length), contentType });
        return origin.url(path);
      }),
    );
    const answers = await Promise.all(urls.map(load));
    for (const [at, answer] of answers.entries()) {
      const url = urls[at] ?? '';
      t.match(answer.body, { loadType: 'error' }, url);
      t.match(JSON.stringify(answer.body), /PUM_(FORMAT|SOURCE)_/, url);
      inTime(t, answer, url);
    }
  });

  for (const [damage, apply] of Object.entries(DAMAGE)) {
    t.test(
      `${damage}: every format ends with its events or is refused`,
      { timeout: 60_000, buffered: true },
      async (t) => {
        const kind = Object.keys(DAMAGE).indexOf(damage);
        for (let at = 0; at < FIXTURE_NAMES.length; at += AT_A_TIME) {
          await Promise.all(FIXTURE_NAMES.slice(at, at + AT_A_TIME).map(play));
        }

        async function play(name: FixtureName): Promise<void> {
          const { bytes, contentType, extension } = fixture(name, 2);
          const number = FIXTURE_NAMES.indexOf(name);
          const path = `/damage-${String(kind)}-${name}.${extension}`;
          origin.file(path, { body: apply(bytes, number), contentType });
          const answer = await load(origin.url(path));
          inTime(t, answer, path);
          const { loadType, data } = answer.body as { loadType: string; data: { encoded?: string } };
          if (data.encoded === undefined) {
            t.equal(loadType, 'error', path);
            t.match(JSON.stringify(data), /PUM_(FORMAT|SOURCE|DECODE)_/, path);
            return;
          }
          const guild = `34${String(kind)}000000000001${String(100 + number)}`;
          await node.join(guild, house.voice.endpoint);
          await node.play(guild, data.encoded);
          const end = await node.waitForEvent(guild, 'TrackEndEvent');
          t.match(end, { reason: /^(finished|loadFailed)$/ }, path);
          const [first, ...rest] = node.events(guild);
          t.equal(first, 'TrackStartEvent', path);
          t.ok(
            rest.length === 1 || (rest.length === 2 && rest[0] === 'TrackExceptionEvent'),
            rest.join(', '),
          );
          t.match(house.voice.report(guild), { missing: 0, duplicates: 0, bad: 0, nonceReuses: 0 }, path);
          await node.must('DELETE', node.player(guild));
        }
      },
    );
  }

  for (const dieWith of ['reset', 'end'] as const) {
    t.test(
      `a connection that drops (${dieWith}) is taken up again, unheard`,
      { timeout: 30_000, buffered: true },
      async (t) => {
        const guild = dieWith === 'end' ? '340000000000000003' : '340000000000000004';
        const path = `/drops-${dieWith}.opus`;
        origin.file(path, { body: song, contentType: 'audio/ogg', etag: '"1"' });
        const track = await node.load(origin.url(path));
        // The load had connections of its own; those of the player drop.
        origin.file(path, {
          body: song,
          contentType: 'audio/ogg',
          etag: '"1"',
          dieWith,
          dieAt: [20_000, 30_000, 1],
        });
        await node.join(guild, house.voice.endpoint);
        await node.play(guild, track);
        await node.waitForEvent(guild, 'TrackEndEvent');
        t.same(node.events(guild), ['TrackStartEvent', 'TrackEndEvent finished']);
        await house.voice.waitForSilence(guild);
        const heard = soundOf(house.voice.frames(guild));
        const packets = await packetsOf(song);
        t.equal(heard.length, packets.length);
        t.ok(
          heard.every((frame, at) => frame.equals(packets[at] ?? Buffer.alloc(0))),
          'byte for byte',
        );
        const asked = origin.requests.filter((request) => request.path === path && request.headers.range);
        t.ok(asked.length >= 3, `${String(asked.length)} requests for a part`);
        t.match(house.voice.report(guild), { missing: 0, violations: [] });
      },
    );
  }

  t.test('a redirect that leads to a track is followed', { timeout: 20_000, buffered: true }, async (t) => {
    origin.file('/moved.opus', { body: song, contentType: 'audio/ogg' });
    origin.redirect('/three', '/two', 301);
    origin.redirect('/two', origin.url('/one'), 307);
    origin.redirect('/one', 'moved.opus', 308);
    const { body } = await load(origin.url('/three'));
    t.match(body, { loadType: 'track', data: { info: { length: 6_000, isSeekable: true } } });
  });

  t.end();
});

t.test('afterwards the server answers, and ends with 0 on SIGTERM', { timeout: 40_000 }, async (t) => {
  t.match(await node.text('/version'), /^\d+\.\d+\.\d+/);
  await origin.socketsGone(5_000);
  t.equal(await house.server.stop('SIGTERM'), 0);
});

function load(identifier: string): Promise<RestAnswer> {
  return node.ask('GET', `/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`);
}

function patchIdentifier(guild: string, identifier: string): Promise<RestAnswer> {
  return node.ask('PATCH', `${node.player(guild)}?trace=true`, { track: { identifier } });
}

function inTime(
  t: { ok: (passes: boolean, name: string) => unknown },
  answer: RestAnswer,
  what: string,
): void {
  t.ok(answer.ms < IN_TIME_MS, `${what}: ${answer.ms.toFixed(0)} ms`);
}

/** The same for every answer that a test asks for. */
function often(bytes: number): number[] {
  return Array<number>(100).fill(bytes);
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
