// The voice server's signature key and the proposals it makes as a DAVE group's external sender (op 25, op 27;
// discord-voice.md §2.1, §2.4). Called by dave-delivery.ts and the tests; knows group id and epoch, never the tree.

import crypto from 'node:crypto';
import {
  CREDENTIAL_BASIC,
  MLS_10,
  WIRE_PUBLIC_MESSAGE,
  labelled,
  reference,
  uint16,
  uint32,
  uint64,
  uint8,
  vector,
} from './mls.js';
import type { KeyPackage } from './mls.js';

const SENDER_EXTERNAL = 2;
const CONTENT_PROPOSAL = 2;
const PROPOSAL_ADD = 1;
const PROPOSAL_REMOVE = 3;

export type Change =
  | { readonly kind: 'add'; readonly keyPackage: KeyPackage }
  | { readonly kind: 'remove'; readonly leaf: number };

export interface Proposal {
  readonly message: Buffer;
  /** Hexadecimal. */
  readonly ref: string;
  readonly change: Change;
}

/** The voice server's signature key: one entry in the group's external senders, at index 0. */
export class ExternalSender {
  readonly #privateKey: crypto.KeyObject;
  /** Op 25 payload, 71 bytes: key, basic credential, identity of one zero byte as the real service has it. */
  readonly payload: Buffer;

  constructor() {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    const { x, y } = publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([uint8(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
    this.payload = Buffer.concat([vector(point), uint16(CREDENTIAL_BASIC), vector(uint8(0))]);
  }

  proposeAdd(groupId: Buffer, epoch: bigint, keyPackage: KeyPackage): Proposal {
    const body = Buffer.concat([uint16(PROPOSAL_ADD), keyPackage.raw]);
    return { ...this.#sign(groupId, epoch, body), change: { kind: 'add', keyPackage } };
  }

  proposeRemove(groupId: Buffer, epoch: bigint, leaf: number): Proposal {
    const body = Buffer.concat([uint16(PROPOSAL_REMOVE), uint32(leaf)]);
    return { ...this.#sign(groupId, epoch, body), change: { kind: 'remove', leaf } };
  }

  /** A signed PublicMessage. An external sender's signature covers no GroupContext (§2.4 item 3). */
  #sign(groupId: Buffer, epoch: bigint, body: Buffer): { message: Buffer; ref: string } {
    const unsigned = Buffer.concat([
      uint16(MLS_10),
      uint16(WIRE_PUBLIC_MESSAGE),
      vector(groupId),
      uint64(epoch),
      uint8(SENDER_EXTERNAL),
      uint32(0),
      vector(), // authenticated data
      uint8(CONTENT_PROPOSAL),
      body,
    ]);
    const signature = crypto.sign('sha256', labelled('FramedContentTBS', unsigned), this.#privateKey);
    const message = Buffer.concat([unsigned, vector(signature)]);
    return { message, ref: reference('MLS 1.0 Proposal Reference', message.subarray(2)).toString('hex') };
  }
}

/** Op 27 payload that appends. */
export function appendPayload(proposals: readonly Proposal[]): Buffer {
  return Buffer.concat([uint8(0), vector(...proposals.map((proposal) => proposal.message))]);
}

/** Op 27 payload that takes proposals back. */
export function revokePayload(proposals: readonly Proposal[]): Buffer {
  return Buffer.concat([
    uint8(1),
    vector(...proposals.map((proposal) => vector(Buffer.from(proposal.ref, 'hex')))),
  ]);
}
