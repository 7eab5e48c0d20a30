// RTP header, AEAD and nonce suffix of every packet to a voice server (discord-voice.md §1.8), and the only file
// that takes libsodium or an AEAD of node:crypto for it. Called by native-stream.ts in a shard. Keeps no count
// of nonces: whoever seals takes care that one is never used twice under a key.

import { createCipheriv, createSecretKey, getCiphers } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { ServerError } from '../../shared/errors.js';

export const SealMode = {
  xchacha: 'aead_xchacha20_poly1305_rtpsize',
  aes: 'aead_aes256_gcm_rtpsize',
} as const;
export type SealMode = (typeof SealMode)[keyof typeof SealMode];

/** Seals the packets of one voice session. */
export interface Sealer {
  readonly mode: SealMode;
  /**
   * Writes a packet with `frame` (at most MAX_FRAME bytes, not a part of SCRATCH) to the start of SCRATCH, where
   * it stays until any sealer of this thread seals again; returns its length in bytes. Of `sequence` the low 16
   * bits are written, of `timestamp` and `ssrc` the low 32. `nonce` is 0 to 2^32 - 1, fresh for this key.
   * Throws PUM_VOICE_FAILED for a frame that is too long, another nonce, and after close().
   */
  seal(frame: Uint8Array, sequence: number, timestamp: number, ssrc: number, nonce: number): number;
  /** Lets go of the key. Our bytes of it are wiped here; Node wipes a KeyObject when it is collected. */
  close(): void;
}

/** What is used of sodium-native, which has no types of its own. */
export interface Sodium {
  crypto_aead_xchacha20poly1305_ietf_encrypt(
    sealed: Uint8Array,
    frame: Uint8Array,
    header: Uint8Array,
    secretNonce: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
}

const HEADER_BYTES = 12;
const TAG_BYTES = 16;
const SUFFIX_BYTES = 4;
const KEY_BYTES = 32;

/** What a packet has beyond its frame, in bytes. */
export const SEAL_OVERHEAD = HEADER_BYTES + TAG_BYTES + SUFFIX_BYTES;

/**
 * The packet that was sealed last in this thread, whose owner copies it before the next. Room for the largest
 * Opus packet (1,275 bytes), what DAVE adds to it and SEAL_OVERHEAD, and below what fits one datagram anywhere.
 */
export const SCRATCH: Uint8Array = new Uint8Array(1_408);

/** Largest frame that can be sealed, in bytes. */
export const MAX_FRAME = SCRATCH.length - SEAL_OVERHEAD;

/** RTP version 2; payload type 120 without marker. */
const VERSION = 0x80;
const PAYLOAD_TYPE = 0x78;

/** Sealed bytes in SCRATCH by the length of their frame: a view for each length seen, none for each packet. */
const bodies: Uint8Array[] = [];
const header = SCRATCH.subarray(0, HEADER_BYTES);

/** The four bytes of the suffix, then zeros that stay. */
const xchachaNonce = new Uint8Array(24);
const aesNonce = new Uint8Array(12);

/**
 * The package has another name here than its own (package.json), because @discordjs/voice takes sodium-native
 * before everything else that it can find, and cannot seal with it (discord-voice.md §3.7, gap 6).
 */
const SODIUM = 'sealing-sodium';

/** undefined: not looked for yet. */
let sodium: Sodium | null | undefined;

/** Loads and warms what the first packet would otherwise wait for. */
export async function prepareSeal(): Promise<void> {
  const mode = usableMode(Object.values(SealMode));
  if (mode === null) return;
  const sealer = createSealer(mode, new Uint8Array(KEY_BYTES));
  sealer.seal(new Uint8Array(1), 0, 0, 0, 0);
  sealer.close();
}

/**
 * The mode to select of those that a voice server offers: XChaCha where libsodium loads, which is several times
 * as fast (§3.5), else AES; null when there is none in common. `library` is what this machine has, unless told.
 */
export function usableMode(modes: readonly string[], library = theSodium()): SealMode | null {
  if (library !== null && modes.includes(SealMode.xchacha)) return SealMode.xchacha;
  if (modes.includes(SealMode.aes) && getCiphers().includes('aes-256-gcm')) return SealMode.aes;
  return null;
}

/**
 * A sealer with a copy of `key` (32 bytes), which its owner may wipe. Throws PUM_VOICE_FAILED for a key of
 * another length, and for XChaCha on a machine without libsodium.
 */
export function createSealer(mode: SealMode, key: Uint8Array): Sealer {
  if (key.length !== KEY_BYTES) throw failure(`a key of ${key.length} bytes`);
  if (mode === SealMode.aes) return aesSealer(createSecretKey(key));
  const library = theSodium();
  if (library === null) throw failure('libsodium is not there');
  return xchachaSealer(library, new Uint8Array(key));
}

/** sodium-native, if it is installed, has a binary for this machine and can seal; else null. */
export function loadSodium(require: (id: string) => unknown = createRequire(import.meta.url)): Sodium | null {
  try {
    const library = require(SODIUM) as Sodium;
    const sealed = new Uint8Array(1 + TAG_BYTES);
    const frame = new Uint8Array(1);
    const key = new Uint8Array(KEY_BYTES);
    const length = library.crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed,
      frame,
      header,
      null,
      xchachaNonce,
      key,
    );
    return length === sealed.length ? library : null;
  } catch {
    return null;
  }
}

