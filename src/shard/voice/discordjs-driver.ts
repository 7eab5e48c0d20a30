// The voice driver over @discordjs/voice, and the only file that imports it: what has to be opened of the
// library (how it makes its gateway socket) is opened on a subclass here. Made once per shard. The library
// gets no socket, address or key exchange that this adapter has not looked at (discord-voice.md §3.7).

import { createSecretKey, getCiphers } from 'node:crypto';
import { DAVESession, Networking, NetworkingStatusCode } from '@discordjs/voice';
import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { VOICE } from '../../shared/limits.js';
import { DiscordjsConnection } from './discordjs-connection.js';
import type { ConnectionParts, DriverTimes } from './discordjs-connection.js';
import type { Library, LibraryNetworking } from './discordjs-session.js';
import { DRIVER_WORDS } from '../../shared/driver-words.js';
import type { VoiceDriver } from './driver.js';
import { GatewaySocket } from './gateway-socket.js';
import { gatewayTrust } from './gateway.js';
import { SILENCE } from './paced-lane.js';
import { Pacer } from './pacer.js';
import type { VoiceGuard } from './voice-guard.js';

export interface DiscordjsDriverOptions {
  readonly clock: Clock;
  readonly guard: VoiceGuard;
  /** PEM text of `pumice.voice.caFile`, believed for voice gateways besides Node's own roots. */
  readonly ca: string | null;
  readonly maxConnections?: number;
  /** DRIVER_WORDS words that only this driver writes; see driver-counters.ts. */
  readonly counters?: Float64Array;
  /** Shorter times than those of VOICE, for tests. */
  readonly times?: Partial<DriverTimes>;
}

const AES = 'aead_aes256_gcm_rtpsize';
const XCHACHA = 'aead_xchacha20_poly1305_rtpsize';

/** The methods of Networking that are private in its types and used here. */
interface OpenedNetworking extends LibraryNetworking {
  readonly onWsOpen: () => void;
  readonly onWsPacket: (packet: unknown) => void;
  readonly onWsBinary: (message: unknown) => void;
  encryptOpusPacket(packet: Buffer, data: object, header: Buffer, dave: undefined): unknown;
  on(event: 'error', listener: (error: unknown) => void): void;
}

type NetworkingArguments = ConstructorParameters<typeof Networking>;

const Opened = Networking as unknown as {
  new (...args: NetworkingArguments): OpenedNetworking;
  readonly prototype: OpenedNetworking;
};

/** Networking with a gateway socket that waits for the adapter to open it. */
class AdaptedNetworking extends Opened {
  /** Overrides a private method of the library, which calls it from its constructor. */
  protected createWebSocket(): GatewaySocket {
    const socket = new GatewaySocket();
    socket.once('open', this.onWsOpen);
    socket.on('packet', this.onWsPacket);
    socket.on('binary', this.onWsBinary);
    return socket;
  }
}

/** A driver for one shard. */
export function createDiscordjsDriver(options: DiscordjsDriverOptions): VoiceDriver {
  const { clock, guard } = options;
  const ceiling = options.maxConnections ?? VOICE.maxDiscordjsConnections;
  const counters = options.counters ?? new Float64Array(DRIVER_WORDS);
  const times: DriverTimes = { ...VOICE, ...options.times };
  const connections = new Set<DiscordjsConnection>();
  const parts: ConnectionParts = {
    clock,
    guard,
    counters,
    times,
    library,
    trust: gatewayTrust(options.ca),
    pacer: new Pacer(clock, counters),
    discoveryInterval: times.discoveryInterval,
    daveHold: times.daveHold,
    onOver: (connection) => connections.delete(connection),
  };
  return {
    name: 'discordjs',
    prepare: () => prepare(clock),
    connect(server, listener, mayConnect, row) {
      if (connections.size >= ceiling) throw new ServerError('PUM_VOICE_FULL', { limit: ceiling });
      const connection = new DiscordjsConnection(parts, server, listener, mayConnect, row);
      connections.add(connection);
      return connection;
    },
    close() {
      for (const connection of [...connections]) connection.close();
    },
  };
}

const library: Library = {
  code: { udpHandshaking: NetworkingStatusCode.UdpHandshaking, ready: NetworkingStatusCode.Ready },
  create(server) {
    const { guildId, endpoint, token, sessionId, userId, channelId } = server;
    const networking = new AdaptedNetworking(
      { serverId: guildId, endpoint, token, sessionId, userId, channelId },
      { daveEncryption: true, debug: false },
    );
    // Errors of its UDP socket, and of discovery on a socket that was closed (discordjs/discord.js#11436),
    // come here. Each of them also ends in a deadline or a failed send, which are told.
    networking.on('error', () => undefined);
    const { ws } = networking.state as { ws?: unknown };
    if (!(ws instanceof GatewaySocket)) {
      throw new ServerError('PUM_VOICE_FAILED', {}, new TypeError('the library made its own gateway socket'));
    }
    return { networking, socket: ws };
  },
  usableModes(modes) {
    const usable: string[] = [];
    if (modes.includes(AES) && getCiphers().includes('aes-256-gcm')) usable.push(AES);
    if (modes.includes(XCHACHA) && canSealXChaCha()) usable.push(XCHACHA);
    return usable;
  },
  keyFor: (mode, secretKey) =>
    mode === AES && secretKey instanceof Uint8Array ? createSecretKey(secretKey) : secretKey,
};

/** Whether the library has found a package for XChaCha20-Poly1305, and one that it can use (§3.7 gap 6). */
function canSealXChaCha(): boolean {
  const data = {
    secretKey: new Uint8Array(32),
    encryptionMode: XCHACHA,
    nonce: 0,
    nonceBuffer: Buffer.alloc(24),
  };
  try {
    Opened.prototype.encryptOpusPacket(Buffer.from(SILENCE), data, Buffer.alloc(12), undefined);
    return true;
  } catch {
    return false;
  }
}

/** Loads davey's native code, which the first connection would otherwise wait for. */
async function prepare(clock: Clock): Promise<void> {
  const session = new DAVESession(1, '1', '1', {});
  session.reinit();
  session.destroy();
  // The library looks for its XChaCha package in the background, from the moment it is imported.
  await new Promise<void>((resolve) => clock.soon(resolve));
}
