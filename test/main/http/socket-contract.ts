// Contract of an HTTP engine, part four: WebSockets (src/main/http/engine.ts; reliability.md cases 26 and 27;
// lavalink-v4.md §2.1).
import { once } from 'node:events';
import type { Test } from 'tap';
import type { WebSocket } from 'ws';

import type { EngineFactory, SendResult, Socket } from '../../../src/main/http/engine.js';
import { ServerError } from '../../../src/shared/errors.js';
import { EDGE } from '../../../src/shared/limits.js';
import { Bench, type EngineTraits } from './engine-bench.js';

const timeout = 10_000;

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

export async function socketContract(t: Test, factory: EngineFactory, traits: EngineTraits): Promise<void> {
  await t.test('an accepted socket has its data, its headers and no extension', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onUpgrade = (request) => ({
      kind: 'accept',
      data: `for ${request.header('user-id') ?? ''}`,
      headers: { 'Session-Resumed': 'true', 'Lavalink-Api-Version': '4' },
    });
    const client = bench.dial(t, '/v4/websocket?x=%20', { headers: { 'User-Id': '42' } });
    const upgraded = once(client, 'upgrade');
    await once(client, 'open');
    const [response] = (await upgraded) as [{ headers: Record<string, string> }];
    t.equal(response.headers['session-resumed'], 'true');
    t.equal(response.headers['lavalink-api-version'], '4');
    t.equal(client.extensions, '', 'compression is not offered');
    t.match(bench.requests[0], { method: 'GET', path: '/v4/websocket', query: 'x=%20' });
    t.equal(bench.sockets[0]?.data, 'for 42');
    t.match(bench.finishedWith, [{ path: '/v4/websocket', status: 101 }]);
  });

  for (const status of [401, 403, 400, 503]) {
    await t.test(`a refused socket gets ${status}, its headers and no body`, { timeout }, async (t) => {
      const bench = await Bench.start(t, factory);
      bench.onUpgrade = () => ({
        kind: 'refuse',
        reply: { status, headers: { 'Retry-After': '5' }, body: '' },
      });
      const client = await bench.connect(t);
      client.request('GET', '/v4/websocket', HANDSHAKE);
      const reply = await client.reply();
      t.match(reply, { status, body: '' });
      t.equal(reply?.headers.get('content-length'), '0');
      t.equal(reply?.headers.get('retry-after'), '5');
      t.match(bench.finishedWith, [{ status }]);
      t.equal(bench.sockets.length, 0);
    });
  }

  await t.test('an upgrade handler that throws is answered through failure', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onUpgrade = () => {
      throw new ServerError('PUM_HTTP_SHUTTING_DOWN');
    };
    const client = await bench.connect(t);
    client.request('GET', '/', HANDSHAKE);
    t.match(await client.reply(), { status: 503, body: 'PUM_HTTP_SHUTTING_DOWN' });
  });

  await t.test('the ceilings hold for upgrades too', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', `/${'x'.repeat(257)}`, HANDSHAKE);
    t.equal((await client.reply())?.status, 400);
    client.request('GET', '/', HANDSHAKE.with(3, 'Sec-WebSocket-Version: 8'));
    t.equal((await client.reply())?.status, 400);
    t.equal(bench.requests.length, 0);
  });

  await t.test('without the Upgrade header it is an ordinary request', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const client = await bench.connect(t);
    client.request('GET', '/v4/websocket', HANDSHAKE.slice(1));
    t.match(await client.reply(), { status: 200, body: '/v4/websocket' });
    client.request('GET', '/v4/websocket', ['Upgrade: h2c', ...HANDSHAKE.slice(1)]);
    t.match(await client.reply(), { status: 200, body: '/v4/websocket' });
  });

  await t.test('text goes both ways, whole or in fragments', { timeout }, async (t) => {
    const { bench, client, received } = await connected(t, factory);
    bench.onMessage = (socket, message) => void socket.send(message);
    client.send('na\u00efve \ud83c\udfb5');
    client.send('frag', { fin: false });
    client.send('ment', { fin: false });
    client.send('ed', { fin: true });
    client.send('x'.repeat(EDGE.maxMessage));
    await bench.until(() => bench.messages.length === 3);
    while (received.length < 3) await once(client, 'message');
    t.same(received, ['na\u00efve \ud83c\udfb5', 'fragmented', 'x'.repeat(EDGE.maxMessage)]);
  });

  await t.test('a message in ten thousand fragments is one message', { timeout }, async (t) => {
    const { bench, client } = await connected(t, factory);
    for (let count = 1; count < 10_000; count++) client.send('x', { fin: false });
    client.send('x', { fin: true });
    await bench.until(() => bench.messages.length === 1);
    t.equal(bench.messages[0]?.length, 10_000);
  });

  await t.test('a message of 17 KiB is closed with 1009', { timeout }, async (t) => {
    const { bench, client } = await connected(t, factory);
    client.send('x'.repeat(17 * 1_024));
    const [code] = (await once(client, 'close')) as [number];
    t.equal(code, 1009);
    t.same(bench.messages, []);
    await bench.until(() => bench.closes.length === 1);
    t.match(bench.closes, [{ code: 1009, clean: true }]);
  });

  await t.test('a message far above the ceiling ends the socket', { timeout }, async (t) => {
    const { bench, client } = await connected(t, factory);
    client.send('x'.repeat(200 * 1_024));
    await once(client, 'close');
    await bench.until(() => bench.closes.length === 1);
    t.same(bench.messages, []);
  });

  await t.test('a binary message is closed with 1003', { timeout }, async (t) => {
    const { bench, client } = await connected(t, factory);
    client.send(Uint8Array.of(1, 2, 3));
    const [code] = (await once(client, 'close')) as [number];
    t.equal(code, 1003);
    t.same(bench.messages, []);
  });

  for (const [what, bytes] of [
    ['text that is not UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]],
    ...(traits.checksMasks ? ([['a frame without a mask', [0x81, 0x01, 0x61]]] as const) : []),
    ['a reserved bit', [0xc1, 0x81, 0, 0, 0, 0, 0x61]],
    ['a reserved opcode', [0x83, 0x81, 0, 0, 0, 0, 0x61]],
  ] as const) {
    await t.test(`${what} ends the socket`, { timeout }, async (t) => {
      const bench = await Bench.start(t, factory);
      const client = await bench.connect(t);
      client.request('GET', '/', HANDSHAKE);
      await bench.until(() => bench.sockets.length === 1);
      client.socket.write(Uint8Array.from(bytes));
      await client.closed;
      await bench.until(() => bench.closes.length === 1);
      t.same(bench.messages, []);
    });
  }

  await t.test('pings go out when asked for, and pongs are told of', { timeout }, async (t) => {
    const { bench, client, socket } = await connected(t, factory);
    const pinged = once(client, 'ping');
    socket.ping();
    await pinged;
    await bench.until(() => bench.pongs === 1);
    const ponged = once(client, 'pong');
    client.ping();
    await ponged;
    t.equal(bench.pongs, 1);
  });

  await t.test("the client's close code and reason are told", { timeout }, async (t) => {
    const { bench, client } = await connected(t, factory);
    client.close(4_001, 'done');
    await bench.until(() => bench.closes.length === 1);
    t.same(bench.closes, [{ code: 4_001, reason: 'done', clean: true }]);
  });

  await t.test('a client that vanishes is told of with 1006', { timeout }, async (t) => {
    const { bench, client } = await connected(t, factory);
    client.terminate();
    await bench.until(() => bench.closes.length === 1);
    t.match(bench.closes, [{ code: 1006, clean: false }]);
  });

  await t.test('our close carries code and reason, behind what was sent', { timeout }, async (t) => {
    const { bench, client, socket, received } = await connected(t, factory);
    const closed = once(client, 'close');
    t.equal(socket.send('last words'), 'sent');
    socket.close(4_000, 'bye');
    t.equal(bench.closes.length, 0, 'close is not called from inside close');
    t.equal(socket.send('too late'), 'closed');
    socket.close(4_002, 'again');
    const [code, reason] = (await closed) as [number, Buffer];
    t.same([code, reason.toString()], [4_000, 'bye']);
    t.same(received, ['last words']);
    t.same(bench.closes, [{ code: 4_000, reason: 'bye', clean: true }]);
  });

  await t.test('terminate cuts without a close frame', { timeout }, async (t) => {
    const { bench, client, socket } = await connected(t, factory);
    const closed = once(client, 'close');
    socket.terminate();
    t.equal(bench.closes.length, 0, 'close is not called from inside terminate');
    socket.ping();
    socket.terminate();
    t.equal(((await closed) as [number])[0], 1006);
    t.match(bench.closes, [{ code: 1006, clean: false }]);
    t.equal(socket.buffered, 0);
  });

  await t.test(
    'a reader that stops is closed at 1 MiB, and misses nothing before it',
    { timeout },
    async (t) => {
      const { bench, client, socket, received } = await connected(t, factory);
      const closed = once(client, 'close');
      client.pause();
      const message = (index: number) => `${index} ${'x'.repeat(1_000)}`;
      const results = new Map<SendResult, number>([
        ['sent', 0],
        ['queued', 0],
      ]);
      let accepted = 0;
      let highest = 0;
      for (;;) {
        const result = socket.send(message(accepted));
        if (result === 'closed' || accepted === 100_000) break;
        results.set(result, (results.get(result) ?? 0) + 1);
        accepted++;
        highest = Math.max(highest, socket.buffered);
        if (accepted % 100 === 0) await new Promise(setImmediate);
      }
      t.ok(
        highest <= EDGE.maxOutbox && highest > EDGE.maxOutbox - 2_000,
        `${highest} bytes at most were unsent`,
      );
      t.ok((results.get('queued') ?? 0) > 900, 'a thousand messages fill the outbox');
      t.equal(socket.send('more'), 'closed');
      await bench.until(() => bench.closes.length === 1);
      t.match(bench.closes, [{ code: 1008, clean: true }]);

      client.resume();
      t.equal(((await closed) as [number])[0], 1008);
      t.equal(received.length, accepted);
      t.ok(
        received.every((text, index) => text === message(index)),
        'all in order',
      );
      t.equal(bench.closes.length, 1);
    },
  );

  await t.test('a message above the whole outbox closes the socket', { timeout }, async (t) => {
    const { bench, client, socket } = await connected(t, factory);
    const closed = once(client, 'close');
    t.equal(socket.send('x'.repeat(EDGE.maxOutbox)), 'closed');
    t.equal(((await closed) as [number])[0], 1008);
    t.match(bench.closes, [{ code: 1008 }]);
  });

  await t.test(
    'a thousand sockets open, answer and close, each told of once',
    { timeout: 30_000 },
    async (t) => {
      const bench = await Bench.start(t, factory);
      bench.onMessage = (socket, message) => void socket.send(message);
      for (let round = 0; round < 10; round++) {
        const clients = Array.from({ length: 100 }, () => bench.dial(t));
        await Promise.all(
          clients.map(async (client) => {
            await once(client, 'open');
            client.send('hello');
            await once(client, 'message');
            client.close();
            await once(client, 'close');
          }),
        );
      }
      await bench.until(() => bench.closes.length === 1_000);
      t.equal(bench.sockets.length, 1_000);
      t.equal(bench.messages.length, 1_000);
    },
  );
}

interface Connected {
  readonly bench: Bench;
  readonly client: WebSocket;
  readonly socket: Socket<string>;
  readonly received: string[];
}

async function connected(t: Test, factory: EngineFactory): Promise<Connected> {
  const bench = await Bench.start(t, factory);
  const client = bench.dial(t);
  const received: string[] = [];
  client.on('message', (data: Buffer) => received.push(data.toString()));
  await once(client, 'open');
  const socket = bench.sockets[0];
  if (socket === undefined) throw new Error('open was not called');
  return { bench, client, socket, received };
}
