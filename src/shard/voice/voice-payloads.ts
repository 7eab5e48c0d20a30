// The messages of a voice gateway that carry numbers and addresses we act on, checked before anything is done
// with them (discord-voice.md §1.3). Pure; used by the native driver. A message that is not as it must be is
// null, never an exception.

import { isIPv4 } from 'node:net';

/** Opcodes of the voice gateway (discord-voice.md §1.4); those of DAVE are in dave-payloads.ts. */
export const Op = {
  identify: 0,
  selectProtocol: 1,
  ready: 2,
  heartbeat: 3,
  sessionDescription: 4,
  speaking: 5,
  heartbeatAck: 6,
  resume: 7,
  hello: 8,
  resumed: 9,
  clientsConnect: 11,
  clientDisconnect: 13,
  mediaSinkWants: 15,
} as const;

/** Op 2. */
export interface Greeting {
  readonly ssrc: number;
  readonly address: string;
  readonly port: number;
  readonly modes: readonly string[];
}

/** Op 4. */
export interface Description {
  readonly mode: string;
  readonly key: Uint8Array;
  /** 0 where the call is not encrypted end to end. */
  readonly daveVersion: number;
}

/** More modes than this are no offer. */
const MAX_MODES = 32;
/** More members than a call can have. */
const MAX_USERS = 10_000;

export function readGreeting(d: unknown): Greeting | null {
  const { ssrc, ip, port, modes } = fields(d);
  if (!isWhole(ssrc, 0, 2 ** 32 - 1) || !isWhole(port, 1, 65_535)) return null;
  if (typeof ip !== 'string' || !isIPv4(ip)) return null;
  if (!isTexts(modes, MAX_MODES)) return null;
  return { ssrc, address: ip, port, modes };
}

export function readDescription(d: unknown): Description | null {
  const { mode, secret_key: key, dave_protocol_version: version = 0 } = fields(d);
  if (typeof mode !== 'string' || !Array.isArray(key) || key.length !== 32) return null;
  if (!key.every((byte) => isWhole(byte, 0, 255)) || !isWhole(version, 0, 65_535)) return null;
  return { mode, key: Uint8Array.from(key), daveVersion: version };
}

/** Op 8: milliseconds between heartbeats. */
export function readHello(d: unknown): number | null {
  const { heartbeat_interval: interval } = fields(d);
  return typeof interval === 'number' && interval > 0 && interval < Infinity ? interval : null;
}

/** Op 11. */
export function readUsers(d: unknown): readonly string[] | null {
  const { user_ids: users } = fields(d);
  return isTexts(users, MAX_USERS) ? users : null;
}

/** Op 13. */
export function readUser(d: unknown): string | null {
  const { user_id: user } = fields(d);
  return typeof user === 'string' ? user : null;
}

function fields(d: unknown): Readonly<Record<string, unknown>> {
  return typeof d === 'object' && d !== null ? (d as Record<string, unknown>) : {};
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isTexts(value: unknown, most: number): value is readonly string[] {
  return Array.isArray(value) && value.length <= most && value.every((text) => typeof text === 'string');
}