function theSodium(): Sodium | null {
  if (sodium === undefined) sodium = loadSodium();
  return sodium;
}

function xchachaSealer(library: Sodium, bytes: Uint8Array): Sealer {
  let key: Uint8Array | null = bytes;
  return {
    mode: SealMode.xchacha,
    seal(frame, sequence, timestamp, ssrc, nonce) {
      const { length } = frame;
      if (key === null) throw failure('the sealer is closed');
      check(length, nonce);
      writeHeader(sequence, timestamp, ssrc);
      writeNumber(xchachaNonce, 0, nonce);
      const body = (bodies[length] ??= SCRATCH.subarray(HEADER_BYTES, HEADER_BYTES + length + TAG_BYTES));
      library.crypto_aead_xchacha20poly1305_ietf_encrypt(body, frame, header, null, xchachaNonce, key);
      writeNumber(SCRATCH, HEADER_BYTES + length + TAG_BYTES, nonce);
      return length + SEAL_OVERHEAD;
    },
    close() {
      key?.fill(0);
      key = null;
    },
  };
}

/** With a KeyObject, because raw bytes cost three to five times as much from Node 24 on (§3.5). */
function aesSealer(secret: KeyObject): Sealer {
  let key: KeyObject | null = secret;
  return {
    mode: SealMode.aes,
    seal(frame, sequence, timestamp, ssrc, nonce) {
      const { length } = frame;
      if (key === null) throw failure('the sealer is closed');
      check(length, nonce);
      writeHeader(sequence, timestamp, ssrc);
      writeNumber(aesNonce, 0, nonce);
      const cipher = createCipheriv('aes-256-gcm', key, aesNonce);
      cipher.setAAD(header);
      // Node's cipher writes into buffers of its own only, and a mode of counters leaves nothing to final().
      SCRATCH.set(cipher.update(frame), HEADER_BYTES);
      cipher.final();
      SCRATCH.set(cipher.getAuthTag(), HEADER_BYTES + length);
      writeNumber(SCRATCH, HEADER_BYTES + length + TAG_BYTES, nonce);
      return length + SEAL_OVERHEAD;
    },
    close() {
      key = null;
    },
  };
}

/** A nonce that does not fit would be cut to one that was used before, which gives the key away. */
function check(length: number, nonce: number): void {
  if (length > MAX_FRAME) throw failure(`a frame of ${length} bytes; ${MAX_FRAME} fit`);
  if (nonce >>> 0 !== nonce) throw failure(`a nonce of ${nonce}`);
}

function writeHeader(sequence: number, timestamp: number, ssrc: number): void {
  SCRATCH[0] = VERSION;
  SCRATCH[1] = PAYLOAD_TYPE;
  SCRATCH[2] = sequence >>> 8;
  SCRATCH[3] = sequence;
  writeNumber(SCRATCH, 4, timestamp);
  writeNumber(SCRATCH, 8, ssrc);
}

/** The low 32 bits, big-endian. */
function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function failure(reason: string): ServerError {
  return new ServerError('PUM_VOICE_FAILED', {}, new RangeError(reason));
}
