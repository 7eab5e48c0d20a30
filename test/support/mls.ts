// As much of MLS 1.0 (RFC 9420) as a voice server's DAVE delivery needs (discord-voice.md §2.1, §2.4): writing
// vectors, reading key packages, commits and welcomes, references and what signatures cover. Called by
// external-sender.ts, dave-delivery.ts and the tests; node:crypto only, no MLS library, keeps no state.

import crypto from 'node:crypto';

export const MLS_10 = 1;
export const WIRE_PUBLIC_MESSAGE = 1;
const WIRE_KEY_PACKAGE = 5;
const SUITE_P256 = 2;
export const CREDENTIAL_BASIC = 1;
const SENDER_MEMBER = 1;
const CONTENT_COMMIT = 3;
const BY_REFERENCE = 2;
const LEAF_FROM_KEY_PACKAGE = 1;
const LEAF_FROM_COMMIT = 3;
const FOREVER = 0xffff_ffff_ffff_ffffn;

// ---- Writing ----

export function uint8(value: number): Buffer {
  return Buffer.from([value]);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** A vector: variable-length size (1, 2 or 4 bytes), then the bytes. */
export function vector(...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([vectorSize(content.length), content]);
}

function vectorSize(size: number): Buffer {
  if (size < 0x40) return uint8(size);
  if (size < 0x4000) return uint16(0x4000 | size);
  return uint32((0x8000_0000 | size) >>> 0);
}

// ---- Reading ----

/** Reads forward through a message and throws RangeError where it ends too early. */
export class MlsReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  uint8(): number {
    return this.#take(1).readUInt8(0);
  }

  uint16(): number {
    return this.#take(2).readUInt16BE(0);
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64BE(0);
  }

  vector(): Buffer {
    return this.#take(this.#size());
  }

  /** Everything between two offsets that were passed. */
  between(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end);
  }

  #size(): number {
    const first = this.uint8();
    const prefix = first >> 6;
    if (prefix === 3) throw new RangeError('a vector size begins with the bits 11');
    let size = first & 0x3f;
    for (let more = (1 << prefix) - 1; more > 0; more--) size = size * 256 + this.uint8();
    return size;
  }

  #take(count: number): Buffer {
    const end = this.#offset + count;
    if (end > this.#bytes.length) throw new RangeError('the message is too short');
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}

// ---- Hashes and signatures ----

/** KeyPackageRef and ProposalRef: SHA-256 over label and value, each as a vector. */
export function reference(label: string, value: Buffer): Buffer {
  return crypto
    .createHash('sha256')
    .update(Buffer.concat([vector(Buffer.from(label)), vector(value)]))
    .digest();
}

/** What a labelled signature signs. */
export function labelled(label: string, content: Buffer): Buffer {
  return Buffer.concat([vector(Buffer.from(`MLS 1.0 ${label}`)), vector(content)]);
}

// ---- Key packages (op 26) ----

export interface KeyPackage {
  readonly raw: Buffer;
  readonly userId: string;
  /** Hexadecimal. */
  readonly ref: string;
}

/** Op 26: a bare KeyPackage or one wrapped as an MLSMessage; throws unless lifetime and signature are right. */
export function parseKeyPackage(payload: Buffer): KeyPackage {
  const wrapped = payload.length > 4 && payload.readUInt16BE(2) === WIRE_KEY_PACKAGE;
  const raw = wrapped ? payload.subarray(4) : payload;
  const reader = new MlsReader(raw);
  expect(reader.uint16() === MLS_10, 'the key package is not of MLS 1.0');
  expect(reader.uint16() === SUITE_P256, 'the key package is of another cipher suite');
  reader.vector(); // init key
  const leaf = readLeafNode(reader);
  reader.vector(); // extensions
  const signed = reader.between(0, reader.offset);
  const signature = reader.vector();
  expect(reader.done, 'there are bytes behind the key package');
  expect(leaf.lifetime?.[0] === 0n && leaf.lifetime[1] === FOREVER, 'the key package expires');
  expect(leaf.identity.length === 8, 'the identity is not a user id');
  expect(
    crypto.verify('sha256', labelled('KeyPackageTBS', signed), publicKeyOf(leaf.signatureKey), signature),
    'the key package is not signed by its own key',
  );
  return {
    raw,
    userId: String(leaf.identity.readBigUInt64BE(0)),
    ref: reference('MLS 1.0 KeyPackage Reference', raw).toString('hex'),
  };
}

