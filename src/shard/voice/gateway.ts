// The only importer of the ws client: a TLS WebSocket to a voice gateway, dialled at the one address that
// was checked, with the extra certificates of `pumice.voice.caFile`. Called by the voice drivers, in a shard.
// It may not choose an address, retry, or switch certificate checks off.

import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import * as tls from 'node:tls';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { ServerError } from '../../shared/errors.js';
import { VOICE } from '../../shared/limits.js';
import type { VoiceTarget } from './voice-guard.js';

/** Which certificates are believed; made once per driver, for parsing the roots takes tens of milliseconds. */
export interface GatewayTrust {
  readonly context: tls.SecureContext;
}

export interface GatewayClose {
  readonly code: number;
  readonly reason: string;
  /** The connection had been open, and the other side (or the network) ended it. */
  readonly byRemote: boolean;
  /** The error code under a connection that could not be made or broke ("ECONNREFUSED"), or null. */
  readonly failure: string | null;
}

/** Told by the gateway; never from inside openGateway or a call on the Gateway. */
export interface GatewayHandlers {
  onOpen(): void;
  onText(text: string): void;
  onBinary(bytes: Buffer): void;
  /** Once, whatever happened; nothing follows. Not told after close() or drop(). */
  onClosed(close: GatewayClose): void;
}

export interface Gateway {
  /** False when nothing could be sent: not open, or too much is waiting already. */
  send(message: string | Uint8Array): boolean;
  /** Ends it with a close frame; nothing is told any more. */
  close(code: number): void;
  /** Ends it at once, without a word. */
  drop(): void;
}

/** With what ws knows and its types lack, and what it hands on to tls.connect. */
interface DialOptions extends ClientOptions {
  readonly closeTimeout: number;
  readonly secureContext: tls.SecureContext;
  readonly lookup: LookupFunction;
}

/** Time for the other side to answer our close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

/** `ca` is PEM text with one certificate or more; it is added to what Node trusts by itself. */
export function gatewayTrust(ca: string | null): GatewayTrust {
  return { context: tls.createSecureContext(ca === null ? {} : { ca: [...ownRoots(), ca] }) };
}

/**
 * Connects to `wss://host:port/?v=8` at `target.address`; `handshakeTimeout` in milliseconds.
 * Throws PUM_VOICE_ENDPOINT when `target` is no place that can be dialled so.
 */
export function openGateway(
  target: VoiceTarget,
  trust: GatewayTrust,
  handshakeTimeout: number,
  handlers: GatewayHandlers,
): Gateway {
  const url = gatewayUrl(target);
  const options: DialOptions = {
    secureContext: trust.context,
    lookup: pinned(target),
    handshakeTimeout,
    closeTimeout: CLOSE_TIMEOUT_MS,
    maxPayload: VOICE.maxGatewayMessage,
    perMessageDeflate: false,
    followRedirects: false,
  };
  const socket = new WebSocket(url, options);
  let opened = false;
  let failure: Error | null = null;

  socket.on('open', () => {
    opened = true;
    handlers.onOpen();
  });
  socket.on('message', (data, isBinary) => {
    // With the client's default binary type, and no compression, a message is always one Buffer.
    if (!Buffer.isBuffer(data)) return;
    if (isBinary) handlers.onBinary(data);
    else handlers.onText(data.toString('utf8'));
  });
  socket.on('error', (error) => (failure = error));
  socket.on('close', (code, reason) => {
    handlers.onClosed({
      code,
      reason: reason.length > 0 || failure === null ? reason.toString('utf8') : failure.message,
      byRemote: opened,
      failure: failure === null ? null : errorCode(failure),
    });
  });

  /** Nobody hears of this socket any more; a late error of it must still find a listener. */
  const silence = (): void => {
    socket.removeAllListeners();
    socket.on('error', () => undefined);
  };
  return {
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      if (socket.bufferedAmount > VOICE.maxGatewayMessage) return false;
      socket.send(message);
      return true;
    },
    close(code) {
      silence();
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
      else socket.close(code);
    },
    drop() {
      silence();
      socket.terminate();
    },
  };
}

function gatewayUrl({ host, port, address }: VoiceTarget): URL {
  const text = `wss://${isIP(host) === 6 ? `[${host}]` : host}:${port}/?v=8`;
  const url = URL.canParse(text) ? new URL(text) : null;
  // A literal address, in whatever spelling, is dialled without a look-up and so would not be pinned.
  const literal = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (url === null || (isIP(literal) !== 0 && literal !== address)) {
    throw new ServerError('PUM_VOICE_ENDPOINT', { host });
  }
  return url;
}

/** Answers every look-up with the checked address, in both of the forms that node:net asks for. */
function pinned(target: VoiceTarget): LookupFunction {
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address: target.address, family: target.family }]);
    else done(null, target.address, target.family);
  };
}

/** The certificates Node trusts without being told; newer versions add those of the system and environment. */
function ownRoots(): readonly string[] {
  const newer = tls as { getCACertificates?: (type: 'default') => string[] };
  return newer.getCACertificates?.('default') ?? tls.rootCertificates;
}

function errorCode(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
