// One exchange: what is asked, what is never read, how it ends. Everything speaks to 127.0.0.1. Reliability
// case 34.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';

import { systemClock } from '../../../src/shared/clock.js';
import type { ServerError } from '../../../src/shared/errors.js';
import type { Dial } from '../../../src/shard/source/dial.js';
import { loopbackCertificate } from '../../support/certificate.js';
import { failure, never, opened, readAll, testClient, testSource } from '../../support/http-source.js';
import { ManualClock } from '../../support/manual-clock.js';
import { Origin } from '../../support/origin.js';
import { seededBytes } from '../../support/seeded.js';
import { TcpFault } from '../../support/tcp-fault.js';

const limit = { timeout: 10_000 };

/** Resolves when `count` sockets that `dial` makes have been closed. */
function countedDial(): { dial: (to: { address: string }, port: number) => Socket; open: Set<Socket> } {
  const open = new Set<Socket>();
  return {
    open,
    dial: ({ address: host }, port) => {
      const socket = connect({ host, port });
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      return socket;
    },
  };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 1_000) throw new Error('it never came about');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

t.test(
  'a request asks for the bytes as they are, names the host, and sends nothing secret',
  limit,
  async (t) => {
    const origin = await Origin.start();
    t.teardown(() => origin.close());
    origin.file('/a.mp3?x=1', new Uint8Array(10));
    const media = await opened(testSource(), `${origin.url('/a.mp3?x=1')}#fragment`);
    media.bytes.close();
    const [request] = origin.requests;
    t.equal(request?.path, '/a.mp3?x=1');
    t.match(request?.headers, {
      host: `127.0.0.1:${origin.port}`,
      'accept-encoding': 'identity',
      accept: '*/*',
    });
    t.strictSame(
      ['authorization', 'cookie', 'referer', 'range', 'icy-metadata'].filter(
        (name) => request?.headers[name] !== undefined,
      ),
      [],
    );
  },
);

t.test('a name is sent as Host while the judged address is dialled', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/a.mp3', new Uint8Array(10));
  let asked = 0;
  const resolver = async (): Promise<string[]> => {
    asked++;
    return ['127.0.0.1'];
  };
  const media = await opened(testSource({ resolver }), `http://station.example.com:${origin.port}/a.mp3`);
  t.equal((await readAll(media)).length, 10);
  t.equal(origin.requests[0]?.headers.host, `station.example.com:${origin.port}`);
  t.equal(asked, 1);
});

t.test('an answer in any other encoding than identity is refused and not read', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  const zeros = Buffer.alloc(8 * 1024 * 1024);
  origin.file('/gzip', { body: gzipSync(zeros), headers: { 'content-encoding': 'gzip' } });
  origin.file('/brotli', { body: brotliCompressSync(zeros), headers: { 'content-encoding': 'br' } });
  origin.file('/stacked', {
    body: gzipSync(zeros),
    headers: { 'content-encoding': 'gzip, gzip, br, gzip, gzip, deflate' },
  });
  for (const path of ['/gzip', '/brotli', '/stacked']) {
    const error = await failure(testSource().resolve(origin.url(path), never));
    t.equal(error.code, 'PUM_SOURCE_STATUS', path);
    t.match(error.chain().join(), 'content-encoding');
  }
  await origin.socketsGone();
});

t.test('an endless body is held back, read or not', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.endless('/endless');
  const media = await opened(testSource(), origin.url('/endless'));
  // Until the kernel's buffers are full as well.
  let sent = -1;
  await until(() => origin.bytesSent === sent || ((sent = origin.bytesSent), false));
  let read = 0;
  while (read < 32 * 1024 * 1024) read += (await media.bytes.read(read, 65_536, never))?.length ?? 0;
  t.ok(origin.bytesSent - read < 16 * 1024 * 1024, `${origin.bytesSent - read} bytes ahead of the reader`);
  t.equal(media.bytes.size, null);
  t.notOk(media.bytes.seekable);
  media.bytes.close();
  await origin.socketsGone();
});

t.test('ten thousand header fields and an endless status line are cut off', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.handle('/headers', ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    for (let i = 0; i < 10_000; i++) socket.write(`x-header-${i}: ${i}\r\n`);
    socket.write('\r\n');
  });
  const lines: Socket[] = [];
  origin.handle('/line', ({ socket }) => {
    lines.push(socket);
    socket.write('HTTP/1.1 200 ');
    const more = (): void => {
      if (!socket.destroyed) socket.write('A'.repeat(65_536), () => setImmediate(more));
    };
    more();
  });
  t.equal((await failure(testSource().resolve(origin.url('/headers'), never))).code, 'PUM_SOURCE_BROKEN');
  const hasty = testSource({ timeouts: { firstByte: 20_000 } });
  t.equal((await failure(hasty.resolve(origin.url('/line'), never))).code, 'PUM_SOURCE_TIMEOUT');
  await origin.socketsGone();
  t.equal(lines.length, 1);
});

