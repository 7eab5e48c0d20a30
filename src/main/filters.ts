// Lavalink's filter object: read from a request, filled with Lavalink's defaults, rounded to float32 where
// Lavalink is, and echoed so (lavalink-v4.md §4.1). Ranges are not judged here (decision D7). Pure; called by
// the request bodies and by /v4/info on the main thread.
import { BUILT_FILTERS, FILTER_NAMES, type FilterName } from '../shared/filters.js';
import type { FilterMap } from '../shared/shard-commands.js';
import {
  field,
  readArray,
  readDouble,
  readFloat,
  readInt,
  readObject,
  refuse,
  type JsonObject,
} from './http/json-fields.js';

type ReadNumber = (value: unknown, path: string) => number;

interface NumberField {
  readonly read: ReadNumber;
  readonly missing: number;
}

const float = (missing: number): NumberField => ({ read: readFloat, missing });
const double = (missing: number): NumberField => ({ read: readDouble, missing });

type ObjectFilter = Exclude<FilterName, 'volume' | 'equalizer'>;

/** Fields of the object filters in the order in which they are echoed, with what a missing one means. */
const OBJECT_FILTERS: Readonly<Record<ObjectFilter, Readonly<Record<string, NumberField>>>> = {
  karaoke: { level: float(1), monoLevel: float(1), filterBand: float(220), filterWidth: float(100) },
  timescale: { speed: double(1), pitch: double(1), rate: double(1) },
  tremolo: { frequency: float(2), depth: float(0.5) },
  vibrato: { frequency: float(2), depth: float(0.5) },
  distortion: {
    sinOffset: float(0),
    sinScale: float(1),
    cosOffset: float(0),
    cosScale: float(1),
    tanOffset: float(0),
    tanScale: float(1),
    offset: float(0),
    scale: float(1),
  },
  rotation: { rotationHz: double(0) },
  channelMix: { leftToLeft: float(1), leftToRight: float(0), rightToLeft: float(0), rightToRight: float(1) },
  lowPass: { smoothing: float(20) },
};

const EQUALIZER_BANDS = 15;
/** Bands one request may list; a repeated band is legal, the last one counts. */
const MAX_BANDS = 1_024;
/** What the equalizer's gain means when it is left out: Lavalink's code says 1, its documents 0. */
const MISSING_GAIN = 1;

export interface ParsedFilters {
  /** What the player gets: only the filters that are set. */
  readonly filters: FilterMap;
  /** Every filter the request names, even with null, in Lavalink's order; plugin filters after them. */
  readonly named: readonly string[];
}

/** Throws PUM_HTTP_BAD_REQUEST naming the field. Unknown keys are ignored. */
export function parseFilters(value: unknown, path = 'filters'): ParsedFilters {
  const object = readObject(value, path);
  const filters: Record<string, unknown> = {};
  const named: string[] = [];
  for (const name of FILTER_NAMES) {
    const given = field(object, name);
    if (given === undefined) continue;
    named.push(name);
    const parsed = parseOne(name, given, `${path}.${name}`);
    if (parsed !== null) filters[name] = parsed;
  }
  const plugins = field(object, 'pluginFilters');
  // Filters of plugins that are not there are dropped and not echoed, as in Lavalink.
  if (plugins !== undefined) named.push(...Object.keys(readObject(plugins, `${path}.pluginFilters`)));
  return { filters, named };
}

/** The built and enabled filters in Lavalink's order: what `/v4/info` lists. */
export function enabledFilters(isSwitchedOn: (name: FilterName) => boolean): readonly FilterName[] {
  return FILTER_NAMES.filter((name) => BUILT_FILTERS.includes(name) && isSwitchedOn(name));
}

/** Which of the named filters this server refuses: switched off, or not in this build. */
export function refusedFilters(
  named: readonly string[],
  enabled: readonly string[],
  pluginSwitchedOff: (name: string) => boolean,
): readonly string[] {
  return named.filter((name) => {
    return isOwn(name) ? !enabled.includes(name) : pluginSwitchedOff(name);
  });
}

function isOwn(name: string): boolean {
  return (FILTER_NAMES as readonly string[]).includes(name);
}

function parseOne(name: FilterName, value: unknown, path: string): unknown {
  if (name === 'volume') return readFloat(value, path);
  if (name === 'equalizer') return parseEqualizer(value, path);
  return value === null ? null : parseObjectFilter(OBJECT_FILTERS[name], readObject(value, path), path);
}

function parseObjectFilter(
  fields: Readonly<Record<string, NumberField>>,
  object: JsonObject,
  path: string,
): FilterMap {
  const parsed: Record<string, number> = {};
  for (const [name, { read, missing }] of Object.entries(fields)) {
    const given = field(object, name);
    parsed[name] = given === undefined ? missing : read(given, `${path}.${name}`);
  }
  return parsed;
}

function parseEqualizer(value: unknown, path: string): readonly FilterMap[] {
  const bands = readArray(value, path);
  if (bands.length > MAX_BANDS) throw refuse(path, `must not list more than ${MAX_BANDS} bands`);
  return bands.map((entry, index) => {
    const at = `${path}[${index}]`;
    const object = readObject(entry, at);
    const given = field(object, 'band');
    if (given === undefined) throw refuse(`${at}.band`, 'is missing');
    const band = readInt(given, `${at}.band`);
    // Lavalink answers 500 here (an array index); decision D7 makes it 400.
    if (band < 0 || band >= EQUALIZER_BANDS) {
      throw refuse(`${at}.band`, `must lie between 0 and ${EQUALIZER_BANDS - 1}`);
    }
    const gain = field(object, 'gain');
    return { band, gain: gain === undefined ? MISSING_GAIN : readFloat(gain, `${at}.gain`) };
  });
}
