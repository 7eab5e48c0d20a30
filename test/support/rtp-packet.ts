// RTP packets of a voice connection under both AEAD modes (discord-voice.md §1.8): reading the clear header,
// opening and sealing. Used by the fake voice server's audit and by the plain test client; keeps no state.

import crypto from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { AES_GCM } from './voice-options.js';
import type { AeadMode } from './voice-options.js';

export const RTP_HEADER_BYTES = 12;
export const RTCP_HEADER_BYTES = 8;
const TAG_BYTES = 16;
export const SUFFIX_BYTES = 4;
/** Header, tag and suffix: what sealing adds to a frame. */
export const RTP_OVERHEAD = RTP_HEADER_BYTES + TAG_BYTES + SUFFIX_BYTES;
export const OPUS_PAYLOAD_TYPE = 120;
export const SAMPLES_PER_FRAME = 960;
export const SILENCE_FRAME = Buffer.from([0xf8, 0xff, 0xfe]);

export interface RtpHeader {
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

export function readHeader(packet: Buffer): RtpHeader {
  return {
    payloadType: packet.readUInt8(1) & 0x7f,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
  };
}

/** The frame inside a packet, or null when it does not authenticate. */
export function openPacket(mode: AeadMode, key: Uint8Array, packet: Buffer): Buffer | null {
  const first = packet.readUInt8(0);
  const extended = (first & 0x10) !== 0;
  const clear = RTP_HEADER_BYTES + 4 * (first & 0x0f) + (extended ? 4 : 0);
  const opened = open(mode, key, packet, clear);
  // The extension's body is the first part of the plaintext; its length in words is in the clear.
  if (opened === null || !extended) return opened;
  return opened.subarray(4 * packet.readUInt16BE(clear - 2));
}

/** What is behind the clear eight bytes of an RTCP packet, or null when it does not authenticate. */
export function openRtcp(mode: AeadMode, key: Uint8Array, packet: Buffer): Buffer | null {
  return open(mode, key, packet, RTCP_HEADER_BYTES);
}

/** A sealed packet. The suffix may be in either byte order; here it is big-endian. */
export function sealPacket(
  mode: AeadMode,
  key: Uint8Array,
  at: RtpHeader,
  suffix: number,
  frame: Buffer,
): Buffer {
  const header = Buffer.alloc(RTP_HEADER_BYTES);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(at.payloadType, 1);
  header.writeUInt16BE(at.sequence, 2);
  header.writeUInt32BE(at.timestamp, 4);
  header.writeUInt32BE(at.ssrc, 8);
  return seal(mode, key, header, suffix, frame);
}

/** An RTCP packet, sealed behind its first eight bytes. */
export function sealRtcp(mode: AeadMode, key: Uint8Array, packet: Buffer, suffix: number): Buffer {
  const header = packet.subarray(0, RTCP_HEADER_BYTES);
  return seal(mode, key, header, suffix, packet.subarray(RTCP_HEADER_BYTES));
}

function open(mode: AeadMode, key: Uint8Array, packet: Buffer, clear: number): Buffer | null {
  const end = packet.length - SUFFIX_BYTES;
  if (clear + TAG_BYTES > end) return null;
  const header = packet.subarray(0, clear);
  const sealed = packet.subarray(clear, end);
  const suffix = packet.subarray(end);
  return mode === AES_GCM ? openAes(key, suffix, header, sealed) : openXChaCha(key, suffix, header, sealed);
}

function seal(mode: AeadMode, key: Uint8Array, header: Buffer, suffix: number, frame: Buffer): Buffer {
  const tail = Buffer.alloc(SUFFIX_BYTES);
  tail.writeUInt32BE(suffix);
  if (mode !== AES_GCM) {
    const sealed = xchacha20poly1305(key, nonceOf(tail, 24), header).encrypt(frame);
    return Buffer.concat([header, sealed, tail]);
  }
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonceOf(tail, 12));
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(frame), cipher.final()]);
  return Buffer.concat([header, sealed, cipher.getAuthTag(), tail]);
}

/** The four bytes of the suffix, then zeros. */
function nonceOf(suffix: Buffer, length: number): Buffer {
  const nonce = Buffer.alloc(length);
  suffix.copy(nonce);
  return nonce;
}

function openAes(key: Uint8Array, suffix: Buffer, header: Buffer, sealed: Buffer): Buffer | null {
  const body = sealed.subarray(0, sealed.length - TAG_BYTES);
  const decipher = crypto.createDecipheriv('aes-256-gcm', key, nonceOf(suffix, 12), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(header);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(body);
  try {
    decipher.final();
  } catch {
    return null;
  }
  return plain;
}

function openXChaCha(key: Uint8Array, suffix: Buffer, header: Buffer, sealed: Buffer): Buffer | null {
  try {
    const opened = xchacha20poly1305(key, nonceOf(suffix, 24), header).decrypt(sealed);
    return Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength);
  } catch {
    return null;
  }
}