t.test('what is no HTTP at all is a broken source', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.handle('/junk', ({ socket }) => void socket.end('220 mail.example.com ESMTP\r\n'));
  origin.handle('/nothing', ({ socket }) => void socket.end());
  origin.handle('/half', ({ socket }) => void socket.end('HTTP/1.1 20'));
  t.equal((await failure(testSource().resolve(origin.url('/junk'), never))).code, 'PUM_SOURCE_BROKEN');
  t.equal((await failure(testSource().resolve(origin.url('/nothing'), never))).code, 'PUM_SOURCE_CONNECT');
  t.match(
    (await failure(testSource().resolve(origin.url('/half'), never))).code,
    /^PUM_SOURCE_(CONNECT|BROKEN)$/,
  );
});

t.test('a refused connection is told without its address', limit, async (t) => {
  const origin = await Origin.start();
  const url = origin.url('/');
  await origin.close();
  const error = await failure(testSource().resolve(url, never));
  t.equal(error.code, 'PUM_SOURCE_CONNECT');
  t.match(error.chain()[1], 'ECONNREFUSED');
  t.notMatch(error.chain().join(), '127.0.0.1');
});

t.test(
  'an origin that takes the request and stays silent is given up after the first-byte time',
  limit,
  async (t) => {
    const origin = await Origin.start();
    t.teardown(() => origin.close());
    origin.silent('/silent');
    const clock = new ManualClock();
    const source = testSource({ clock, timeouts: { connect: 1_000, firstByte: 5_000 } });
    const result = failure(source.resolve(origin.url('/silent'), never));
    await until(() => origin.requests.length === 1);
    clock.advance(4_999);
    t.equal(origin.openSockets, 1);
    clock.advance(1);
    const error = await result;
    t.equal(error.code, 'PUM_SOURCE_TIMEOUT');
    t.equal(error.parameters['ms'], 5_000);
    t.equal(clock.pending, 0);
    await origin.socketsGone();
  },
);

t.test('a connection that is never made is given up after the connect time', limit, async (t) => {
  const clock = new ManualClock();
  const { dial, open } = countedDial();
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  // TLS over a peer that never answers the first message.
  const source = testSource({ clock, timeouts: { connect: 3_000 }, dial: (to, port) => dial(to, port) });
  const result = failure(
    source.resolve(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`, never),
  );
  await until(() => open.size === 1 && clock.pending === 1);
  clock.advance(2_999);
  t.equal(open.size, 1);
  clock.advance(1);
  t.equal((await result).code, 'PUM_SOURCE_TIMEOUT');
  await until(() => open.size === 0);
});

t.test('an abort ends the wait at once, wherever it stands', limit, async (t) => {
  const origin = await Origin.start();
  const hole = await TcpFault.start({ port: origin.port });
  t.teardown(() => Promise.all([origin.close(), hole.close()]));
  hole.timeout();
  origin.silent('/silent');
  origin.file('/stalls', { body: new Uint8Array(1_000), stallAt: [500] });
  const reason = new Error('enough');
  const { dial, open } = countedDial();
  const source = testSource({ clock: systemClock, dial, resolver: () => new Promise(() => {}) });
  const cases: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    'while resolving': (signal) => source.resolve('http://slow.example.com/', signal),
    'while connected to a black hole': (signal) => source.resolve(`http://127.0.0.1:${hole.port}/`, signal),
    'while waiting for the headers': (signal) => source.resolve(origin.url('/silent'), signal),
    'while waiting for the body': async (signal) => {
      const media = await opened(source, origin.url('/stalls'));
      try {
        for (let at = 0; ;) at += (await media.bytes.read(at, 100, signal))?.length ?? 0;
      } finally {
        media.bytes.close();
      }
    },
  };
  for (const [where, work] of Object.entries(cases)) {
    const abort = new AbortController();
    const result = work(abort.signal).then(
      () => 'done',
      (error: unknown) => error,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    abort.abort(reason);
    t.equal(await result, reason, where);
    t.ok(performance.now() - start < 1_000, where);
  }
  await until(() => open.size === 0);
});

t.test('a radio that answers ICY 200 OK is understood, however its line is cut', limit, async (t) => {
  const origin = await Origin.start();
  const relay = await TcpFault.start({ port: origin.port, seed: 7 });
  t.teardown(() => Promise.all([origin.close(), relay.close()]));
  relay.slicer(1);
  const body = seededBytes(2_000, 3);
  const headers = {
    'icy-name': 'Radio One',
    'icy-url': 'http://radio.example.com',
    'content-type': 'audio/mpeg',
  };
  origin.icy('/live', body, headers);
  for (const port of [origin.port, relay.port]) {
    const media = await opened(testSource(), `icy://127.0.0.1:${port}/live`);
    t.match(media, { title: 'Radio One', author: 'http://radio.example.com', live: true });
    t.equal(media.location, `http://127.0.0.1:${port}/live`);
    t.same(Buffer.from(await readAll(media)), Buffer.from(body));
    media.bytes.close();
  }
});

t.test('a reset in a body without a length is not taken for its end', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.handle('/cut', ({ socket }) => {
    socket.write('HTTP/1.0 200 OK\r\n\r\nabc');
    setTimeout(() => socket.resetAndDestroy(), 20);
  });
  const client = testClient();
  const answer = await client.exchange(client.guard.checkUrl(origin.url('/cut')), {}, never);
  t.equal(Buffer.from((await answer.body.next(never)) ?? []).toString(), 'abc');
  t.equal((await failure(answer.body.next(never))).code, 'PUM_SOURCE_BROKEN');
});

t.test('closing a body closes its socket, and a read under way ends', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/a', { body: new Uint8Array(1_000_000), stallAt: [1_000] });
  const client = testClient();
  const answer = await client.exchange(client.guard.checkUrl(origin.url('/a')), {}, never);
  await answer.body.next(never);
  const reading = failure(answer.body.next(never));
  answer.body.close();
  t.equal((await reading).code, 'PUM_SOURCE_BROKEN');
  await origin.socketsGone();
});

