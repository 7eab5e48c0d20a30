// The body of PATCH player (lavalink-v4.md §1.4): `parsePlayerUpdate` takes it apart field by field, which
// happens before the session is looked for; `checkPlayerUpdate` applies steps 2 to 6. Pure functions.
import { ServerError } from '../../shared/errors.js';
import { writeJson } from '../../shared/json.js';
import { TRACK, VOICE } from '../../shared/limits.js';
import { matchVoiceEndpoint } from '../../shared/voice-endpoint.js';
import type { VoiceData } from '../../shared/shard-commands.js';
import { parseFilters, refusedFilters, type ParsedFilters } from '../filters.js';
import type { UserData } from '../track-instance.js';
import {
  field,
  readBoolean,
  readInt,
  readLong,
  readObject,
  readString,
  refuse,
  type JsonObject,
} from './json-fields.js';

interface TrackUpdate {
  readonly encoded: string | null | undefined;
  readonly identifier: string | undefined;
  readonly userData: UserData | undefined;
}

type GivenVoice = Readonly<Record<keyof VoiceData, string | null>>;

/** A body as it came; undefined is "not given", which is not the same as null. */
export interface PlayerUpdate {
  readonly track: TrackUpdate | undefined;
  readonly encodedTrack: string | null | undefined;
  readonly identifier: string | undefined;
  readonly position: bigint | undefined;
  readonly endTime: bigint | null | undefined;
  readonly volume: number | undefined;
  readonly paused: boolean | undefined;
  readonly filters: ParsedFilters | undefined;
  readonly voice: GivenVoice | undefined;
}

/** What a checked body asks for. Times are milliseconds that fit a JavaScript number. */
export interface PlayerChange {
  readonly track:
    | { readonly kind: 'encoded'; readonly token: string }
    | { readonly kind: 'identifier'; readonly identifier: string }
    | { readonly kind: 'stop' }
    | null;
  readonly userData: UserData | null;
  readonly positionMs: number | null;
  readonly endTimeMs: number | null;
  /** 0 to 1000. */
  readonly volume: number | null;
  readonly paused: boolean | null;
  readonly filters: ParsedFilters['filters'] | null;
  readonly voice: VoiceData | null;
}

export interface UpdateRules {
  readonly enabledFilters: readonly string[];
  readonly pluginFiltersOff: ReadonlySet<string>;
  readonly voiceEndpoints: readonly string[];
}

const VOICE_KEYS = ['token', 'endpoint', 'sessionId', 'channelId'] as const;
const MAX_VOLUME = 1_000;

/** Throws PUM_HTTP_BAD_REQUEST naming the field. Unknown keys are ignored. */
export function parsePlayerUpdate(body: unknown): PlayerUpdate {
  const object = readObject(body, 'the body');
  return {
    track: optional(object, 'track', parseTrack),
    encodedTrack: optional(object, 'encodedTrack', nullable(readString)),
    identifier: optional(object, 'identifier', readString),
    position: optional(object, 'position', readLong),
    endTime: optional(object, 'endTime', nullable(readLong)),
    volume: optional(object, 'volume', readInt),
    paused: optional(object, 'paused', readBoolean),
    filters: optional(object, 'filters', parseFilters),
    voice: optional(object, 'voice', parseVoice),
  };
}

/** Steps 2 to 6 of the algorithm, in their order. Throws the 400 of the first that fails. */
export function checkPlayerUpdate(update: PlayerUpdate, rules: UpdateRules): PlayerChange {
  const { track, filters, endTime, voice } = update;
  if (track !== undefined && (update.encodedTrack !== undefined || update.identifier !== undefined)) {
    throw badRequest('Cannot specify both track and encodedTrack/identifier');
  }
  const encoded = track === undefined ? update.encodedTrack : track.encoded;
  const identifier = track === undefined ? update.identifier : track.identifier;
  if (encoded !== undefined && identifier !== undefined) {
    throw badRequest('Cannot specify both encodedTrack and identifier');
  }
  if (filters !== undefined) checkFilters(filters, rules);
  const checkedVoice = voice === undefined ? null : checkVoice(voice);
  if (typeof endTime === 'bigint' && endTime <= 0n) throw badRequest('End time must be greater than 0');
  if (checkedVoice !== null) checkEndpoint(checkedVoice.endpoint, rules);
  if (track?.userData !== undefined) checkUserData(track.userData);
  return {
    track: changeOfTrack(encoded, identifier),
    userData: track?.userData ?? null,
    positionMs: update.position === undefined ? null : milliseconds(update.position),
    endTimeMs: typeof endTime === 'bigint' ? milliseconds(endTime) : null,
    volume: update.volume === undefined ? null : Math.min(MAX_VOLUME, Math.max(0, update.volume)),
    paused: update.paused ?? null,
    filters: filters?.filters ?? null,
    voice: checkedVoice,
  };
}

