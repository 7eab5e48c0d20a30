// Contract of an HTTP engine, part one: addresses, ports, TLS, the end of it (src/main/http/engine.ts).
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';

import type { EngineFactory } from '../../../src/main/http/engine.js';
import { loopbackCertificate } from '../../support/certificate.js';
import { Bench, later, text } from './engine-bench.js';

const timeout = 10_000;

export async function listenContract(t: Test, factory: EngineFactory): Promise<void> {
  await t.test('the name tells library and version', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    t.match(bench.engine.name, /^\S+ \d+\.\d+\.\d+/);
  });

  await t.test('port 0 yields the port really bound', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    t.ok(bench.port > 1_023);
    const client = await bench.connect(t);
    client.request('GET', '/here');
    t.equal((await client.reply())?.body, '/here');
  });

  await t.test('a port is never shared: a second engine fails to listen on it', { timeout }, async (t) => {
    const first = await Bench.start(t, factory);
    const second = await Bench.start(t, factory);
    await t.rejects(second.engine.listen('127.0.0.1', first.port), { code: 'PUM_LISTEN_FAILED' });
  });

  await t.test('an address of another machine fails to listen', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    await t.rejects(bench.engine.listen('192.0.2.1', 0), { code: 'PUM_LISTEN_FAILED' });
  });

  for (const [address, host, remote] of [
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::1', '::1', '::1'],
    ['::', '127.0.0.1', '::ffff:127.0.0.1'],
  ] as const) {
    await t.test(`on ${address} a client at ${host} is seen as ${remote}`, { timeout }, async (t) => {
      const bench = await Bench.start(t, factory, {}, address);
      const client = await bench.connect(t, host);
      client.request('GET', '/');
      await client.reply();
      t.equal(bench.requests[0]?.remoteAddress, remote);
      bench.dial(t, '/', {}, `ws://${host.includes(':') ? `[${host}]` : host}`);
      await bench.until(() => bench.sockets.length === 1);
      t.equal(bench.sockets[0]?.remoteAddress, remote);
      t.equal(bench.requests[1]?.remoteAddress, remote);
    });
  }

  await t.test('TLS serves requests and WebSockets', { timeout }, async (t) => {
    const { cert, key } = loopbackCertificate();
    const folder = t.testdir({ 'cert.pem': cert, 'key.pem': key });
    const tls = {
      certificateFile: join(folder, 'cert.pem'),
      keyFile: join(folder, 'key.pem'),
      passphrase: null,
    };
    const bench = await Bench.start(t, factory, { tls });
    const ca = readFileSync(tls.certificateFile);
    const body = await new Promise<string>((resolve, reject) => {
      get(`https://127.0.0.1:${bench.port}/secret`, { ca, agent: false }, (response) => {
        response.setEncoding('utf8');
        response.on('data', resolve);
      }).on('error', reject);
    });
    t.equal(body, '/secret');

    bench.onMessage = (socket, message) => void socket.send(`${message}!`);
    const client = bench.dial(t, '/', { ca }, 'wss://127.0.0.1');
    const answer = new Promise((resolve) => client.on('message', (data: Buffer) => resolve(data.toString())));
    client.on('open', () => client.send('hello'));
    t.equal(await answer, 'hello!');
  });

  await t.test('a certificate that is not there is a configuration error', { timeout }, async (t) => {
    const folder = t.testdir({ 'key.pem': loopbackCertificate().key });
    const tls = {
      certificateFile: join(folder, 'none.pem'),
      keyFile: join(folder, 'key.pem'),
      passphrase: null,
    };
    await t.rejects(Bench.start(t, factory, { tls }), { code: 'PUM_CONFIG_INVALID' });
  });

  await t.test('after stopListening nobody new gets in and what runs goes on', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    const { reply, resolve } = later();
    bench.onRequest = () => reply;
    const client = await bench.connect(t);
    client.request('GET', '/slow');
    await bench.until(() => bench.requests.length === 1);
    bench.engine.stopListening();
    const refused = await new Promise<string | undefined>((done) => {
      const late = connect(bench.port, '127.0.0.1');
      late.on('error', (error: NodeJS.ErrnoException) => done(error.code));
      late.on('connect', () => done('connected'));
    });
    t.equal(refused, 'ECONNREFUSED');
    resolve(text('done'));
    t.equal((await client.reply())?.body, 'done');
  });

  await t.test('close cuts requests and sockets, and tells of each once', { timeout }, async (t) => {
    const bench = await Bench.start(t, factory);
    bench.onRequest = () => later().reply;
    const client = await bench.connect(t);
    client.request('GET', '/never');
    await bench.until(() => bench.requests.length === 1);
    const socket = bench.dial(t);
    const socketClosed = new Promise<number>((resolve) => socket.on('close', resolve));
    await bench.until(() => bench.sockets.length === 1);
    t.equal(bench.engine.inFlight, 1);

    bench.engine.close();
    await client.closed;
    t.equal(await socketClosed, 1006);
    t.equal(bench.engine.inFlight, 0);
    t.same(
      bench.finishedWith.map(({ path, status }) => `${path} ${status}`),
      ['/ 101', '/never 499'],
    );
    t.same(
      bench.closes.map(({ code, clean }) => ({ code, clean })),
      [{ code: 1006, clean: false }],
    );
  });
}
