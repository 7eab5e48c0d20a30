// The WebSocket client of the voice drivers: which certificate and which address it takes, and that it tells
// the end exactly once. Speaks TLS to a server on loopback.

import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { gatewayTrust, openGateway } from '../../../src/shard/voice/gateway.js';
import type { Gateway, GatewayClose, GatewayHandlers } from '../../../src/shard/voice/gateway.js';
import type { VoiceTarget } from '../../../src/shard/voice/voice-guard.js';
import { loopbackCertificate } from '../../support/certificate.js';

const CEILING = { timeout: 10_000 };
const certificate = loopbackCertificate();
const trust = gatewayTrust(certificate.cert);

interface Place {
  readonly port: number;
  readonly sockets: WebSocket[];
  /** Host header and TLS server name of each connection. */
  readonly names: string[];
}

async function place(t: Test): Promise<Place> {
  const server = createServer({ key: certificate.key, cert: certificate.cert });
  const sockets: WebSocket[] = [];
  const names: string[] = [];
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (socket, request) => {
    sockets.push(socket);
    names.push(request.headers.host ?? '');
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.terminate();
    webSockets.close();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets, names };
}

interface Heard {
  readonly gateway: Gateway;
  readonly opened: Promise<void>;
  readonly closed: Promise<GatewayClose>;
  readonly closes: GatewayClose[];
  readonly echo: Promise<string | Buffer>;
}

function open(target: VoiceTarget, trusting = trust): Heard {
  const closes: GatewayClose[] = [];
  let handlers: Partial<GatewayHandlers> = {};
  const opened = new Promise<void>((resolve) => (handlers = { ...handlers, onOpen: resolve }));
  const closed = new Promise<GatewayClose>((resolve) => {
    handlers = { ...handlers, onClosed: (close) => resolve(closes[closes.push(close) - 1] ?? close) };
  });
  const echo = new Promise<string | Buffer>((onText) => {
    handlers = { ...handlers, onText, onBinary: onText };
  });
  const gateway = openGateway(target, trusting, 5_000, handlers as GatewayHandlers);
  return { gateway, opened, closed, closes, echo };
}

const at = (port: number, host = '127.0.0.1'): VoiceTarget => ({
  host,
  port,
  address: '127.0.0.1',
  family: 4,
});

t.test('text and bytes go there and back', CEILING, async (t) => {
  const { port } = await place(t);
  const one = open(at(port));
  t.equal(one.gateway.send('early'), false, 'nothing can be sent before it is open');
  await one.opened;
  t.equal(one.gateway.send('text'), true);
  t.equal(await one.echo, 'text');
  const two = open(at(port));
  await two.opened;
  two.gateway.send(Uint8Array.of(1, 2, 3));
  t.same(await two.echo, Buffer.of(1, 2, 3));
  one.gateway.close(1000);
  two.gateway.close(1000);
});

t.test(
  'a host name is dialled at the checked address, and the certificate is still its own',
  CEILING,
  async (t) => {
    const { port, names } = await place(t);
    const local = open(at(port, 'localhost'));
    await local.opened;
    t.same(names, [`localhost:${port}`]);
    local.gateway.close(1000);
    const other = open(at(port, 'c-frankfurt.discord.media'));
    t.match(await other.closed, { byRemote: false, failure: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  },
);

t.test('without the extra certificate the server is not believed', CEILING, async (t) => {
  const { port } = await place(t);
  const heard = open(at(port), gatewayTrust(null));
  t.match(await heard.closed, { code: 1006, byRemote: false, failure: /CERT/ });
});

t.test('a literal address other than the checked one is refused, in any spelling', CEILING, async (t) => {
  for (const host of ['127.0.0.2', '0x7f.2', '2130706434', '::1', 'a b']) {
    t.throws(() => open(at(1, host)), { code: 'PUM_VOICE_ENDPOINT' }, host);
  }
});

t.test('code and reason of a close are told once', CEILING, async (t) => {
  const { port, sockets } = await place(t);
  const heard = open(at(port));
  await heard.opened;
  sockets[0]?.close(4014, 'Disconnected.');
  t.same(await heard.closed, { code: 4014, reason: 'Disconnected.', byRemote: true, failure: null });
  t.equal(heard.gateway.send('late'), false);
  t.equal(heard.closes.length, 1);
});

t.test('a cut connection is 1006 by the remote side', CEILING, async (t) => {
  const { port, sockets } = await place(t);
  const heard = open(at(port));
  await heard.opened;
  sockets[0]?.terminate();
  t.match(await heard.closed, { code: 1006, byRemote: true });
});

t.test('a message above the ceiling ends the connection', CEILING, async (t) => {
  const { port, sockets } = await place(t);
  const heard = open(at(port));
  await heard.opened;
  sockets[0]?.send(Buffer.alloc(1_048_577));
  t.match(await heard.closed, { code: 1006, reason: /payload/ });
});

t.test('after close() and drop() nothing is told, open or not', CEILING, async (t) => {
  const { port, sockets } = await place(t);
  const early = open(at(port));
  early.gateway.drop();
  const heard = open(at(port));
  await heard.opened;
  heard.gateway.close(1000);
  const [socket] = sockets;
  if (socket && socket.readyState !== socket.CLOSED) {
    const [code] = (await once(socket, 'close')) as [number];
    t.equal(code, 1000);
  }
  t.same([early.closes, heard.closes], [[], []]);
});
