// What connections that are open and held back keep in memory, plain and TLS, and that sharing one buffer to
// read into mixes nothing up. Counted in ArrayBuffers after a collection; the origin here writes one buffer to
// all, so that what is counted is the client's. Everything speaks to 127.0.0.1.

import { once } from 'node:events';
import { createServer, type AddressInfo, type OnReadOpts, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as connectTls, type ConnectionOptions } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test as T } from 'tap';

import { SOURCE } from '../../../src/shared/limits.js';
import { dialAddress, readShared, type Dial } from '../../../src/shard/source/dial.js';
import type { HttpAnswer } from '../../../src/shard/source/http.js';
import { loopbackCertificate } from '../../support/certificate.js';
import { never, testClient } from '../../support/http-source.js';
import { seededBytes } from '../../support/seeded.js';

const limit = { timeout: 20_000 };
const COUNT = 50;
const body = Buffer.from(seededBytes(2_000_000, 9));

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of ArrayBuffers that are still in use. */
async function kept(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().arrayBuffers;
}

async function listening(t: T, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers `/N` with the body from its byte N on, so that no two answers begin alike. */
function answer(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.once('data', (request: Buffer) => {
    const part = body.subarray(Number(/^GET \/(\d+)/.exec(request.toString())?.[1]));
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${part.length}\r\n\r\n`);
    socket.write(part);
  });
}

/** Where the answers begin, bytes apart. */
const STEP = 4_001;

const dialTls =
  (ca: string): Dial =>
  ({ address: host }, port, servername) =>
    readShared((onread) => {
      const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
        host,
        port,
        servername: servername ?? '',
        ca,
        onread,
      };
      return connectTls(options);
    });

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** COUNT answers whose connections are all held back. */
async function heldBack(dial: Dial, url: string): Promise<readonly HttpAnswer[]> {
  const held = new Set<Socket>();
  const { promise: allHeld, resolve } = deferred();
  const watched: Dial = (...to) => {
    const socket = dial(...to);
    socket.on('pause', () => held.add(socket).size === COUNT && resolve());
    return socket;
  };
  const client = testClient({ dial: watched, resolver: () => Promise.resolve(['127.0.0.1']) });
  const exchange = (n: number): Promise<HttpAnswer> =>
    client.exchange(client.guard.checkUrl(url + String(n * STEP)), {}, new AbortController().signal);
  const answers = await Promise.all(Array.from({ length: COUNT }, (_, n) => exchange(n)));
  await allHeld;
  return answers;
}

/** Reads `chunks` chunks from all of them at once; each must give its own bytes. */
async function readOn(t: T, answers: readonly HttpAnswer[], chunks: number): Promise<void> {
  const positions = answers.map((_, n) => n * STEP);
  let right = true;
  for (let round = 0; round < chunks; round++) {
    const read = await Promise.all(answers.map(({ body }) => body.next(new AbortController().signal)));
    for (const [n, chunk] of read.entries()) {
      const at = positions[n] ?? 0;
      right &&= chunk !== null && body.subarray(at, at + chunk.length).equals(chunk);
      positions[n] = at + (chunk?.length ?? 0);
    }
  }
  t.ok(right, 'byte for byte');
}

/** Bytes each of them keeps after a while of reading. */
async function keptByEach(t: T, dial: Dial, url: string): Promise<number> {
  // What the first connection loads and compiles stays.
  for (const { body } of await heldBack(dial, url)) body.close();
  const before = await kept();
  const answers = await heldBack(dial, url);
  const full = ((await kept()) - before) / COUNT;
  t.ok(full > SOURCE.socketRead / 2, `${full} bytes: the unread ones are counted`);
  t.ok(full < 4 * SOURCE.socketRead, `${full} bytes each at first`);
  await readOn(t, answers, 20);
  const later = ((await kept()) - before) / COUNT;
  for (const { body } of answers) body.close();
  return later;
}

t.test('a connection that is held back keeps no read of its own', limit, async (t) => {
  const port = await listening(t, createServer(answer));
  const each = await keptByEach(t, dialAddress, `http://127.0.0.1:${port}/`);
  t.ok(each < 3 * SOURCE.socketRead, `${each} bytes each`);
});

t.test('nor does one over TLS', limit, async (t) => {
  const { key, cert } = loopbackCertificate();
  const port = await listening(t, createTlsServer({ key, cert }, answer));
  const each = await keptByEach(t, dialTls(cert), `https://localhost:${port}/`);
  t.ok(each < 3 * SOURCE.socketRead, `${each} bytes each`);
});

t.test("an answer that is open keeps nothing of its headers' read", limit, async (t) => {
  const port = await listening(t, createServer(answer));
  const url = `http://127.0.0.1:${port}/`;
  for (const { body } of await heldBack(dialAddress, url)) body.close();
  const before = await kept();
  const answers = await heldBack(dialAddress, url);
  for (const { body } of answers) await body.next(never);
  const each = ((await kept()) - before) / COUNT;
  t.ok(each < SOURCE.socketRead / 3, `${each} bytes each, though all that came has been read`);
  for (const { body } of answers) body.close();
});
