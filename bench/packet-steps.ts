// The steps that the packet bench times, each over one packet of every connection: ours as native-stream.ts and
// the sender's lane take them, and those of @discordjs/voice as it is. What they are measured with stands in
// packet-rounds.ts.
import { getCiphers } from 'node:crypto';
import { Networking, NetworkingStatusCode, VoiceUDPSocket } from '@discordjs/voice';
import { UdpSocket } from '../src/shard/sender/udp.js';
import type { DaveSession } from '../src/shard/voice/dave-session.js';
import { SCRATCH, createSealer, type SealMode } from '../src/shard/voice/seal.js';
import { slabFor } from '../src/shared/ring-plan.js';
import { RingReader, RingWriter } from '../src/shared/send-ring.js';
import type { Step } from './packet-rounds.js';

/** `fill` is seal and ring in one, as a shard does it; `prepare` and `dispatch` are the library's. */
export type StepName = 'dave' | 'seal' | 'ring' | 'fill' | 'send' | 'prepare' | 'dispatch';

export interface StepParts {
  /** One a connection, as they come from the file. */
  readonly frames: readonly Buffer[];
  /** The same after DAVE. */
  readonly bodies: readonly Uint8Array[];
  readonly key: Uint8Array;
  /** Where everything is sent, on the loopback. */
  readonly port: number;
}

export interface Steps {
  readonly steps: readonly Step<StepName>[];
  /** Sends that failed or that the kernel had no room for. */
  failed(): number;
  close(): void;
}

const ADDRESS = '127.0.0.1';
const LEAD_MS = 400;
const SSRC = 0x01020304;

/** In this order: what `fill` writes is what `send` finds. */
export async function ourSteps(parts: StepParts, mode: SealMode, dave: DaveSession): Promise<Steps> {
  const { frames, bodies, port } = parts;
  const slab = slabFor(LEAD_MS, frames.length);
  const writers = frames.map((_, n) => new RingWriter(slab, n));
  const readers = frames.map((_, n) => new RingReader(slab, n));
  for (const writer of writers) writer.begin(0, 0);
  const sealer = createSealer(mode, parts.key);
  const udp = new UdpSocket();
  let failed = 0;
  udp.listen({ message: () => undefined, failed: () => failed++ });
  await new Promise(setImmediate);
  let length = 0;
  let nonce = 0;

  const steps: Step<StepName>[] = [
    {
      name: 'dave',
      run() {
        for (const frame of frames) if (dave.encrypt(frame) === null) throw new Error('DAVE refused a frame');
      },
    },
    {
      name: 'seal',
      run() {
        for (const body of bodies) length = sealer.seal(body, nonce, nonce * 960, SSRC, nonce++);
      },
    },
    {
      name: 'ring',
      run() {
        for (const ring of writers) {
          const offset = ring.room(length);
          ring.takeNonce();
          ring.publish(SCRATCH, length, offset, ring.timestamp(0), 0, 0, ring.sequence);
        }
      },
      after() {
        for (const ring of writers) ring.flush();
      },
    },
    {
      name: 'fill',
      run() {
        for (let n = 0; n < writers.length; n++) {
          const ring = writers[n]!;
          const offset = ring.room(bodies[n]!.length + 32);
          const timestamp = ring.timestamp(0);
          const bytes = sealer.seal(bodies[n]!, ring.sequence, timestamp, SSRC, ring.takeNonce());
          ring.publish(SCRATCH, bytes, offset, timestamp, 0, 0, 0);
        }
      },
    },
    {
      name: 'send',
      run() {
        for (const ring of readers) {
          const now = performance.now();
          if (!ring.claim()) throw new Error('the ring is empty');
          udp.send(ring.bytes, ring.offset, ring.length, port, ADDRESS);
          if (udp.queued > 0) failed++;
          ring.release(now);
        }
        return settled();
      },
    },
  ];
  return {
    steps,
    failed: () => failed,
    close() {
      sealer.close();
      udp.close();
    },
  };
}

/** The library's state once a connection is ready, as far as a packet touches it. */
interface ReadyState {
  readonly code: NetworkingStatusCode.Ready;
  readonly udp: VoiceUDPSocket;
  readonly dave: unknown;
  readonly connectionData: object;
}

interface LibraryNetworking {
  _state: ReadyState;
  prepareAudioPacket(frame: Buffer): unknown;
  dispatchAudio(): boolean;
}

const AES = 'aead_aes256_gcm_rtpsize';
const XCHACHA = 'aead_xchacha20_poly1305_rtpsize';

/** What the library chooses on this machine of what a voice server offers. */
export const LIBRARY_MODE = getCiphers().includes('aes-256-gcm') ? AES : XCHACHA;

export async function librarySteps({ frames, key, port }: StepParts, dave: unknown): Promise<Steps> {
  let failed = 0;
  const sockets = frames.map(() => new VoiceUDPSocket({ ip: ADDRESS, port }));
  for (const socket of sockets) socket.on('error', () => failed++);
  const connections = sockets.map((udp, n) => readyNetworking(udp, dave, key, n));
  // The first send of a socket binds it; the keepalive that does so is waited for.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const steps: Step<StepName>[] = [
    {
      name: 'prepare',
      run() {
        for (let n = 0; n < connections.length; n++) connections[n]!.prepareAudioPacket(frames[n]!);
      },
    },
    {
      name: 'dispatch',
      run() {
        for (const connection of connections) if (!connection.dispatchAudio()) failed++;
        return settled();
      },
    },
  ];
  return {
    steps,
    failed: () => failed,
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Unmodified from here on; only the gateway, which would bring this state about, is left out. */
function readyNetworking(udp: VoiceUDPSocket, dave: unknown, key: Uint8Array, n: number): LibraryNetworking {
  const networking = Object.create(Networking.prototype) as LibraryNetworking;
  networking._state = {
    code: NetworkingStatusCode.Ready,
    udp,
    dave,
    connectionData: {
      encryptionMode: LIBRARY_MODE,
      secretKey: key,
      nonce: 0,
      nonceBuffer: Buffer.alloc(LIBRARY_MODE === AES ? 12 : 24),
      sequence: 0,
      timestamp: 0,
      ssrc: n + 1,
      packetsPlayed: 0,
      speaking: true,
    },
  };
  return networking;
}

/** Behind the callbacks of what has been sent, which belong to its price. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
