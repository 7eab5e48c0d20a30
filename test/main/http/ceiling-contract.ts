// Contract of an HTTP engine, part three: what is too long, too many or malformed is refused before a handler
// sees it (src/main/http/engine.ts; reliability.md cases 22 and 24).
import fc from 'fast-check';
import type { Test } from 'tap';

import type { EngineFactory } from '../../../src/main/http/engine.js';
import { EDGE } from '../../../src/shared/limits.js';
import { Bench, type EngineTraits } from './engine-bench.js';

const timeout = 10_000;

export async function ceilingContract(t: Test, factory: EngineFactory, traits: EngineTraits): Promise<void> {
  await t.test('a body announced above the ceiling is refused unread', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('POST', '/', ['Content-Length: 100000000']);
    t.match(await client.reply(), { status: 413, body: 'PUM_HTTP_BODY_TOO_LARGE' });
    await client.closed;
    t.equal(bench.requests.length, 0);
  });

  await t.test('a body in chunks is cut where it exceeds the ceiling', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory, { maxBody: 1_000 });
    const client = await bench.connect(t);
    const chunk = `64\r\n${'x'.repeat(100)}\r\n`;
    client.request('POST', '/', ['Transfer-Encoding: chunked'], chunk.repeat(10));
    client.send('1\r\nx\r\n');
    t.match(await client.reply(), { status: 413, body: 'PUM_HTTP_BODY_TOO_LARGE' });
    await client.closed;
    t.equal(bench.requests.length, 0);
    t.match(bench.finishedWith, [{ status: 413 }]);
  });

  await t.test('a body of exactly the ceiling passes, counted or in chunks', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory, { maxBody: 70_000 });
    const client = await bench.connect(t);
    client.request('POST', '/', ['Content-Length: 70000'], 'x'.repeat(70_000));
    t.equal((await client.reply())?.status, 200);
    const halves = `88b8\r\n${'x'.repeat(35_000)}\r\n`.repeat(2);
    client.request('POST', '/', ['Transfer-Encoding: chunked'], `${halves}0\r\n\r\n`);
    t.equal((await client.reply())?.status, 200);
    t.same(
      bench.requests.map(({ body }) => body.length),
      [70_000, 70_000],
    );
  });

  await t.test('a body in ten thousand chunks of one byte is one body', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('POST', '/', ['Transfer-Encoding: chunked'], `${'1\r\nx\r\n'.repeat(10_000)}0\r\n\r\n`);
    t.equal((await client.reply())?.status, 200);
    t.equal(bench.requests[0]?.body.length, 10_000);
  });

  for (const lengths of [['abc'], ['-1'], ['1e3'], ['99999999999999999999'], ['3', '5']]) {
    const answered = traits.answersBrokenLengths || lengths.length > 1;
    const outcome = answered ? 'is 400' : 'ends the connection';
    await t.test(`Content-Length ${lengths.join(' and ')} ${outcome}`, { timeout }, async (t) => {
      const bench = await Bench.start(t, factory);
      const client = await bench.connect(t);
      client.request(
        'POST',
        '/',
        lengths.map((length) => `Content-Length: ${length}`),
      );
      const reply = await client.reply();
      t.equal(reply?.status ?? null, answered ? 400 : null);
      await client.closed;
      t.equal(bench.requests.length, 0);
    });
  }

  await t.test('a header block above 8 KiB is 431', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', '/', [`X-Long: ${'x'.repeat(EDGE.maxHeaders)}`]);
    t.equal((await client.reply())?.status, 431);
    t.equal(bench.requests.length, 0);
  });

  const many = Math.min(EDGE.maxHeaderCount, traits.maxHeaderCount);
  await t.test(`${many} headers pass`, { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    // Host is one of them.
    client.request('GET', '/', headers(many - 1));
    t.equal((await client.reply())?.status, 200);
    t.equal(bench.requests[0]?.headers.size, many);
  });

  if (traits.maxHeaderCount > EDGE.maxHeaderCount) {
    await t.test('one header more than the ceiling is 431', { timeout }, async (t) => {
      const bench = await Bench.start(t, factory);
      const client = await bench.connect(t);
      client.request('GET', '/', headers(EDGE.maxHeaderCount));
      t.equal((await client.reply())?.status, 431);
      t.equal(bench.requests.length, 0);
    });
  }

  await t.test('a target of 8 KiB passes and one byte more is 414', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    const query = 'x'.repeat(EDGE.maxUrl - '/a?'.length);
    client.request('GET', `/a?${query}`);
    t.equal((await client.reply())?.status, 200);
    t.equal(bench.requests[0]?.query, query);
    client.request('GET', `/a?${query}x`);
    t.match(await client.reply(), { status: 414, body: 'PUM_HTTP_URL_TOO_LONG' });
    t.equal(bench.requests.length, 1);
  });

  await t.test('a path segment of 256 bytes passes and one byte more is 400', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', `/a/${'x'.repeat(256)}/b`);
    t.equal((await client.reply())?.status, 200);
    client.request('GET', `/a/${'x'.repeat(257)}`);
    t.equal((await client.reply())?.status, 400);
    client.request('GET', `/${'x'.repeat(257)}/a`);
    t.equal((await client.reply())?.status, 400);
    t.equal(bench.requests.length, 1);
  });

  await t.test('CONNECT is 405', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('CONNECT', '/somewhere');
    t.match(await client.reply(), { status: 405, body: 'PUM_HTTP_METHOD' });
    t.match(bench.failures[0]?.line, { method: 'CONNECT', path: '/somewhere' });
    t.equal(bench.requests.length, 0);
  });

  const unknown = traits.answersUnknownMethods ? 'is 405' : 'ends the connection';
  await t.test(`a method that HTTP does not know ${unknown}`, { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('BREW', '/');
    const reply = await client.reply();
    t.equal(reply?.status ?? null, traits.answersUnknownMethods ? 405 : null);
    t.equal(bench.requests.length, 0);
  });

  await t.test('random bytes harm nobody else', { timeout: 30_000 }, async (t) => {
    const bench = await Bench.start(t, factory);
    const line = fc.constantFrom(
      'GET / HTTP/1.1',
      'Host: x',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      '',
    );
    const noise = fc.oneof(
      fc.array(line, { maxLength: 6 }).map((lines) => `${lines.join('\r\n')}\r\n`),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { minLength: 1, maxLength: 4 }), async (parts) => {
        const hostile = await bench.connect(t);
        const client = await bench.connect(t);
        for (const part of parts) hostile.send(part);
        client.request('GET', '/good');
        const reply = await client.reply();
        hostile.destroy();
        client.destroy();
        return reply?.body === '/good';
      }),
      { numRuns: 100 },
    );
    await bench.until(() => bench.engine.inFlight === 0);
    t.pass();
  });
}

function headers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `X-${index}: 1`);
}
