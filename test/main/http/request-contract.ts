// Contract of an HTTP engine, part two: requests, replies, deadlines, clients that go away
// (src/main/http/engine.ts; reliability.md case 23).
import type { Test } from 'tap';

import type { EngineFactory, Reply } from '../../../src/main/http/engine.js';
import { ServerError } from '../../../src/shared/errors.js';
import { ManualClock } from '../../support/manual-clock.js';
import { Bench, later, text, type EngineTraits } from './engine-bench.js';

const timeout = 10_000;

export async function requestContract(t: Test, factory: EngineFactory, traits: EngineTraits): Promise<void> {
  await t.test('a handler sees path and query as they were sent', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', '/a%20b//..?x=%41+b&y=%2B?z');
    await client.reply();
    t.match(bench.requests[0], { method: 'GET', path: '/a%20b//..', query: 'x=%41+b&y=%2B?z' });
    client.request('DELETE', '/plain');
    await client.reply();
    t.match(bench.requests[1], { method: 'DELETE', path: '/plain', query: '' });
    t.equal(bench.requests[1]?.body.length, 0);
  });

  await t.test('header names are lower case and repeated values joined', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', '/', ['X-One: 1', 'Authorization: first', 'x-one: 2', 'AUTHORIZATION: second']);
    await client.reply();
    const request = bench.requests[0];
    t.equal(request?.header('x-one'), '1, 2');
    t.equal(request?.header('authorization'), 'first');
    t.equal(request?.headers.get('host'), 'test');
    t.equal(request?.header('absent'), null);
  });

  await t.test('a header value has one character for each byte', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', '/', ['Authorization: p\u00e4\u00ffq']);
    await client.reply();
    t.equal(bench.requests[0]?.header('authorization'), 'p\u00e4\u00ffq');
  });

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    await t.test(`${method} brings its whole body, counted or in chunks`, { timeout }, async (t) => {
      const bench = await Bench.start(t, factory);
      const client = await bench.connect(t);
      client.request(method, '/counted', ['Content-Length: 6'], 'abc');
      client.send('def');
      await client.reply();
      client.request(method, '/chunked', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n');
      client.send('2\r\nde\r\n0\r\n\r\n');
      await client.reply();
      t.same(
        bench.requests.map(({ body }) => Buffer.from(body).toString()),
        ['abcdef', 'abcde'],
      );
    });
  }

  await t.test('status, headers and body of a reply arrive as given', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const replies: Reply[] = [
      {
        status: 404,
        headers: { 'Lavalink-Api-Version': '4', 'X-Two': 'b' },
        body: 'na\u00efve \ud83c\udfb5',
      },
      { status: 200, headers: {}, body: Uint8Array.of(0x61, 0xc3, 0xa4) },
      { status: 200, headers: {}, body: '' },
    ];
    bench.onRequest = () => replies[bench.requests.length - 1] ?? text('');
    const client = await bench.connect(t);
    client.request('GET', '/');
    const first = await client.reply();
    t.equal(first?.status, 404);
    t.equal(first?.headers.get('lavalink-api-version'), '4');
    t.equal(first?.headers.get('x-two'), 'b');
    t.equal(first?.body, 'na\u00efve \ud83c\udfb5');
    client.request('GET', '/');
    t.equal((await client.reply())?.body, 'a\u00e4');
    client.request('GET', '/');
    const empty = await client.reply();
    t.equal(empty?.headers.get('content-length'), '0');
  });

  await t.test('204 has neither body nor length, and the connection lives on', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onRequest = ({ path }) => (path === '/gone' ? { status: 204, headers: {}, body: '' } : text(path));
    const client = await bench.connect(t);
    client.request('DELETE', '/gone');
    const reply = await client.reply();
    t.equal(reply?.status, 204);
    t.equal(reply?.headers.has('content-length'), false);
    client.request('GET', '/next');
    t.equal((await client.reply())?.body, '/next');
  });

  await t.test('HEAD is answered with the length but without the body', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('HEAD', '/twelve-byte');
    const reply = await client.reply(true);
    t.equal(reply?.headers.get('content-length'), '12');
    client.request('GET', '/next');
    t.equal((await client.reply())?.body, '/next', 'nothing stood between the replies');
  });

  await t.test('a hundred pipelined requests are answered in order', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onRequest = async ({ path }) => text(await Promise.resolve(path));
    const client = await bench.connect(t);
    const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
    client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join(''));
    const bodies = [];
    for (const path of paths) bodies.push(path === (await client.reply())?.body);
    t.equal(bodies.filter(Boolean).length, 100);
  });

  const behind = traits.queuesPipelined ? 'waits for it' : 'ends the connection, unanswered';
  await t.test(`a request pipelined behind a slow one ${behind}`, { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const { reply, resolve } = later();
    bench.onRequest = ({ path }) => (path === '/slow' ? reply : text(path));
    const client = await bench.connect(t);
    client.send('GET /slow HTTP/1.1\r\nHost: test\r\n\r\nGET /fast HTTP/1.1\r\nHost: test\r\n\r\n');
    if (traits.queuesPipelined) {
      await bench.until(() => bench.requests.length > 0);
      resolve(text('/slow'));
      t.equal((await client.reply())?.body, '/slow');
      t.equal((await client.reply())?.body, '/fast');
      return;
    }
    t.equal(await client.reply(), null);
    resolve(text('late'));
    t.same(
      bench.finishedWith.map(({ path, status }) => `${path} ${status}`),
      ['/slow 499'],
    );
  });

  await t.test('a handler that throws or rejects is answered through failure', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onRequest = ({ path }) => {
      if (path === '/throws') throw new ServerError('PUM_SESSION_NOT_FOUND');
      return Promise.reject(new TypeError('broken'));
    };
    const client = await bench.connect(t);
    client.request('GET', '/throws?trace');
    const thrown = await client.reply();
    t.match(thrown, { status: 404, body: 'PUM_SESSION_NOT_FOUND' });
    t.equal(thrown?.headers.get('x-failure'), 'PUM_SESSION_NOT_FOUND');
    client.request('POST', '/rejects', ['Content-Length: 1'], 'x');
    t.match(await client.reply(), { status: 500, body: 'PUM_HTTP_INTERNAL' });
    t.match(bench.failures[0]?.line, { method: 'GET', path: '/throws', query: 'trace' });
    t.match(bench.failures[1]?.error, { message: 'broken' });
  });

  await t.test('a handler past its deadline is stopped and answered 504, once', { timeout }, async (t) => {
    const clock = new ManualClock();
    const bench = await Bench.start(t, factory, { clock });
    const { reply, resolve } = later();
    bench.onRequest = ({ path }) => (path === '/slow' ? reply : text(path));
    bench.deadlineMs = 2_000;
    const client = await bench.connect(t);
    client.request('GET', '/slow');
    await bench.until(() => bench.requests.length === 1);
    const signal = bench.requests[0]?.signal;
    clock.advance(1_999);
    t.equal(signal?.aborted, false);
    clock.advance(1);
    t.match(await client.reply(), { status: 504, body: 'PUM_HTTP_DEADLINE' });
    t.equal(signal?.aborted, true);
    t.match(signal?.reason, { code: 'PUM_HTTP_DEADLINE' });

    resolve(text('late'));
    client.request('GET', '/next');
    t.equal((await client.reply())?.body, '/next', 'the late answer was not written');
    t.equal(clock.pending, 0);
    t.same(
      bench.finishedWith.map(({ path, status, ms }) => ({ path, status, ms })),
      [
        { path: '/slow', status: 504, ms: 2_000 },
        { path: '/next', status: 200, ms: 0 },
      ],
    );
  });

  await t.test(
    'work is stopped when its client goes away, and nothing is written',
    { timeout },
    async (t) => {
      const clock = new ManualClock();
      const bench = await Bench.start(t, factory, { clock });
      const { reply, resolve } = later();
      bench.onRequest = () => reply;
      const client = await bench.connect(t);
      client.request('GET', '/abandoned');
      await bench.until(() => bench.requests.length === 1);
      const signal = bench.requests[0]?.signal;
      const aborted = new Promise((done) => signal?.addEventListener('abort', done));
      t.equal(bench.engine.inFlight, 1);
      const left = performance.now();
      client.destroy();
      await aborted;
      // Promised are 100 ms; threefold slack for a busy machine.
      t.ok(performance.now() - left < 300);
      await bench.until(() => bench.finishedWith.length === 1);
      t.notOk(signal?.reason instanceof ServerError);
      t.match(bench.finishedWith, [{ path: '/abandoned', status: 499 }]);
      t.equal(bench.engine.inFlight, 0);
      t.equal(clock.pending, 0, 'no deadline is left behind');
      resolve(text('late'));
      await reply;
      t.equal(bench.failures.length, 0);
      t.equal(bench.finishedWith.length, 1);
    },
  );

  await t.test('a signal looked at after the client left is aborted already', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onRequest = () => later().reply;
    const client = await bench.connect(t);
    client.request('GET', '/');
    await bench.until(() => bench.requests.length === 1);
    client.destroy();
    await bench.until(() => bench.finishedWith.length === 1);
    t.equal(bench.requests[0]?.signal.aborted, true);
  });

  await t.test(
    'a client that leaves in the middle of its body never reaches the handler',
    { timeout },
    async (t) => {
      const bench = await Bench.start(t, factory);
      const client = await bench.connect(t);
      client.request('POST', '/half', ['Content-Length: 10'], 'abc');
      client.socket.end();
      await bench.until(() => bench.finishedWith.length === 1);
      t.equal(bench.requests.length, 0);
      t.not(bench.finishedWith[0]?.status, 200);
    },
  );

  await t.test(
    'two hundred answered requests leave no timer and nothing in flight',
    { timeout },
    async (t) => {
      const clock = new ManualClock();
      const bench = await Bench.start(t, factory, { clock });
      bench.onRequest = async ({ path }) => {
        await new Promise(setImmediate);
        return text(path);
      };
      const clients = await Promise.all(Array.from({ length: 20 }, () => bench.connect(t)));
      for (let round = 0; round < 10; round++) {
        for (const client of clients) client.request('GET', `/${round}`);
        for (const client of clients) t.equal((await client.reply())?.body, `/${round}`);
      }
      t.equal(clock.pending, 0);
      t.equal(bench.engine.inFlight, 0);
      t.equal(bench.finishedWith.filter(({ status }) => status === 200).length, 200);
    },
  );
}
