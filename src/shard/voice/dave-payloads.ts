// The DAVE messages of a voice gateway: their numbers, and what in them is read here (discord-voice.md §2.1). Used by
// dave-session.ts and dave-membership.ts in a shard. Reads untrusted values: what is damaged comes back as null.

import { createHash } from 'node:crypto';
import { VOICE } from '../../shared/limits.js';
import { DAVE_VERSION } from './dave.js';

export const DaveOp = {
  prepareTransition: 21,
  executeTransition: 22,
  transitionReady: 23,
  prepareEpoch: 24,
  externalSender: 25,
  keyPackage: 26,
  proposals: 27,
  commitWelcome: 28,
  commit: 29,
  welcome: 30,
  invalidCommitWelcome: 31,
} as const;

/** Op 21. */
export function readTransition(d: unknown): { readonly version: number; readonly id: number } | null {
  const version = whole(d, 'protocol_version', DAVE_VERSION);
  const id = whole(d, 'transition_id', 0xffff);
  return version === null || id === null ? null : { version, id };
}

/** Op 22: the transition's id. */
export function readExecution(d: unknown): number | null {
  return whole(d, 'transition_id', 0xffff);
}

/** Op 24. */
export function readEpoch(d: unknown): { readonly version: number; readonly epoch: number } | null {
  const version = whole(d, 'protocol_version', DAVE_VERSION);
  const epoch = whole(d, 'epoch', Number.MAX_SAFE_INTEGER);
  return version === null || epoch === null || epoch < 1 ? null : { version, epoch };
}

/** Size and kind of a P-256 point in front, and behind its 64 bytes the basic kind of credential. */
const SENDER_HEAD = [0x40, 0x41, 0x04];
const SENDER_CREDENTIAL = [0x00, 0x01];

/**
 * Op 25 begins as it must. The library takes any key, and with one that is none no welcome could be followed any
 * more, nor a proposal.
 */
export function isExternalSender(payload: Uint8Array): boolean {
  return (
    payload.length <= VOICE.maxExternalSender &&
    SENDER_HEAD.every((byte, at) => payload[at] === byte) &&
    SENDER_CREDENTIAL.every((byte, at) => payload[67 + at] === byte)
  );
}

const REF_LABEL = Buffer.from('MLS 1.0 KeyPackage Reference');

/** By what a welcome names the key package that it answers: 32 bytes (RFC 9420 §5.2). */
export function keyPackageRef(keyPackage: Uint8Array): Buffer {
  const size = keyPackage.length;
  const sized = size < 64 ? [size] : [0x40 | (size >> 8), size & 0xff];
  const hash = createHash('sha256').update(Uint8Array.of(REF_LABEL.length)).update(REF_LABEL);
  return hash.update(Uint8Array.from(sized)).update(keyPackage).digest();
}

function whole(d: unknown, key: string, max: number): number | null {
  if (typeof d !== 'object' || d === null) return null;
  const value = (d as Readonly<Record<string, unknown>>)[key];
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : null;
}
