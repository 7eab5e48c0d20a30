// The fake voice gateway's listening side: TLS and websockets on loopback, one GatewayConnection per websocket.
// Started by fake-voice.ts.

import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Certificate } from './certificate.js';
import { GatewayConnection } from './gateway-connection.js';
import type { GatewayHost } from './gateway-connection.js';

export class VoiceGateway {
  readonly #server: https.Server;
  readonly #sockets: WebSocketServer;

  private constructor(server: https.Server, sockets: WebSocketServer) {
    this.#server = server;
    this.#sockets = sockets;
  }

  static async start(certificate: Certificate, host: GatewayHost): Promise<VoiceGateway> {
    const server = https.createServer({ key: certificate.key, cert: certificate.cert });
    server.on('tlsClientError', () => {}); // A client that does not trust us hears it on its side.
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket, request) => {
      const version = new URL(request.url ?? '/', 'wss://localhost').searchParams.get('v');
      new GatewayConnection(socket, Number(version ?? NaN), host);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new VoiceGateway(server, sockets);
  }

  /** host:port without a scheme, as VOICE_SERVER_UPDATE has it. */
  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
