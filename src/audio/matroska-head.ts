// What lies in front of the first cluster of a Matroska file (RFC 9559 §5.1): as much of it as reading the clusters
// needs, and the title, where FFmpeg and mkvmerge write it and the demuxer library does not look. Used by demux.ts,
// in shards and loaders.
import { SOURCE } from '../shared/limits.js';
import type { ByteWindow } from './byte-window.js';
import { EBML, eachElement, ElementHead, LONGEST_ELEMENT_HEAD, unsigned, UNKNOWN_SIZE } from './ebml.js';

export interface MatroskaTrack {
  readonly number: number;
  /** Seconds between two frames, or 0 when nothing says so. */
  readonly frameSeconds: number;
  /** What lies in a block is the codec's own: not compressed, encrypted or shortened. */
  readonly plain: boolean;
}

export interface MatroskaHead {
  readonly title: string | null;
  /** Seconds of one tick of the times in clusters and cues. */
  readonly tick: number;
  readonly tracks: readonly MatroskaTrack[];
  /** Offset of the segment's content, from which positions are counted. */
  readonly segment: number;
  /** Where it ends, or Infinity. */
  readonly end: number;
  /** Offset of the first cluster. */
  readonly clusters: number;
  /** Offset of the cues, or null. */
  readonly cues: number | null;
}

const MAX_ELEMENTS = 64;
/** Bytes of one of the elements that are read. */
const MAX_ELEMENT = 1_024 * 1_024;
const MAX_TRACKS = 256;
const NANOSECONDS = 1e9;
const DEFAULT_SCALE = 1_000_000;

/** null when the file does not begin as it should; the library may know better. */
export async function readMatroskaHead(window: ByteWindow): Promise<MatroskaHead | null> {
  const head = new ElementHead();
  let title: string | null = null;
  let scale = DEFAULT_SCALE;
  let segment: number | null = null;
  let end = Infinity;
  let cues: number | null = null;
  const tracks: MatroskaTrack[] = [];
  for (let at = 0, n = 0; n < MAX_ELEMENTS; n++) {
    if (!head.read(await window.read(at, LONGEST_ELEMENT_HEAD), 0)) return null;
    const { id, size } = head;
    const content = at + head.bytes;
    if (id === EBML.cluster) {
      if (segment === null || scale <= 0) return null;
      return { title, tick: scale / NANOSECONDS, tracks, segment, end, clusters: at, cues };
    }
    if (id === EBML.segment) {
      if (segment !== null) return null;
      segment = content;
      if (size !== UNKNOWN_SIZE) end = content + size;
      at = content;
      continue;
    }
    if (size === UNKNOWN_SIZE) return null;
    if (id === EBML.cues) cues = at;
    if (id === EBML.info || id === EBML.tracks || id === EBML.seekHead) {
      if (size > MAX_ELEMENT) return null;
      const bytes = await window.read(content, size);
      if (bytes.length < size) return null;
      eachElement(bytes, (inner, value) => {
        if (inner === EBML.timestampScale) scale = unsigned(value, 0, value.length);
        else if (inner === EBML.title) title ??= titleOf(value);
        else if (inner === EBML.trackEntry && tracks.length < MAX_TRACKS) tracks.push(trackOf(value));
        else if (inner === EBML.seek && segment !== null) cues ??= cuesOf(value, segment);
      });
    }
    at = content + size;
  }
  return null;
}

function titleOf(value: Uint8Array): string | null {
  if (value.length > SOURCE.maxTags) return null;
  const title = new TextDecoder().decode(value).split('\0', 1)[0]?.trim() ?? '';
  return title === '' ? null : title;
}

function trackOf(entry: Uint8Array): MatroskaTrack {
  let number = 0;
  let frameSeconds = 0;
  let plain = true;
  eachElement(entry, (id, value) => {
    if (id === EBML.trackNumber) number = unsigned(value, 0, value.length);
    else if (id === EBML.defaultDuration) frameSeconds = unsigned(value, 0, value.length) / NANOSECONDS;
    else if (id === EBML.contentEncodings) plain = false;
  });
  return { number, frameSeconds, plain };
}

/** What one entry of the index of indexes says, when it is about the cues. */
function cuesOf(entry: Uint8Array, segment: number): number | null {
  let about = 0;
  let position: number | null = null;
  eachElement(entry, (id, value) => {
    if (id === EBML.seekId) about = unsigned(value, 0, value.length);
    else if (id === EBML.seekPosition) position = segment + unsigned(value, 0, value.length);
  });
  return about === EBML.cues ? position : null;
}
