// Opens one connection to an address the guard has judged, in time or not at all. Used by http.ts; chooses no
// address and reads no name. All connections of a thread read into one buffer, so that one that is open and
// held back costs none.

import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import { errorCode } from './error-code.js';
import { hostOf, type CheckedAddress } from './guard.js';
import { HeldSocket } from './held-socket.js';

/** Begins a connection to exactly this address; `servername` is null for plain TCP. */
export type Dial = (to: CheckedAddress, port: number, servername: string | null) => Socket;

export interface DialOptions {
  readonly clock: Clock;
  /** Milliseconds for TCP and TLS together. */
  readonly timeout: number;
  readonly dial: Dial;
}

/**
 * A connection for `url` to `address`, ready to be written to; the end of `life` destroys it at any time.
 * Rejects with PUM_SOURCE_CONNECT or PUM_SOURCE_TIMEOUT.
 */
export function openConnection(
  url: URL,
  address: CheckedAddress,
  options: DialOptions,
  life: AbortSignal,
): Promise<HeldSocket> {
  return new Promise((resolve, reject) => {
    if (life.aborted) throw new ServerError('PUM_SOURCE_CONNECT', {}, 'given up');
    const secure = url.protocol === 'https:';
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
    // A certificate for a literal host is checked against that literal; SNI carries names only.
    const name = hostOf(url) === address.address ? '' : hostOf(url);
    const socket = options.dial(address, port, secure ? name : null);
    socket.setNoDelay(true);

    const giveUp = (error: ServerError): void => {
      late.cancel();
      reject(error);
      socket.destroy();
    };
    const late = options.clock.after(options.timeout, () =>
      giveUp(new ServerError('PUM_SOURCE_TIMEOUT', { ms: options.timeout })),
    );
    const onLifeEnd = (): void => giveUp(new ServerError('PUM_SOURCE_CONNECT', {}, 'given up'));
    life.addEventListener('abort', onLifeEnd, { once: true });
    socket.once('close', () => life.removeEventListener('abort', onLifeEnd));
    socket.on('error', (error) => {
      giveUp(new ServerError('PUM_SOURCE_CONNECT', {}, errorCode(error)));
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      late.cancel();
      resolve(new HeldSocket(socket));
    });
  });
}

export const dialAddress: Dial = ({ address: host, family }, port, servername) =>
  readShared((onread) => {
    if (servername === null) return connectTcp({ host, family, port, onread });
    // Its types have forgotten `onread`, its documentation has not.
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      host,
      port,
      servername,
      ALPNProtocols: ['http/1.1'],
      onread,
    };
    return connectTls(options);
  });

/** A socket that reads into the thread's buffer and emits a copy as `data`; paused, it reads nothing at all. */
export function readShared(connect: (onread: OnReadOpts) => Socket): Socket {
  const socket = connect({
    buffer: roomToRead(),
    callback: (length, buffer) => {
      socket.emit('data', copyOf(buffer, length));
      return true;
    },
  });
  return socket;
}

let shared: Buffer | null = null;

/**
 * One for all: a read ends in its callback before another one begins. Windows is given its buffers long before
 * there is anything to read, and so each connection needs its own there.
 */
function roomToRead(): Buffer {
  if (process.platform === 'win32') return Buffer.allocUnsafeSlow(SOURCE.socketRead);
  return (shared ??= Buffer.allocUnsafeSlow(SOURCE.socketRead));
}

/** In memory of its own: the pool of small buffers would keep its slabs for the sake of a few bytes. */
function copyOf(buffer: Uint8Array, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  copy.set(buffer.subarray(0, length));
  return copy;
}
