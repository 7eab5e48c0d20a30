// A throw-away certificate for 127.0.0.1 and localhost, built in memory so that no key is ever stored. Used by
// the fake voice server and by tests that need TLS on loopback; only node:crypto and the DER written here.

import crypto from 'node:crypto';

/** PEM texts; `cert` is its own authority and may be given to clients as their only one. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 86_400_000;

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  /** Context tags of GeneralName (RFC 5280 §4.2.1.6) and of TBSCertificate. */
  dnsName: 0x82,
  ipAddress: 0x87,
  version: 0xa0,
  extensions: 0xa3,
} as const;

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
} as const;

const TRUE = Buffer.from([0xff]);

/** A self-signed P-256 certificate, valid from yesterday for a week. */
export function loopbackCertificate(): Certificate {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = element(TAG.sequence, objectId(OID.ecdsaWithSha256));
  const name = element(
    TAG.sequence,
    element(
      TAG.set,
      element(TAG.sequence, objectId(OID.commonName), element(TAG.utf8String, Buffer.from('fake-voice'))),
    ),
  );
  const extensions = element(
    TAG.sequence,
    element(
      TAG.sequence,
      objectId(OID.basicConstraints),
      element(TAG.boolean, TRUE),
      element(TAG.octetString, element(TAG.sequence, element(TAG.boolean, TRUE))),
    ),
    element(
      TAG.sequence,
      objectId(OID.subjectAltName),
      element(
        TAG.octetString,
        element(
          TAG.sequence,
          element(TAG.dnsName, Buffer.from('localhost')),
          element(TAG.ipAddress, Buffer.from([127, 0, 0, 1])),
        ),
      ),
    ),
  );
  const now = Date.now();
  const toBeSigned = element(
    TAG.sequence,
    element(TAG.version, element(TAG.integer, Buffer.from([2]))), // X.509 version 3
    element(TAG.integer, serialNumber()),
    algorithm,
    name,
    element(TAG.sequence, utcTime(now - DAY_MS), utcTime(now + 7 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(TAG.extensions, extensions),
  );
  const signature = crypto.sign('sha256', toBeSigned, privateKey);
  const certificate = element(
    TAG.sequence,
    toBeSigned,
    algorithm,
    element(TAG.bitString, Buffer.concat([Buffer.from([0]), signature])),
  );
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem('CERTIFICATE', certificate),
  };
}

/** One DER element: tag, definite length, content. */
function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  return [0x82, length >> 8, length & 0xff];
}

function objectId(hex: string): Buffer {
  return element(TAG.objectId, Buffer.from(hex, 'hex'));
}

/** YYMMDDHHMMSSZ. */
function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]/g, '');
  return element(TAG.utcTime, Buffer.from(`${digits.slice(2, 14)}Z`));
}

/** Eight random bytes whose first is 0x40 to 0x7f: positive, without a leading zero. */
function serialNumber(): Buffer {
  const serial = crypto.randomBytes(8);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