function changeOfTrack(
  encoded: string | null | undefined,
  identifier: string | undefined,
): PlayerChange['track'] {
  if (identifier !== undefined) return { kind: 'identifier', identifier };
  if (encoded === undefined) return null;
  return encoded === null ? { kind: 'stop' } : { kind: 'encoded', token: encoded };
}

function parseTrack(value: unknown, path: string): TrackUpdate {
  const object = readObject(value, path);
  return {
    encoded: optional(object, 'encoded', nullable(readString), path),
    identifier: optional(object, 'identifier', readString, path),
    userData: optional(object, 'userData', readObject, path),
  };
}

function parseVoice(value: unknown, path: string): GivenVoice {
  const object = readObject(value, path);
  const read = (key: keyof VoiceData): string | null => {
    const given = field(object, key);
    if (given === undefined) {
      const since = key === 'channelId' ? ' (required since Lavalink 4.2)' : '';
      throw refuse(`${path}.${key}`, `is missing${since}`);
    }
    return key === 'channelId' && given === null ? null : readString(given, `${path}.${key}`);
  };
  return {
    token: read('token'),
    endpoint: read('endpoint'),
    sessionId: read('sessionId'),
    channelId: read('channelId'),
  };
}

function checkFilters(filters: ParsedFilters, rules: UpdateRules): void {
  const refused = refusedFilters(filters.named, rules.enabledFilters, (name) => {
    return rules.pluginFiltersOff.has(name);
  });
  if (refused.length > 0) {
    throw badRequest(`Following filters are disabled in the config: ${refused.join(', ')}`);
  }
}

function checkVoice(voice: GivenVoice): VoiceData {
  const blank = VOICE_KEYS.some((key) => (voice[key] ?? '').trim() === '');
  if (blank) throw badRequest('token, endpoint, sessionId and channelId must be provided in voice state');
  const long = VOICE_KEYS.find((key) => (voice[key] ?? '').length > VOICE.maxText);
  if (long !== undefined) throw refuse(`voice.${long}`, `is longer than ${VOICE.maxText} characters`);
  return voice as VoiceData;
}

function checkUserData(userData: UserData): void {
  const limit = TRACK.maxUserData;
  if (Buffer.byteLength(writeJson(userData)) <= limit) return;
  throw refuse('track.userData', `is larger than ${limit} bytes`);
}

function checkEndpoint(endpoint: string, rules: UpdateRules): void {
  if (matchVoiceEndpoint(rules.voiceEndpoints, endpoint) !== null) return;
  // What is printed is the client's own text, cut and without control characters.
  const host = endpoint.slice(0, 100).replace(/[^\x20-\x7e]/g, '?');
  throw new ServerError('PUM_VOICE_ENDPOINT', { host });
}

function optional<T>(
  object: JsonObject,
  name: string,
  read: (value: unknown, path: string) => T,
  parent?: string,
): T | undefined {
  const value = field(object, name);
  return value === undefined ? undefined : read(value, parent === undefined ? name : `${parent}.${name}`);
}

function nullable<T>(read: (value: unknown, path: string) => T) {
  return (value: unknown, path: string): T | null => (value === null ? null : read(value, path));
}

/** Negative is 0; what no track can reach is cut to what a number holds exactly. */
function milliseconds(value: bigint): number {
  if (value <= 0n) return 0;
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function badRequest(reason: string): ServerError {
  return new ServerError('PUM_HTTP_BAD_REQUEST', { reason });
}
