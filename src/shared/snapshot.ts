// Everything needed to carry a player over to another shard, process or host, as one JSON text. Main makes
// it from the commands it saw acknowledged and the counters; nothing in it is a wall-clock time or a resolved
// address. Fields of a later version are kept and written back. Pure; used on the main thread.
import { ServerError } from './errors.js';
import { DISPATCH } from './limits.js';
import type { FilterMap, VoiceData } from './shard-commands.js';

export const SNAPSHOT_VERSION = 1;

/** Where the source stood and how long ago that was, in milliseconds; below 0: when it will stand there. */
export interface SnapshotPosition {
  readonly sourceMs: number;
  readonly ageMs: number;
}

export interface SnapshotTrack {
  readonly token: string;
  /** JSON text of the client's userData object: text, so that its numbers stay as they were written. */
  readonly userData: string;
  readonly position: SnapshotPosition;
  readonly endTimeMs: number | null;
  /** Number of this playing of the track, unique per player. */
  readonly instance: number;
}

/** Which events the client was already sent, as the highest track instance each was sent for; 0 for none. */
export interface SnapshotSent {
  readonly start: number;
  readonly exception: number;
  readonly stuck: number;
  readonly end: number;
}

export interface PlayerSnapshot {
  readonly v: number;
  readonly guild: string;
  readonly track: SnapshotTrack | null;
  readonly paused: boolean;
  readonly volume: number;
  readonly filters: FilterMap;
  /** The last instance number given out. */
  readonly instance: number;
  /** Number of the last event seen from a shard. */
  readonly seq: number;
  readonly sent: SnapshotSent;
  /** A field of its own, so that it can be sealed or left out. */
  readonly voice: VoiceData | null;
  /** Top-level fields of a later version, by name. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

const KNOWN = new Set([
  'v',
  'guild',
  'track',
  'paused',
  'volume',
  'filters',
  'instance',
  'seq',
  'sent',
  'voice',
]);

/** Throws PUM_SNAPSHOT_TOO_LARGE above DISPATCH.maxSnapshotBytes. */
export function encodeSnapshot(snapshot: PlayerSnapshot): string {
  const { unknown, ...known } = snapshot;
  const text = JSON.stringify({ ...known, ...withoutKnown(unknown) });
  checkSize(text);
  return text;
}

/** Throws PUM_SNAPSHOT_TOO_LARGE or PUM_SNAPSHOT_INVALID, which names the field. */
export function decodeSnapshot(text: string): PlayerSnapshot {
  checkSize(text);
  const fields = objectAt(parse(text), 'the snapshot');
  const v = integerAt(fields, 'v');
  if (v < SNAPSHOT_VERSION) throw invalid('v');
  return {
    v,
    guild: stringAt(fields, 'guild'),
    track: fields['track'] === null ? null : trackAt(objectAt(fields['track'], 'track')),
    paused: booleanAt(fields, 'paused'),
    volume: integerAt(fields, 'volume'),
    filters: objectAt(fields['filters'], 'filters'),
    instance: integerAt(fields, 'instance'),
    seq: integerAt(fields, 'seq'),
    sent: sentAt(objectAt(fields['sent'], 'sent')),
    voice: fields['voice'] === null ? null : voiceAt(objectAt(fields['voice'], 'voice')),
    unknown: withoutKnown(fields),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function trackAt(fields: Fields): SnapshotTrack {
  const position = objectAt(fields['position'], 'track.position');
  return {
    token: stringAt(fields, 'token'),
    userData: stringAt(fields, 'userData'),
    position: { sourceMs: numberAt(position, 'sourceMs'), ageMs: numberAt(position, 'ageMs') },
    endTimeMs: fields['endTimeMs'] === null ? null : numberAt(fields, 'endTimeMs'),
    instance: integerAt(fields, 'instance'),
  };
}

function sentAt(fields: Fields): SnapshotSent {
  return {
    start: integerAt(fields, 'start'),
    exception: integerAt(fields, 'exception'),
    stuck: integerAt(fields, 'stuck'),
    end: integerAt(fields, 'end'),
  };
}

function voiceAt(fields: Fields): VoiceData {
  return {
    token: stringAt(fields, 'token'),
    endpoint: stringAt(fields, 'endpoint'),
    sessionId: stringAt(fields, 'sessionId'),
    channelId: stringAt(fields, 'channelId'),
  };
}

function withoutKnown(fields: Fields): Record<string, unknown> {
  // fromEntries defines each name as its own, so a field called __proto__ stays a field.
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !KNOWN.has(name)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ServerError('PUM_SNAPSHOT_INVALID', { field: 'the text' }, error);
  }
}

function objectAt(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name);
  return value as Fields;
}

function stringAt(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw invalid(name);
  return value;
}

function booleanAt(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw invalid(name);
  return value;
}

function numberAt(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(name);
  return value;
}

function integerAt(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid(name);
  return value;
}

function checkSize(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > DISPATCH.maxSnapshotBytes) {
    throw new ServerError('PUM_SNAPSHOT_TOO_LARGE', { bytes, limit: DISPATCH.maxSnapshotBytes });
  }
}

function invalid(field: string): ServerError {
  return new ServerError('PUM_SNAPSHOT_INVALID', { field });
}