t.test('a million chunks of one byte cost no more than the read-ahead', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.handle('/crumbs', ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    const piece = '1\r\nx\r\n'.repeat(10_000);
    let written = 0;
    const pour = (): void => {
      while (written < 1_000_000) {
        written += 10_000;
        if (!socket.write(piece)) return void socket.once('drain', pour);
      }
      socket.write('0\r\n\r\n');
    };
    pour();
  });
  const media = await opened(testSource(), origin.url('/crumbs'));
  const reads: number[] = [];
  let read = 0;
  for (let bytes; (bytes = await media.bytes.read(read, 65_536, never)) !== null; read += bytes.length) {
    reads.push(bytes.length);
    t.ok(bytes.every((byte) => byte === 0x78) || t.fail('a wrong byte'));
  }
  t.equal(read, 1_000_000);
  t.ok(reads.length < 10_000, `${reads.length} reads: the crumbs were gathered`);
  await origin.socketsGone();
});

t.test('the far end may go away in any way while it is held back', limit, async (t) => {
  const bodies = {
    'until close': 'HTTP/1.0 200 OK\r\n\r\n',
    counted: 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 300000\r\n\r\n',
  };
  for (const [kind, head] of Object.entries(bodies)) {
    for (const how of ['end', 'reset'] as const) {
      const origin = await Origin.start();
      t.teardown(() => origin.close());
      origin.handle('/a', ({ socket }) => {
        socket.write(head);
        socket.write(Buffer.alloc(300_000), () => {
          if (how === 'end') socket.end();
          else setTimeout(() => socket.resetAndDestroy(), 20);
        });
      });
      const client = testClient();
      const answer = await client.exchange(client.guard.checkUrl(origin.url('/a')), {}, never);
      await new Promise((resolve) => setTimeout(resolve, 100));
      let read = 0;
      let error: ServerError | null = null;
      try {
        for (let chunk; (chunk = await answer.body.next(never)) !== null;) read += chunk.length;
      } catch (thrown) {
        error = thrown as ServerError;
      }
      if (how === 'end') t.equal(read, 300_000, kind);
      // Node may report the reset of a paused socket as its end, and only a length can tell.
      else if (kind === 'counted') t.equal(error?.code, 'PUM_SOURCE_BROKEN', kind);
      answer.body.close();
      await origin.socketsGone();
    }
  }
});

t.test('a certificate is checked against the name while the judged address is dialled', limit, async (t) => {
  const { key, cert } = loopbackCertificate();
  const names: (string | false | null)[] = [];
  const server = createTlsServer({ key, cert }, (socket) => {
    names.push(socket.servername);
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const resolver = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
  const dial: Dial = ({ address: host }, to, servername) =>
    connectTls({ host, port: to, servername: servername ?? '', ca: cert });

  const trusting = testSource({ resolver, dial });
  const media = await opened(trusting, `https://localhost:${port}/`);
  t.equal(Buffer.from(await readAll(media)).toString(), 'ok');
  const literal = await opened(trusting, `https://127.0.0.1:${port}/`);
  literal.bytes.close();
  t.same(names, ['localhost', false]);

  const wrongName = await failure(trusting.resolve(`https://other.example.com:${port}/`, never));
  t.equal(wrongName.code, 'PUM_SOURCE_CONNECT');
  t.match(wrongName.chain()[1], 'ERR_TLS_CERT_ALTNAME_INVALID');
  const unknown = await failure(testSource({ resolver }).resolve(`https://localhost:${port}/`, never));
  t.equal(unknown.code, 'PUM_SOURCE_CONNECT');
  t.match(unknown.chain()[1], 'DEPTH_ZERO_SELF_SIGNED_CERT');
});