interface LeafNode {
  readonly identity: Buffer;
  readonly signatureKey: Buffer;
  readonly lifetime: readonly [bigint, bigint] | null;
}

function readLeafNode(reader: MlsReader): LeafNode {
  reader.vector(); // encryption key
  const signatureKey = reader.vector();
  expect(reader.uint16() === CREDENTIAL_BASIC, 'the credential is not basic');
  const identity = reader.vector();
  for (let list = 0; list < 5; list++) reader.vector(); // versions, suites, extensions, proposals, credentials
  const source = reader.uint8();
  let lifetime: readonly [bigint, bigint] | null = null;
  if (source === LEAF_FROM_KEY_PACKAGE) lifetime = [reader.uint64(), reader.uint64()];
  else if (source === LEAF_FROM_COMMIT) reader.vector(); // parent hash
  reader.vector(); // extensions
  reader.vector(); // signature
  return { identity, signatureKey, lifetime };
}

function publicKeyOf(point: Buffer): crypto.KeyObject {
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33, 65).toString('base64url');
  return crypto.createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
}

// ---- Commits and welcomes (ops 28 to 30) ----

export interface CommitWelcome {
  readonly commit: Buffer;
  /** Null when the commit adds nobody. */
  readonly welcome: Buffer | null;
  readonly groupId: Buffer;
  readonly epoch: bigint;
  /** Proposals it takes, hexadecimal references in its own order. */
  readonly refs: readonly string[];
}

/** Op 28: a commit and, without any length between them, a bare Welcome (§2.4 item 4). */
export function parseCommitWelcome(payload: Buffer): CommitWelcome {
  const reader = new MlsReader(payload);
  expect(reader.uint16() === MLS_10, 'the commit is not of MLS 1.0');
  expect(reader.uint16() === WIRE_PUBLIC_MESSAGE, 'the commit is not a PublicMessage');
  const groupId = reader.vector();
  const epoch = reader.uint64();
  expect(reader.uint8() === SENDER_MEMBER, 'the sender of the commit is not a member');
  reader.uint32(); // leaf
  reader.vector(); // authenticated data
  expect(reader.uint8() === CONTENT_COMMIT, 'the content is not a commit');
  const proposals = new MlsReader(reader.vector());
  const refs: string[] = [];
  while (!proposals.done) {
    expect(proposals.uint8() === BY_REFERENCE, 'the commit has a proposal of its own in it');
    refs.push(proposals.vector().toString('hex'));
  }
  if (reader.uint8() === 1) {
    readLeafNode(reader);
    reader.vector(); // path nodes
  }
  reader.vector(); // signature
  reader.vector(); // confirmation tag
  reader.vector(); // membership tag
  const end = reader.offset;
  return {
    commit: payload.subarray(0, end),
    welcome: reader.done ? null : payload.subarray(end),
    groupId,
    epoch,
    refs,
  };
}

/** Op 30 for one member: the Welcome with only that member's encrypted secrets left in. */
export function welcomeFor(welcome: Buffer, keyPackageRef: string): Buffer {
  const reader = new MlsReader(welcome);
  const suite = reader.uint16();
  const secrets = new MlsReader(reader.vector());
  const groupInfo = reader.vector();
  const kept: Buffer[] = [];
  while (!secrets.done) {
    const start = secrets.offset;
    const ref = secrets.vector();
    secrets.vector(); // encapsulated key
    secrets.vector(); // ciphertext
    if (ref.toString('hex') === keyPackageRef) kept.push(secrets.between(start, secrets.offset));
  }
  expect(kept.length > 0, 'the welcome has no secret for that member');
  return Buffer.concat([uint16(suite), vector(...kept), vector(groupInfo)]);
}

function expect(holds: boolean, complaint: string): void {
  if (!holds) throw new RangeError(complaint);
}
