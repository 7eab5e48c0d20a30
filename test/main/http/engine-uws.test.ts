// Holds the uWebSockets.js engine to the contract of all engines, and tests what is its own: that the native
// library alone is used, and that a peer which never reads again is let go of.
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';

import {
  createUwsEngine,
  loadNativeLibrary,
  nativeEngineAvailable,
} from '../../../src/main/http/engine-uws.js';
import { Bench } from './engine-bench.js';
import { engineContract } from './engine-contract.js';

void t.test('the JavaScript twin of the package is never loaded', { timeout: 10_000 }, async (t) => {
  const asked: string[] = [];
  const withoutBinary = (id: string): unknown => {
    asked.push(id);
    if (id.endsWith('package.json')) return { name: '@trufflesuite/uws-js-unofficial', version: '20.30.0' };
    throw new Error(`no ${id}`);
  };
  t.throws(() => loadNativeLibrary(withoutBinary), { code: 'PUM_ENGINE_MISSING' });
  t.equal(asked.length, 2);
  t.match(asked[1], /^uWebSockets\.js\/binaries\/uws_\w+\.node$/);
});

void t.test(
  'an official release installed in its place is loaded by its main file',
  { timeout: 10_000 },
  async (t) => {
    const library = {};
    const official = (id: string): unknown =>
      id.endsWith('package.json')
        ? { name: 'uWebSockets.js', version: '20.51.0' }
        : id === 'uWebSockets.js' && library;
    t.same(loadNativeLibrary(official), { library, version: '20.51.0' });
  },
);

if (!nativeEngineAvailable()) {
  t.comment('no native library for this Node: the contract is not run');
} else {
  // First, while no other test's sockets are about.
  const skip = process.platform === 'linux' ? false : 'counts descriptors in /proc';
  void t.test('a peer that never reads again costs no descriptor', { timeout: 15_000, skip }, async (t) => {
    const bench = await Bench.start(t, createUwsEngine);
    const before = openSockets();
    const client = connect(bench.port, '127.0.0.1');
    t.teardown(() => client.destroy());
    client.on('error', () => undefined);
    client.write(
      'GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    client.pause();
    await bench.until(() => bench.sockets.length === 1);
    while (bench.sockets[0]?.send('x'.repeat(10_000)) !== 'closed');
    t.equal(openSockets() - before, 2, 'the close frame waits behind the outbox');
    while (openSockets() - before > 1) await new Promise((resolve) => setTimeout(resolve, 50));
    t.pass("only the client's own descriptor is left");
  });

  void t.test('the engine over uWebSockets.js keeps the contract', { timeout: 60_000 }, async (t) => {
    await engineContract(t, createUwsEngine, {
      answersUnknownMethods: false,
      queuesPipelined: false,
      answersBrokenLengths: false,
      checksMasks: false,
      maxHeaderCount: 48,
    });
  });
}

function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}
